"""Reading a ledger directory: for auditors, for new leaders, while an operator writes or when none does.

Law: reading changes nothing, and one view of a log is of one moment.
"""

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from ringfence.adapters.sqlite.connection import connect_to_read, ledger_errors
from ringfence.adapters.sqlite.files import Files
from ringfence.adapters.sqlite.logfile import read_tail
from ringfence.lineage.entry import Head, LogId, OpenRun, Record
from ringfence.ports.ledger import LedgerUnavailableError

_RECORDS: Final = """
SELECT n, leaf, salt, deflated FROM leaf LEFT JOIN body USING (n) WHERE n >= ?1
UNION ALL
SELECT n, NULL, salt, deflated FROM body WHERE n >= ?1 AND n NOT IN (SELECT n FROM leaf)
ORDER BY n
"""
_LATEST: Final = "SELECT n, leaf, salt, deflated FROM leaf LEFT JOIN body USING (n) ORDER BY n DESC LIMIT ?"
_RUN: Final = "SELECT n, leaf, salt, deflated FROM leaf LEFT JOIN body USING (n) WHERE run = ? ORDER BY n"
_OPEN_RUNS: Final = "SELECT run, n, deflated FROM open_run JOIN body USING (n) ORDER BY n"
_UNPUBLISHED: Final = "SELECT 1 FROM head WHERE size > coalesce((SELECT max(size) FROM checkpoint), 0)"


@dataclass(frozen=True, slots=True)
class SqliteView:
    """One log at one moment; see `ringfence.ports.ledger.LogView`."""

    log: LogId
    origin: str
    files: Files
    connection: sqlite3.Connection

    @property
    def head(self) -> Head:
        """Where the file says that the log ends."""
        return read_tail(self.connection).head()

    def records(self, start: int = 0) -> Iterator[Record]:
        """Every row from ``start`` on, in order."""
        return map(_record, self.connection.execute(_RECORDS, (start,)))

    def latest(self, limit: int) -> Sequence[Record]:
        """The last ``limit`` rows, newest first."""
        return [_record(row) for row in self.connection.execute(_LATEST, (limit,))]

    def run(self, run_id: str) -> Sequence[Record]:
        """The rows of one run, oldest first."""
        return [_record(row) for row in self.connection.execute(_RUN, (UUID(run_id).bytes,))]

    def checkpoints(self) -> Sequence[str]:
        """Every checkpoint that the file keeps, smallest first."""
        return [row[0] for row in self.connection.execute("SELECT note FROM checkpoint ORDER BY size")]

    def published(self) -> str | None:
        """The checkpoint beside the file, where there is one."""
        return self.files.read_checkpoint(self.log)


class SqliteReader:
    """A ledger directory, for reading; see `ringfence.ports.ledger.LedgerReader`."""

    def __init__(self, directory: Path) -> None:
        self._files = Files(directory)

    def logs(self) -> Sequence[LogId]:
        """Every log, ``platform`` first."""
        return self._files.logs()

    @contextmanager
    def open(self, log: LogId) -> Iterator[SqliteView]:
        """Look at one log.

        Raises:
            LedgerUnavailableError: there is none, or it can't be read.
        """
        with _reading(self._files, log) as connection:
            row = connection.execute("SELECT id, origin FROM log").fetchone()
            if row is None or row[0] != log:
                raise LedgerUnavailableError(f"{self._files.database(log)}: not the log {log!r}")
            yield SqliteView(log, row[1], self._files, connection)


def read_open_runs(files: Files, log: LogId) -> list[OpenRun]:
    """The runs of one log that have a START and no outcome.

    Raises:
        LedgerUnavailableError: the log can't be read.
    """
    with _reading(files, log) as connection:
        rows = connection.execute(_OPEN_RUNS).fetchall()
    try:
        return [OpenRun(log, str(UUID(bytes=run)), index, zlib.decompress(deflated)) for run, index, deflated in rows]
    except zlib.error as error:
        raise LedgerUnavailableError(f"{files.database(log)}: the body of an open run is damaged") from error


def read_unpublished(files: Files, log: LogId) -> list[LogId]:
    """The log itself if it grew since its last checkpoint, else nothing.

    Raises:
        LedgerUnavailableError: the log can't be read.
    """
    with _reading(files, log) as connection:
        return [log] if connection.execute(_UNPUBLISHED).fetchone() else []


@contextmanager
def _reading(files: Files, log: LogId) -> Iterator[sqlite3.Connection]:
    path = files.database(log)
    with ledger_errors(path), closing(connect_to_read(path)) as connection:
        connection.execute("BEGIN")  # all that follows is of one moment
        yield connection


def _record(row: tuple[int, bytes | None, bytes | None, bytes | None]) -> Record:
    index, leaf, salt, deflated = row
    return Record(index, leaf, _inflated(deflated), salt)


def _inflated(deflated: bytes | None) -> bytes | None:
    """The body; one that is damaged so that it can't be unpacked is given as it is, which no leaf commits to."""
    if deflated is None:
        return None
    try:
        return zlib.decompress(deflated)
    except zlib.error:
        return deflated
