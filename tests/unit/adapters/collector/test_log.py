"""An access log that grows, is cut, is replaced, and never fills its volume."""

import ctypes
import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.adapters.collector import log as module
from ringfence.adapters.collector.log import MOST_BYTES, RECLAIMED, AccessLog, Place


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.fixture
def log(path: Path) -> Iterator[AccessLog]:
    log = AccessLog(path)
    yield log
    log.close()


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def _all(log: AccessLog, place: Place) -> tuple[list[bytes], Place]:
    """Everything that is there, as the collector reads it."""
    lines: list[bytes] = []
    while (chunk := log.read(place)).place != place:
        lines += chunk.lines
        place = chunk.place
        log.reclaim(place)
    return lines, place


def test_a_log_that_is_not_there_yet_has_no_lines(log: AccessLog, path: Path) -> None:
    assert log.read(Place()).lines == ()
    _append(path, b"one\n")
    assert log.read(Place()).lines == [b"one"]


def test_a_line_is_read_when_its_end_is_there(log: AccessLog, path: Path) -> None:
    _append(path, b"one\ntw")
    lines, place = _all(log, Place())
    assert lines == [b"one"]
    _append(path, b"o\n")
    assert _all(log, place)[0] == [b"two"]


def test_another_process_goes_on_where_one_left_off(log: AccessLog, path: Path) -> None:
    _append(path, b"one\n")
    place = log.read(Place()).place
    _append(path, b"two\n")
    successor = AccessLog(path)
    assert successor.read(place).lines == [b"two"]
    successor.close()


def test_a_log_that_was_emptied_is_read_from_its_beginning(log: AccessLog, path: Path) -> None:
    _append(path, b"one\ntwo\n")
    place = _all(log, Place())[1]
    path.write_bytes(b"new\n")
    assert log.read(place).lines == [b"new"]


def test_a_log_that_was_replaced_is_first_read_to_its_end(log: AccessLog, path: Path) -> None:
    _append(path, b"one\n")
    place = log.read(Place()).place
    _append(path, b"two\n")
    path.rename(path.with_suffix(".old"))
    _append(path, b"three, which is longer\n")
    lines, place = _all(log, place)
    assert lines == [b"two"]
    assert _all(log, place)[0] == [b"three, which is longer"]


def test_what_is_too_long_to_be_a_line_does_not_stop_the_others(log: AccessLog, path: Path) -> None:
    _append(path, b"x" * (MOST_BYTES + 5) + b"\ngood\n")
    lines, _ = _all(log, Place())
    assert lines[-1] == b"good"
    assert len(lines) == 3


def test_what_was_read_takes_no_room(log: AccessLog, path: Path) -> None:
    """Many times as much is written as is ever there, and every line is read once, also by a successor."""
    place, read, written = Place(), 0, 0
    for round_ in range(8):
        _append(path, b"".join(b"%09d %s\n" % (number, b"x" * 90) for number in range(written, written + 10_000)))
        written += 10_000
        lines, place = _all(log, place)
        assert [int(line[:9]) for line in lines] == list(range(read, written))
        read = written
        assert log.occupied < RECLAIMED + 2 * MOST_BYTES, round_
    assert path.stat().st_size > 8_000_000


def test_a_volume_that_makes_no_holes_is_emptied_when_all_was_read(
    log: AccessLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before: what nobody has read stays."""

    def unsupported(*_: int) -> int:
        ctypes.set_errno(errno.EOPNOTSUPP)
        return -1

    monkeypatch.setattr(module, "_fallocate", unsupported)
    monkeypatch.setattr(module, "TRUNCATED", 3 * RECLAIMED)
    _append(path, b"x" * 99 + b"\n")
    _append(path, (b"y" * 99 + b"\n") * 40_000)
    chunk = log.read(Place())
    log.reclaim(chunk.place)
    assert path.stat().st_size > 3 * RECLAIMED
    lines, place = _all(log, chunk.place)
    assert len(chunk.lines) + len(lines) == 40_001
    assert path.stat().st_size == 0
    _append(path, b"new\n")
    assert log.read(place).lines == [b"new"]


def test_who_lost_what_he_had_counted_does_not_read_the_hole(log: AccessLog, path: Path) -> None:
    """What was given back to the disk would be read as lines of nothing, for as long as the file is."""
    _append(path, b"x" * 99 + b"\n")
    beginning = log.read(Place())
    _append(path, (b"x" * 99 + b"\n") * (3 * RECLAIMED // 100))
    _all(log, beginning.place)
    _append(path, b"new\n")
    successor = AccessLog(path)
    lines, place = _all(successor, Place())
    successor.close()
    assert lines[-1] == b"new"
    assert sum(map(len, lines)) < RECLAIMED + 2 * 4096
    assert not any(b"\0" in line for line in lines)
    assert place == log.read(place).place


def test_a_log_of_which_all_was_given_back_has_no_lines(log: AccessLog, path: Path) -> None:
    _append(path, (b"x" * 1023 + b"\n") * (2 * RECLAIMED // 1024))
    assert _all(log, Place())[0]
    successor = AccessLog(path)
    assert _all(successor, Place())[0] == []
    successor.close()
