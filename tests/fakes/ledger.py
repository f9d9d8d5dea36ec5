"""A ledger in memory: the port's promises without a disk, and switches for its failures."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ringfence.lineage.checkpoint import Checkpoint, parse_checkpoint
from ringfence.lineage.entry import PLATFORM, Entry, EventType, Head, LogId, OpenRun, Receipt, Record
from ringfence.lineage.tail import Tail
from ringfence.ports.ledger import LedgerUnavailableError, Published
from ringfence.ports.signer import Signer


@dataclass
class MemoryLog:
    """One log and everything that was ever put into it."""

    log: LogId
    tail: Tail = field(default_factory=Tail)
    entries: list[Entry] = field(default_factory=list)
    rows: list[Record] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"ringfence.dev/log/{self.log}"

    @property
    def head(self) -> Head:
        return self.tail.head()

    def append(self, entries: Sequence[Entry]) -> Receipt:
        indices = []
        for entry in entries:
            if (index := self._place(entry)) is None:
                index = self._add(entry)
            indices.append(index)
        return Receipt(self.log, indices, self.head)

    def records(self, start: int = 0) -> Iterator[Record]:
        return iter(self.rows[start:])

    def latest(self, limit: int) -> Sequence[Record]:
        return self.rows[: -limit - 1 : -1] if limit else []

    def run(self, run_id: str) -> Sequence[Record]:
        return [row for row, entry in zip(self.rows, self.entries, strict=True) if entry.run_id == run_id]

    def checkpoints(self) -> Sequence[str]:
        return self.notes

    def published(self) -> str | None:
        return self.notes[-1] if self.notes else None

    def open_runs(self) -> list[OpenRun]:
        ended = {entry.run_id for entry in self.entries if entry.event_type != EventType.START}
        return [
            OpenRun(self.log, entry.run_id, index, entry.body)
            for index, entry in enumerate(self.entries)
            if entry.event_type == EventType.START and entry.run_id not in ended
        ]

    def _place(self, entry: Entry) -> int | None:
        keys = [(known.run_id, known.event_type) for known in self.entries]
        key = (entry.run_id, entry.event_type)
        return keys.index(key) if key in keys else None

    def _add(self, entry: Entry) -> int:
        salt = os.urandom(16)
        self.tail, (leaf,) = self.tail.extended([(entry, salt)])
        self.entries.append(entry)
        self.rows.append(Record(len(self.rows), leaf, entry.body, salt))
        return len(self.rows) - 1


class MemoryLedger:
    """`Ledger` and `LedgerReader` over lists; set ``failure``, or ``failures`` of single logs, to make appends fail."""

    def __init__(self) -> None:
        self.content: dict[LogId, MemoryLog] = {}
        self.failure: Exception | None = None
        self.failures: dict[LogId, Exception] = {}
        self.closed = False

    async def append(self, log: LogId, entries: Sequence[Entry]) -> Receipt:
        if failure := self.failures.get(log, self.failure):
            raise failure
        await asyncio.sleep(0)  # as a real one does, it lets other tasks run meanwhile
        return self.content.setdefault(log, MemoryLog(log)).append(entries)

    async def open_runs(self) -> Sequence[OpenRun]:
        return [run for log in self.logs() for run in self.content[log].open_runs()]

    async def unpublished(self) -> Sequence[LogId]:
        return [log for log in self.logs() if self._published_size(log) < self.content[log].tail.size]

    async def publish_checkpoint(self, log: LogId, signers: Sequence[Signer]) -> Published:
        if failure := self.failures.get(log):
            raise failure
        if log not in self.content:
            raise LedgerUnavailableError(f"{log}: there is no such log")
        content = self.content[log]
        if not content.notes or self._published_size(log) < content.tail.size:
            checkpoint = Checkpoint(content.origin, content.head.size, content.head.root)
            content.notes.append(checkpoint.signed([(signer.public_key, signer.sign) for signer in signers]))
        published = parse_checkpoint(content.notes[-1]).checkpoint
        return Published(log, published.size, published.root, content.notes[-1])

    async def close(self) -> None:
        self.closed = True

    def logs(self) -> Sequence[LogId]:
        return sorted(self.content, key=lambda log: (log != PLATFORM, log))

    @contextmanager
    def open(self, log: LogId) -> Iterator[MemoryLog]:
        if log not in self.content:
            raise LedgerUnavailableError(f"{log}: there is no such log")
        yield self.content[log]

    def _published_size(self, log: LogId) -> int:
        notes = self.content[log].notes
        return parse_checkpoint(notes[-1]).checkpoint.size if notes else 0
