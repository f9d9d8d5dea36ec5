"""The embedded ledger behind the port: tasks ask, one thread writes.

Law: every answer of `SqliteLedger.append` is for records that are on the disk.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

from ringfence.adapters.sqlite.files import Files
from ringfence.adapters.sqlite.logfile import LogFile, Random
from ringfence.adapters.sqlite.reader import read_open_runs, read_unpublished
from ringfence.adapters.sqlite.writer import Append, Call, Writer
from ringfence.lineage.entry import Entry, LogId, OpenRun, Receipt
from ringfence.ports.ledger import LedgerUnavailableError, Published
from ringfence.ports.signer import Signer

COLLECT_SECONDS: Final = 0.010
MAX_OPEN: Final = 16
"""Connections kept open for the next append; each costs some 200 kB, opening one less than a millisecond."""

_T = TypeVar("_T")


class SqliteLedger:
    """A directory of logs; the only process that writes it is this one, and a second one is refused."""

    def __init__(
        self,
        directory: Path,
        *,
        collect_seconds: float = COLLECT_SECONDS,
        max_open: int = MAX_OPEN,
        random: Random = os.urandom,
    ) -> None:
        self._files = Files(directory)
        self._writer = Writer(self._files, collect_seconds=collect_seconds, max_open=max_open, random=random)

    async def append(self, log: LogId, entries: Sequence[Entry]) -> Receipt:
        """See `ringfence.ports.ledger.Ledger.append`."""
        self._files.database(log)
        for entry in entries:
            UUID(entry.run_id)  # what can't be stored is refused before it shares a transaction with others
        job = Append(log, entries)
        self._writer.submit(job)
        return await asyncio.wrap_future(job.done)

    async def open_runs(self) -> Sequence[OpenRun]:
        """See `ringfence.ports.ledger.Ledger.open_runs`."""
        return await asyncio.to_thread(self._of_all_logs, read_open_runs)

    async def unpublished(self) -> Sequence[LogId]:
        """See `ringfence.ports.ledger.Ledger.unpublished`."""
        return await asyncio.to_thread(self._of_all_logs, read_unpublished)

    async def publish_checkpoint(self, log: LogId, signers: Sequence[Signer]) -> Published:
        """See `ringfence.ports.ledger.Ledger.publish_checkpoint`."""
        if not self._files.has(log):
            raise LedgerUnavailableError(f"{self._files.database(log)}: there is no such log")

        def publish(file: LogFile) -> Published:
            return file.publish(signers)

        job = Call(log, publish)
        self._writer.submit(job)
        published: Published = await asyncio.wrap_future(job.done)
        return published

    async def close(self) -> None:
        """See `ringfence.ports.ledger.Ledger.close`."""
        await asyncio.to_thread(self._writer.stop)

    def _of_all_logs(self, read: Callable[[Files, LogId], Sequence[_T]]) -> list[_T]:
        found: list[_T] = []
        for log in self._files.logs():
            try:
                found.extend(read(self._files, log))
            except LedgerUnavailableError:
                continue  # whoever appends to it is told; the others go on
        return found
