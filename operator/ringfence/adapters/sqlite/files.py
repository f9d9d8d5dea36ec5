"""The directory of a ledger: ``<log>.db`` and, beside it, ``<log>.checkpoint`` with what was last published.

Law: the published checkpoint lives outside the database, so that an old copy of the database gives itself away.
"""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ringfence.lineage.entry import PLATFORM, LogId
from ringfence.ports.ledger import LedgerUnavailableError

_URL_PREFIX: Final = "sqlite:///"
_LOG_ID: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,126}[a-z0-9])?")
_MOUNTS: Final = Path("/proc/self/mountinfo")
# Where SQLite's locks or its shared memory don't reach a second machine, two writers would not see each other.
_NETWORK_FILESYSTEMS: Final = frozenset(
    {"9p", "afs", "cifs", "fuse.glusterfs", "fuse.sshfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
)


def parse_url(url: str) -> Path:
    """The directory that ``sqlite:///PATH`` names; ``PATH`` is relative unless it begins with a slash.

    Raises:
        ValueError: it is not written like that.
    """
    path = url.removeprefix(_URL_PREFIX)
    if not url.startswith(_URL_PREFIX) or not path:
        raise ValueError(f"{url!r} is no ledger: write sqlite:///PATH, the path of a directory")
    return Path(path)


@dataclass(frozen=True, slots=True)
class Files:
    """Paths and small files of one ledger directory."""

    directory: Path

    def database(self, log: LogId) -> Path:
        """The database of ``log``."""
        return self.directory / f"{_safe(log)}.db"

    def checkpoint(self, log: LogId) -> Path:
        """The file with the last published checkpoint of ``log``."""
        return self.directory / f"{_safe(log)}.checkpoint"

    def logs(self) -> list[LogId]:
        """Every log that has a database or a checkpoint, ``platform`` first."""
        found = {path.stem for pattern in ("*.db", "*.checkpoint") for path in self.directory.glob(pattern)}
        return sorted(found, key=lambda log: (log != PLATFORM, log))

    def has(self, log: LogId) -> bool:
        """Whether there is anything of ``log``."""
        return self.database(log).exists() or self.checkpoint(log).exists()

    def prepare(self) -> None:
        """Make the directory, readable by its owner only, and refuse one that several machines may share.

        Raises:
            LedgerUnavailableError: it can't be made, or is on a network filesystem.
        """
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            kind = filesystem_type(self.directory)
        except OSError as error:
            raise LedgerUnavailableError(f"ledger {self.directory}: {error.strerror}; check path and rights") from error
        if kind in _NETWORK_FILESYSTEMS:
            raise LedgerUnavailableError(
                f"ledger {self.directory} is on {kind}, where SQLite can't tell writers apart: use a block volume"
            )

    def read_checkpoint(self, log: LogId) -> str | None:
        """The last published checkpoint of ``log``, where there is one."""
        try:
            return self.checkpoint(log).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def write_checkpoint(self, log: LogId, note: str) -> None:
        """Replace the published checkpoint of ``log``, durably and in one step."""
        path = self.checkpoint(log)
        draft = path.with_suffix(".checkpoint-new")
        try:
            with draft.open("w", encoding="utf-8") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise
        self.sync()

    def sync(self) -> None:
        """Make names in the directory durable."""
        handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def filesystem_type(path: Path, mounts: Path = _MOUNTS) -> str | None:
    """The kind of filesystem that ``path`` is on, by its device number; ``None`` where that can't be told."""
    if not mounts.exists():
        return None
    device = path.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.read_text(encoding="utf-8").splitlines():
        mount, _, source = line.partition(" - ")  # proc_pid_mountinfo(5): device is the third field
        if mount.split(" ")[2] == wanted:
            return source.split(" ")[0]
    return None


def _safe(log: LogId) -> str:
    """Refuse what would be another path; uids come from the API server, still they are only text."""
    if not _LOG_ID.fullmatch(log):
        raise ValueError(f"{log!r} is no log: it is a Tenant's uid or {PLATFORM!r}")
    return log
