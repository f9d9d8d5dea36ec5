"""One log's file, open for writing: append, close runs, keep checkpoints.

Law: an append names the end that it goes after; if the file ends elsewhere it is refused, and stays refused. It is
used by one thread at a time.
"""

import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from ringfence.adapters.sqlite.connection import connect_to_write
from ringfence.adapters.sqlite.files import Files
from ringfence.lineage.checkpoint import Checkpoint, parse_checkpoint
from ringfence.lineage.entry import PLATFORM, Entry, EventType, LogId, Receipt
from ringfence.lineage.leaf import SALT_SIZE
from ringfence.lineage.merkle import Frontier
from ringfence.lineage.note import NoteError
from ringfence.lineage.tail import Tail
from ringfence.ports.ledger import ForkRefusedError, LedgerUnavailableError, Published, RolledBackError
from ringfence.ports.signer import Signer

_COMPRESSION: Final = 1  # records are much alike: the fastest level saves nearly as much as the best

Random = Callable[[int], bytes]


@dataclass(slots=True)
class Position:
    """What this process knows of a log's end; it outlives the connection."""

    tail: Tail
    attempted: Tail | None = None
    """Where a commit would have led whose success is not known."""


@dataclass(slots=True)
class LogFile:
    """An open file with its position."""

    log: LogId
    origin: str
    files: Files
    connection: sqlite3.Connection
    position: Position
    random: Random = field(default=os.urandom)

    def append(self, requests: Sequence[Sequence[Entry]]) -> list[Receipt]:
        """Append the entries of several callers in one durable transaction, and answer each caller.

        Raises:
            ForkRefusedError: the file does not end where this process left it.
            sqlite3.Error: it is not known whether the entries are there; open the file again.
        """
        entries = [entry for request in requests for entry in request]
        with self._transaction():
            indices = self._append_new(entries)
        remaining = iter(indices)
        head = self.position.tail.head()
        return [Receipt(self.log, [next(remaining) for _ in request], head) for request in requests]

    def publish(self, signers: Sequence[Signer]) -> Published:
        """Sign the end of the log and keep the note, inside the database first and then outside.

        Raises:
            ForkRefusedError: the file does not end where this process left it.
        """
        note = self._checkpoint_at(self.position.tail.size) or self._keep_checkpoint(signers)
        if self.files.read_checkpoint(self.log) != note:  # a crash may have come between the two
            self.files.write_checkpoint(self.log, note)
        checkpoint = parse_checkpoint(note).checkpoint
        return Published(self.log, checkpoint.size, checkpoint.root, note)

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    def _append_new(self, entries: Sequence[Entry]) -> list[int]:
        """Insert those that are not there yet; answer the place of each."""
        keys = [(UUID(entry.run_id).bytes, entry.event_type.value) for entry in entries]
        places = self._places(keys)
        new = {key: entry for key, entry in zip(keys, entries, strict=True) if key not in places}
        salted = [(entry, self.random(SALT_SIZE)) for entry in new.values()]
        first = self.position.tail.size
        tail, leaves = self.position.tail.extended(salted)
        if salted:
            self.position.attempted = tail
            self._insert(first, list(new), salted, leaves)
            self._move_head(tail)
        return [(places | dict(zip(new, range(first, tail.size), strict=True)))[key] for key in keys]

    def _places(self, keys: Sequence[tuple[bytes, str]]) -> dict[tuple[bytes, str], int]:
        query = "SELECT n FROM leaf WHERE run = ? AND type = ?"
        rows = ((key, self.connection.execute(query, key).fetchone()) for key in keys)
        return {key: row[0] for key, row in rows if row}

    def _insert(
        self, first: int, keys: Sequence[tuple[bytes, str]], salted: Sequence[tuple[Entry, bytes]], leaves: list[bytes]
    ) -> None:
        rows = list(enumerate(zip(keys, salted, leaves, strict=True), start=first))
        execute, executemany = self.connection.execute, self.connection.executemany
        executemany("INSERT INTO leaf VALUES (?, ?, ?, ?)", [(n, *key, leaf) for n, (key, _, leaf) in rows])
        executemany(
            "INSERT INTO body VALUES (?, ?, ?, ?, ?, ?)",
            [
                (n, entry.time_ms, entry.retention, entry.keep_until_ms, salt, zlib.compress(entry.body, _COMPRESSION))
                for n, (_, (entry, salt), _) in rows
            ],
        )
        for n, ((run, kind), _, _) in rows:
            if kind == EventType.START:
                execute("INSERT INTO open_run VALUES (?, ?)", (run, n))
            else:
                execute("DELETE FROM open_run WHERE run = ?", (run,))

    def _move_head(self, tail: Tail) -> None:
        self.connection.execute(
            "UPDATE head SET size = ?, last = ?, frontier = ?", (tail.size, tail.last, tail.frontier.encoded())
        )

    def _checkpoint_at(self, size: int) -> str | None:
        row = self.connection.execute("SELECT note FROM checkpoint WHERE size = ?", (size,)).fetchone()
        return str(row[0]) if row else None

    def _keep_checkpoint(self, signers: Sequence[Signer]) -> str:
        head = self.position.tail.head()
        checkpoint = Checkpoint(self.origin, head.size, head.root)
        note = checkpoint.signed([(signer.public_key, signer.sign) for signer in signers])
        with self._transaction():
            self.connection.execute("INSERT INTO checkpoint VALUES (?, ?)", (head.size, note))
        return note

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Hold the file's write lock; commit only if the log ended where this process left it."""
        self.connection.execute("BEGIN IMMEDIATE")
        _require_same_end(self.log, self.position.tail, read_tail(self.connection))
        yield
        self.connection.execute("COMMIT")
        if self.position.attempted:
            self.position.tail, self.position.attempted = self.position.attempted, None


def open_log_file(files: Files, log: LogId, position: Position | None, random: Random = os.urandom) -> LogFile:
    """Open the file of ``log``, or begin it; ``position`` is where this process left it, if it ever had it.

    Raises:
        ForkRefusedError: somebody else appended meanwhile.
        RolledBackError: the file does not hold the checkpoint that was published: it is an old copy.
        LedgerUnavailableError, sqlite3.Error, OSError: the file can't be used.
    """
    path, published = files.database(log), files.read_checkpoint(log)
    if published is not None and not path.exists():
        raise _rolled_back(files, log, "is gone")
    connection = connect_to_write(path)
    try:
        origin = _begin(connection, files, log, random)
        _require_published(connection, files, log, published)
        position = _settle(connection, log, position)
    except BaseException:
        connection.close()
        raise
    return LogFile(log, origin, files, connection, position, random)


def read_tail(connection: sqlite3.Connection) -> Tail:
    """Where the file says that its log ends.

    Raises:
        LedgerUnavailableError: the row is not there or makes no sense.
    """
    row = connection.execute("SELECT size, last, frontier FROM head").fetchone()
    if row is None:
        raise LedgerUnavailableError("the row that says where the log ends is gone; restore the file from a backup")
    size, last, frontier = row
    try:
        return Tail(last, Frontier.decoded(size, frontier))
    except ValueError as error:
        raise LedgerUnavailableError("the log's end makes no sense; restore the file from a backup") from error


def _begin(connection: sqlite3.Connection, files: Files, log: LogId, random: Random) -> str:
    """Name the log in a new file; in an old one, make sure that it is this log's."""
    row = connection.execute("SELECT id, origin FROM log").fetchone()
    if row is None:
        # A Tenant's uid is unique in the world; the platform log has no such name and is given one.
        origin = f"ringfence.dev/log/{log}" if log != PLATFORM else f"ringfence.dev/log/platform/{random(16).hex()}"
        empty = Tail()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO log VALUES (?, ?)", (log, origin))
        connection.execute("INSERT INTO head VALUES (1, 0, ?, ?)", (empty.last, empty.frontier.encoded()))
        connection.execute("COMMIT")
        files.sync()
        return origin
    if row[0] != log:
        raise LedgerUnavailableError(f"{files.database(log)} is the log {row[0]!r}; put each file back under its name")
    return str(row[1])


def _require_published(connection: sqlite3.Connection, files: Files, log: LogId, published: str | None) -> None:
    """Refuse a file that lacks the published checkpoint: notes are kept inside before they are shown outside."""
    if published is None:
        return
    try:
        size = parse_checkpoint(published).checkpoint.size
    except NoteError as error:
        raise LedgerUnavailableError(f"{files.checkpoint(log)} is damaged ({error}); restore it") from error
    row = connection.execute("SELECT note FROM checkpoint WHERE size = ?", (size,)).fetchone()
    if row is None or row[0] != published:
        raise _rolled_back(files, log, f"has no trace of the checkpoint at {size} leaves that was published")


def _settle(connection: sqlite3.Connection, log: LogId, position: Position | None) -> Position:
    """Find out how a commit ended whose success was not known."""
    tail = read_tail(connection)
    if position is None:
        return Position(tail)
    if position.attempted is not None and tail == position.attempted:
        # The write-ahead log was read from memory, not from the disk: copy it into the database, which syncs both.
        if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise LedgerUnavailableError(f"log {log}: its last commit can't be made sure of while somebody reads it")
        position.tail = tail
    position.attempted = None
    _require_same_end(log, position.tail, tail)
    return position


def _require_same_end(log: LogId, expected: Tail, found: Tail) -> None:
    if found != expected:
        raise ForkRefusedError(
            f"log {log} has {found.size} records where this process left {expected.size}: another operator writes it; "
            "this one stops"
        )


def _rolled_back(files: Files, log: LogId, what: str) -> RolledBackError:
    return RolledBackError(
        f"{files.database(log)} {what}: restore the newest backup, or move it and {files.checkpoint(log).name} away "
        "to begin a new log"
    )
