"""Private folders that live no longer than the control plane in them.

Law: the owner and every guard hold the folder's lock. A lock that is free means that all of them are gone, so the next
start may sweep what they left, even after kill -9.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from ringfence.controlplane.errors import ControlPlaneError

_LOCK: Final = ".lock"
_LONGEST_SOCKET_PATH: Final = 107  # bytes, by the kernel


class OwnedFolder:
    """A folder of mode 0700 that this process owns until `remove`."""

    def __init__(self, path: Path) -> None:
        """Claim `path`: a folder that is new, empty or left by a dead owner. Raises ControlPlaneError for any other."""
        self.path = path.resolve()
        if len(os.fsencode(self.path)) > _LONGEST_SOCKET_PATH - len("/etcd-client.sock"):
            raise ControlPlaneError(f"{self.path} is too long for the unix sockets in it: give a shorter folder")
        with _exclusively(self.path.parent):
            _refuse_foreign(self.path)
            lock = _lock_or_none(self.path)
            if lock is None:
                raise ControlPlaneError(f"a control plane already runs in {self.path}: stop it or give another folder")
            self.descriptor = lock  # of the lock; guards hold it too
            _empty(self.path)
            os.truncate(lock, 0)
            os.write(lock, str(os.getpid()).encode())

    @classmethod
    def temporary(cls) -> Self:
        """Claim a new folder beside others of this user, and sweep those whose owners are dead."""
        root = Path(tempfile.gettempdir()) / f"ringfence-{os.getuid()}"
        root.mkdir(mode=0o700, exist_ok=True)
        if root.is_symlink() or root.stat().st_uid != os.getuid():
            raise ControlPlaneError(f"{root} is not ours: set TMPDIR to another folder")
        sweep(root)
        return cls(Path(tempfile.mkdtemp(dir=root)))

    def remove(self) -> None:
        """Delete the folder and release it."""
        if self.descriptor >= 0:
            with _exclusively(self.path.parent):
                shutil.rmtree(self.path, ignore_errors=True)
                os.close(self.descriptor)
            self.descriptor = -1


def owner_of(path: Path) -> int | None:
    """Return the process id of the living owner of `path`, or None where there is none."""
    if not path.parent.exists():
        return None
    with _exclusively(path.parent):
        if not (path / _LOCK).exists():  # to lock it would make it, which its owner may just have removed
            return None
        lock = _lock_or_none(path)
        if lock is not None:
            os.close(lock)
            return None
        return int((path / _LOCK).read_text())


def sweep(root: Path) -> None:
    """Delete the folders in `root` whose owners are dead."""
    with _exclusively(root):
        for folder in root.iterdir():
            lock = _lock_or_none(folder) if folder.is_dir() else None
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _lock_or_none(path: Path) -> int | None:
    path.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _refuse_foreign(path: Path) -> None:
    if path.exists() and not (path / _LOCK).exists() and any(path.iterdir()):
        raise ControlPlaneError(f"{path} holds something else: give a new or an empty folder")


def _empty(path: Path) -> None:
    for entry in path.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != _LOCK:
            entry.unlink()


@contextmanager
def _exclusively(root: Path) -> Iterator[None]:
    """Keep claiming, sweeping and removing apart from each other among all processes."""
    root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
