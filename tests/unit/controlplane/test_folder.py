"""Folders are private, have one living owner, and dead owners' folders are swept."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.controlplane.errors import ControlPlaneError
from ringfence.controlplane.folder import OwnedFolder, owner_of

CLAIM_AND_DIE = """
import os, sys
from pathlib import Path
from ringfence.controlplane.folder import OwnedFolder
folder = OwnedFolder(Path(sys.argv[1])) if len(sys.argv) > 1 else OwnedFolder.temporary()
(folder.path / "data").mkdir()
print(folder.path, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Give a path that is short enough for unix sockets, which pytest's own is not in a test process of many."""
    with tempfile.TemporaryDirectory(prefix="rf-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def temporary_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def claimed_by_the_dead(*arguments: str) -> Path:
    command = [sys.executable, "-c", CLAIM_AND_DIE, *arguments]
    return Path(subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip())


def test_a_folder_is_private() -> None:
    """It holds keys."""
    folder = OwnedFolder.temporary()
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.remove()


def test_a_living_owner_is_never_disturbed(tmp_path: Path) -> None:
    """Neither by a second claim nor by a sweep."""
    first = OwnedFolder.temporary()
    second = OwnedFolder.temporary()
    with pytest.raises(ControlPlaneError, match="already runs"):
        OwnedFolder(first.path)
    assert first.path.exists()
    assert owner_of(first.path) == os.getpid()
    for folder in (first, second):
        folder.remove()
        folder.remove()
    assert owner_of(first.path) is None
    assert list((tmp_path / f"ringfence-{os.getuid()}").iterdir()) == []


def test_a_dead_owners_folder_is_swept_by_the_next_start() -> None:
    """Even kill -9 leaves no garbage for long."""
    left = claimed_by_the_dead()
    assert (left / "data").exists()
    OwnedFolder.temporary().remove()
    assert not left.exists()


def test_a_dead_owners_named_folder_can_be_claimed_again(tmp_path: Path) -> None:
    """A crash never asks for a cleanup by hand."""
    left = claimed_by_the_dead(str(tmp_path / "dev"))
    assert owner_of(left) is None
    folder = OwnedFolder(left)
    assert [entry.name for entry in left.iterdir()] == [".lock"]
    folder.remove()


def test_a_folder_with_other_contents_is_refused_and_kept(tmp_path: Path) -> None:
    """A mistyped --dir deletes nothing."""
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ControlPlaneError, match="holds something else"):
        OwnedFolder(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_a_path_too_long_for_sockets_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    """The kernel's own message would name no folder."""
    long = tmp_path / ("x" * 100)
    with pytest.raises(ControlPlaneError, match="too long"):
        OwnedFolder(long)
    assert not long.exists()
