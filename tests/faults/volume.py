"""A small volume that can be full or read-only: a real file system, as a ledger's is. Mounting it needs root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

_SIZE: Final = "1m"
_BLOCK: Final = 4096  # bytes, of which a tmpfs gives out nothing less


@dataclass(frozen=True)
class Volume:
    """A mounted tmpfs."""

    path: Path

    def fill(self) -> None:
        """Leave no room at all."""
        with self._filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(_BLOCK))
        assert not os.statvfs(self.path).f_bfree

    def make_room(self) -> None:
        """Take away what filled it."""
        self._filler.unlink()

    def make_read_only(self, *, read_only: bool = True) -> None:
        """Mount it anew; the kernel refuses while a file of it is open for writing."""
        _run("mount", "-o", f"remount,{'ro' if read_only else 'rw'}", str(self.path))

    @property
    def _filler(self) -> Path:
        return self.path / "filler"


@contextmanager
def mounted(path: Path) -> Iterator[Volume]:
    """Mount one at ``path`` while the block runs."""
    if os.geteuid() != 0:
        pytest.skip("mounting a volume needs root")
    path.mkdir(parents=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=0700", "ringfence-tests", str(path))
    try:
        yield Volume(path)
    finally:
        _run("umount", "--lazy", str(path))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
