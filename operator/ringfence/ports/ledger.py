"""What the engine asks of a store of records, what an auditor asks of it, and the ways in which it refuses.

Law: what `append` answered for is durable; what it did not answer for is asked again with the same entries, which
is harmless. A log never forks: of two writers one is refused for good.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ringfence.lineage.entry import Entry, Head, LogId, OpenRun, Receipt, Record
from ringfence.ports.signer import Signer


class LedgerError(Exception):
    """An append or a read that did not succeed. The message names the log or file and the next step."""


class LedgerUnavailableError(LedgerError):
    """The log can't take or give records now: full, read-only, damaged, foreign or restored. Nothing was changed.

    The object waits with ``LineageRecorded=False`` and is tried again; the store recovers by itself where that is
    possible. Other logs are not touched.
    """


class RolledBackError(LedgerUnavailableError):
    """The log is behind what it once published: an old copy was restored. It takes nothing until that is solved."""


class ForkRefusedError(LedgerError):
    """Somebody else appended to this log: this process no longer leads and must stop. It is not tried again."""


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint that anyone may be shown."""

    log: LogId
    size: int
    root: bytes
    note: str
    """The C2SP signed note."""


class Ledger(Protocol):
    """The writer's side. Its methods may be called from many tasks at once."""

    async def append(self, log: LogId, entries: Sequence[Entry]) -> Receipt:
        """Append ``entries`` to ``log`` in one transaction; they are durable when this returns.

        The log is begun where there is none. An entry whose ``(run_id, event_type)`` is there already is not
        appended again; the receipt says where it is. When the waiting task is cancelled the append may still happen.

        Raises:
            LedgerUnavailableError: nothing was appended, or it is not known: append the same entries again.
            ForkRefusedError: another process writes this log.
        """
        ...

    async def open_runs(self) -> Sequence[OpenRun]:
        """Every ``START`` without an outcome, in all logs: what a new leader looks at and closes with ``ABORT``.

        A log that can't be read is left out, so that it stops nobody; the next append to it says why.
        """
        ...

    async def unpublished(self) -> Sequence[LogId]:
        """The logs that grew since their last checkpoint."""
        ...

    async def publish_checkpoint(self, log: LogId, signers: Sequence[Signer]) -> Published:
        """Sign and keep the log's head; with two signers while a key is rotated.

        Call it at most hourly and at shutdown. Where nothing was appended since, the last one is answered.

        Raises:
            LedgerUnavailableError: the log is not there, or its checkpoint can't be kept.
        """
        ...

    async def close(self) -> None:
        """Finish what was asked, then let go of all files. Nothing may be asked afterwards."""
        ...


class LogView(Protocol):
    """One log at one moment: all answers are of the same state, whatever is appended meanwhile."""

    @property
    def log(self) -> LogId:
        """Which log this is."""
        ...

    @property
    def origin(self) -> str:
        """The log's name in its checkpoints: never used for another log."""
        ...

    @property
    def head(self) -> Head:
        """Where the store believes that the log ends."""
        ...

    def records(self, start: int = 0) -> Iterator[Record]:
        """Every row from ``start`` on, in order; a row that is gone is not among them."""
        ...

    def latest(self, limit: int) -> Sequence[Record]:
        """The last ``limit`` rows, newest first."""
        ...

    def run(self, run_id: str) -> Sequence[Record]:
        """The rows of one run, oldest first."""
        ...

    def checkpoints(self) -> Sequence[str]:
        """Every checkpoint that was kept inside the store, smallest first."""
        ...

    def published(self) -> str | None:
        """The last checkpoint that was kept outside the store, where there is one."""
        ...


class LedgerReader(Protocol):
    """The auditor's side: reads only, also while the operator runs."""

    def logs(self) -> Sequence[LogId]:
        """Every log, ``platform`` first."""
        ...

    def open(self, log: LogId) -> AbstractContextManager[LogView]:
        """Look at one log.

        Raises:
            LedgerUnavailableError: there is none, or it can't be read.
        """
        ...
