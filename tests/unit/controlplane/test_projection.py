"""Volumes change as a whole: whoever reads finds all files of one version."""

import threading
from pathlib import Path

from ringfence.controlplane.node.projection import project


def read(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if not path.name.startswith("..")}


def test_files_are_as_wanted_and_nothing_else_is_seen(tmp_path: Path) -> None:
    """What is gone from the volume is gone from the folder."""
    assert project(tmp_path, {"one": b"1", "two": b"2"})
    assert read(tmp_path) == {"one": "1", "two": "2"}
    assert project(tmp_path, {"two": b"22", "three": b"3"})
    assert read(tmp_path) == {"two": "22", "three": "3"}


def test_what_is_as_wanted_is_left_alone(tmp_path: Path) -> None:
    """Nobody who watches the folder is woken for nothing."""
    project(tmp_path, {"one": b"1"})
    before = (tmp_path / "..data").readlink()
    assert not project(tmp_path, {"one": b"1"})
    assert (tmp_path / "..data").readlink() == before


def test_one_version_is_left(tmp_path: Path) -> None:
    """Old ones don't fill the disk."""
    for number in range(5):
        project(tmp_path, {"one": str(number).encode()})
    assert len([path for path in tmp_path.iterdir() if path.is_dir() and not path.is_symlink()]) == 1


def test_an_empty_volume_is_a_folder(tmp_path: Path) -> None:
    """An optional Secret that is not there."""
    assert project(tmp_path / "volume", {})
    assert read(tmp_path / "volume") == {}
    assert not project(tmp_path / "volume", {})


def test_files_lie_where_their_paths_say(tmp_path: Path) -> None:
    """Items may have folders in their paths."""
    project(tmp_path, {"a/b": b"1", "a/c": b"2"})
    assert (tmp_path / "a" / "b").read_text() == "1"


def test_no_reader_ever_sees_two_versions(tmp_path: Path) -> None:
    """All files are opened through one version of the folder."""
    project(tmp_path, {"one": b"0", "two": b"0"})
    done = threading.Event()
    torn: list[tuple[str, str]] = []

    def watch() -> None:
        while not done.is_set():
            version = (tmp_path / "..data").resolve()
            try:
                pair = (version / "one").read_text(), (version / "two").read_text()
            except FileNotFoundError:
                continue  # this version was removed meanwhile; a reader opens it anew
            if pair[0] != pair[1]:
                torn.append(pair)

    reader = threading.Thread(target=watch)
    reader.start()
    for number in range(100):
        project(tmp_path, {"one": str(number).encode(), "two": str(number).encode()})
    done.set()
    reader.join()
    assert not torn


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Keys and tokens are among them."""
    project(tmp_path, {"key": b"secret"})
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
