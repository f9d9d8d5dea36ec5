"""The access log as the gateway writes it, read in whole lines from where one left off.

Laws: a line is handed out when its end is there. What was read is given back to the disk by a hole in the file, so
that the file needs no rotation, which would need a word with Envoy and could lose lines in between.
"""

import ctypes
import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)

MOST_BYTES: Final = 1 << 20
"""Read at once; a line that is longer is none."""
RECLAIMED: Final = 1 << 20
"""Bytes that were read until they are given back."""
TRUNCATED: Final = 64 << 20
"""Size at which the file is emptied where a file system can't make holes."""
_BLOCK: Final = 4096
_ALLOCATED: Final = 512  # bytes of what stat(2) calls a block
_PUNCH_HOLE_KEEP_SIZE: Final = 0x02 | 0x01  # fallocate(2)
_UNSUPPORTED: Final = frozenset({errno.EOPNOTSUPP, errno.ENOSYS})

_fallocate = ctypes.CDLL(None, use_errno=True).fallocate
_fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


@dataclass(frozen=True, slots=True)
class Place:
    """How far a log was read."""

    file: str = ""
    """Device and inode: another file of the same name is another log."""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines, and the place after them."""

    lines: Sequence[bytes]
    place: Place


class AccessLog:
    """One path, and the file that it leads to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: LogFile | None = None

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def occupied(self) -> int:
        """Bytes that the file takes of its volume."""
        return self._file.status().st_blocks * _ALLOCATED if self._file else 0

    def unread(self, place: Place) -> int:
        """Bytes after ``place``."""
        return max(0, self._file.status().st_size - place.offset) if self._file else 0

    def read(self, place: Place) -> Chunk:
        """The next whole lines after ``place``; none where there are none yet.

        Raises:
            OSError: the file can't be read or written.
        """
        if self._file is None:
            self._file = LogFile.open(self._path)
        if self._file is None:
            return Chunk((), place)
        chunk = self._file.read(place)
        if chunk.place == place and self._file.replaced():
            self.close()  # what was written to the old file is read to its end
        return chunk

    def reclaim(self, place: Place) -> None:
        """Give back to the disk what is before ``place``: nobody asks for it again."""
        if self._file is not None:
            self._file.reclaim(place.offset)


@dataclass
class LogFile:
    """An open file."""

    path: Path
    number: int
    """Of the descriptor."""
    reclaimed: int = 0
    makes_holes: bool = True

    @classmethod
    def open(cls, path: Path) -> "LogFile | None":
        """The file, where there is one yet."""
        try:
            return cls(path, os.open(path, os.O_RDWR | os.O_CLOEXEC))
        except FileNotFoundError:
            return None

    def close(self) -> None:
        """Let go of it."""
        os.close(self.number)

    def status(self) -> os.stat_result:
        """What fstat(2) says."""
        return os.fstat(self.number)

    def read(self, place: Place) -> Chunk:
        """The next whole lines; from the beginning where ``place`` is of another file, or beyond the end."""
        status = self.status()
        file = f"{status.st_dev}:{status.st_ino}"
        known = place.file == file and place.offset <= status.st_size
        offset = place.offset if known else self._beginning(status.st_size)
        data = os.pread(self.number, MOST_BYTES, offset)
        if len(data) == MOST_BYTES and b"\n" not in data:
            return Chunk([data], Place(file, offset + len(data)))
        *lines, rest = data.split(b"\n")
        return Chunk(lines, Place(file, offset + len(data) - len(rest)))

    def _beginning(self, size: int) -> int:
        """After the hole of what was given back: who lost what he had counted does not read it as lines."""
        try:
            return os.lseek(self.number, 0, os.SEEK_DATA)
        except OSError as error:
            return size if error.errno == errno.ENXIO else 0  # lseek(2): no data at all, or no such question

    def replaced(self) -> bool:
        """Whether the path leads to another file by now."""
        try:
            return not os.path.samestat(self.status(), self.path.stat())
        except FileNotFoundError:
            return False

    def reclaim(self, end: int) -> None:
        """Give back what is before ``end``, once it is worth while."""
        if not self.makes_holes:
            self._empty(end)
        elif end - self.reclaimed >= RECLAIMED:
            self._punch(end // _BLOCK * _BLOCK)

    def _punch(self, end: int) -> None:
        if _fallocate(self.number, _PUNCH_HOLE_KEEP_SIZE, 0, end) == 0:
            self.reclaimed = end
        elif ctypes.get_errno() in _UNSUPPORTED:
            self.makes_holes = False
            log.warning("the volume makes no holes in files: the log is emptied now and then", log=str(self.path))

    def _empty(self, end: int) -> None:
        """Empty a large file of which all was read; a line that is written at this very moment is lost with it."""
        if end >= TRUNCATED and end == self.status().st_size:
            os.ftruncate(self.number, 0)
