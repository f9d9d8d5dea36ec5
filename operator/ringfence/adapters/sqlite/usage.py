"""Usage in a directory beside the ledger's logs: one file for each tenant, so that it holds nobody else's.

Law: a page and the cursor after it are durable together.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeVar

from ringfence.adapters.sqlite import rows
from ringfence.adapters.sqlite.connection import connect_to_read, connect_to_write, ledger_errors
from ringfence.adapters.sqlite.files import Files
from ringfence.adapters.sqlite.schema import Schema
from ringfence.lineage.entry import LogId
from ringfence.ports.ledger import LedgerUnavailableError
from ringfence.ports.usage import Due, UsageUnavailableError
from ringfence.usage.page import Page
from ringfence.usage.tally import COLUMNS, HOUR, Row

FOLDER: Final = "usage"
"""Below the ledger's directory."""

_TABLES: Final = f"""
CREATE TABLE tenant (           -- one row
  one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  name  TEXT NOT NULL
) STRICT;

CREATE TABLE source (           -- how far each replica was read
  name    TEXT NOT NULL PRIMARY KEY,
  cursor  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE usage (            -- what each collector has counted by now
  {rows.DEFINITIONS},
  instance  TEXT NOT NULL,
  PRIMARY KEY ({rows.KEY}, instance)
) STRICT, WITHOUT ROWID;

CREATE TABLE hour (
  hour        INTEGER NOT NULL PRIMARY KEY,
  version     INTEGER NOT NULL,             -- grows with each change of its rows
  recorded    INTEGER NOT NULL DEFAULT 0,   -- the version that is on record
  digest      TEXT NOT NULL DEFAULT '',     -- of its rows, as the record has it
  keep_until  INTEGER NOT NULL              -- seconds since 1970; retention class GatewayUsage
) STRICT;
"""
SCHEMA: Final = Schema(0x52465553, (_TABLES,))  # "RFUS"

# The names in these statements are those of our own columns.
_REPLACE: Final = (
    f"INSERT INTO usage ({rows.KEY}, {rows.NUMBERS}, instance) "  # noqa: S608
    f"VALUES ({', '.join('?' * (rows.WIDTH + 1))}) ON CONFLICT ({rows.KEY}, instance) DO UPDATE SET "
    f"{', '.join(f'{name} = excluded.{name}' for name in COLUMNS)} "
    f"WHERE ({', '.join(COLUMNS)}) IS NOT ({', '.join(f'excluded.{name}' for name in COLUMNS)})"
)
_SUMMED: Final = (
    f"SELECT {rows.KEY}, {', '.join(f'sum({name})' for name in COLUMNS)} FROM usage "  # noqa: S608
    f"WHERE hour >= ? AND hour < ? GROUP BY {rows.KEY} ORDER BY {rows.KEY}"
)
_CHANGED: Final = (
    "INSERT INTO hour (hour, version, keep_until) VALUES (?1, 1, ?2) ON CONFLICT (hour) DO UPDATE SET "
    "version = version + 1, keep_until = max(keep_until, excluded.keep_until)"
)
_DUE: Final = "SELECT hour, version, keep_until FROM hour WHERE hour < ? AND version > recorded ORDER BY hour"

_DIGESTS: Final = "SELECT hour, iif(recorded = version, digest, '') FROM hour"

T = TypeVar("T")


class SqliteUsage:
    """Implements `ringfence.ports.usage.UsageStore`."""

    def __init__(self, ledger: Path) -> None:
        self._files = Files(ledger / FOLDER)
        self._turn = asyncio.Lock()

    async def cursor(self, log: LogId, source: str) -> str:
        """See `ringfence.ports.usage.UsageStore.cursor`."""
        return await self._work(log, lambda connection: _cursor(connection, source), "")

    async def take(self, log: LogId, source: str, page: Page, *, tenant: str, keep: int) -> None:
        """See `ringfence.ports.usage.UsageStore.take`."""

        def take(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO tenant VALUES (1, ?)", (tenant,))
            for hour in _replace(connection, page):
                connection.execute(_CHANGED, (hour, hour + HOUR + keep))
            connection.execute("INSERT OR REPLACE INTO source VALUES (?, ?)", (source, page.cursor))

        await self._work(log, take, None, begin=True)

    async def logs(self) -> Sequence[LogId]:
        """See `ringfence.ports.usage.UsageStore.logs`."""
        return await asyncio.to_thread(self._files.logs)

    async def due(self, log: LogId, before: int) -> Sequence[Due]:
        """See `ringfence.ports.usage.UsageStore.due`."""
        return await self._work(log, lambda connection: _due(connection, before), ())

    async def recorded(self, log: LogId, due: Due, digest: str) -> None:
        """See `ringfence.ports.usage.UsageStore.recorded`."""
        marked = "UPDATE hour SET recorded = ?, digest = ? WHERE hour = ?"

        def mark(connection: sqlite3.Connection) -> None:
            connection.execute(marked, (due.version, digest, due.hour))

        await self._work(log, mark, None)

    async def _work(
        self, log: LogId, work: Callable[[sqlite3.Connection], T], otherwise: T, *, begin: bool = False
    ) -> T:
        """Do work on a tenant's file in one transaction; answer ``otherwise`` where there is no file to ``begin``."""
        path = self._files.database(log)
        async with self._turn:
            if not begin and not path.exists():
                return otherwise
            return await asyncio.to_thread(self._in_transaction, path, work)

    def _in_transaction(self, path: Path, work: Callable[[sqlite3.Connection], T]) -> T:
        with usage_errors(path):
            self._files.prepare()
            with closing(connect_to_write(path, SCHEMA)) as connection, connection:
                connection.execute("BEGIN IMMEDIATE")
                return work(connection)


class SqliteUsageReader:
    """Implements `ringfence.ports.usage.UsageReader`."""

    def __init__(self, ledger: Path) -> None:
        self._files = Files(ledger / FOLDER)

    def tenants(self) -> Mapping[LogId, str]:
        """See `ringfence.ports.usage.UsageReader.tenants`."""
        return {log: self._name(log) for log in self._files.logs()}

    def rows(self, log: LogId, *, since: int, until: int) -> Iterator[Row]:
        """See `ringfence.ports.usage.UsageReader.rows`."""
        with self._reading(log) as connection:
            yield from map(rows.row_of, connection.execute(_SUMMED, (since, until)))

    def digests(self, log: LogId) -> Mapping[int, str]:
        """See `ringfence.ports.usage.UsageReader.digests`."""
        with self._reading(log) as connection:
            return dict(connection.execute(_DIGESTS).fetchall())

    def _name(self, log: LogId) -> str:
        with self._reading(log) as connection:
            return _tenant(connection)

    @contextmanager
    def _reading(self, log: LogId) -> Iterator[sqlite3.Connection]:
        path = self._files.database(log)
        with usage_errors(path), closing(connect_to_read(path, SCHEMA)) as connection:
            yield connection


@contextmanager
def usage_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the file system into the port's, with the file and the next step."""
    try:
        with ledger_errors(path):
            yield
    except LedgerUnavailableError as error:
        raise UsageUnavailableError(str(error)) from error


def _cursor(connection: sqlite3.Connection, source: str) -> str:
    row = connection.execute("SELECT cursor FROM source WHERE name = ?", (source,)).fetchone()
    return str(row[0]) if row else ""


def _replace(connection: sqlite3.Connection, page: Page) -> set[int]:
    """Put rows in the place of what was there; answer the hours that are others by it."""
    return {
        row.key.hour for row in page.rows if connection.execute(_REPLACE, (*rows.values(row), page.instance)).rowcount
    }


def _due(connection: sqlite3.Connection, before: int) -> Sequence[Due]:
    tenant = _tenant(connection)
    found = connection.execute(_DUE, (before,)).fetchall()
    return [Due(tenant, hour, version, keep, _summed(connection, hour)) for hour, version, keep in found]


def _summed(connection: sqlite3.Connection, hour: int) -> Sequence[Row]:
    return [rows.row_of(found) for found in connection.execute(_SUMMED, (hour, hour + HOUR))]


def _tenant(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT name FROM tenant").fetchone()
    return str(row[0]) if row else ""
