"""Connections to our files, and SQLite's errors in the ledger's words.

Law: a connection that gave an error is closed and never used again; the next one looks at the file anew.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import quote

from ringfence.adapters.sqlite.schema import LOG, Schema
from ringfence.ports.ledger import LedgerUnavailableError

Prepare: TypeAlias = Callable[[sqlite3.Connection, Path, Schema], None]

BUSY_SECONDS: Final = 0.25
_CACHE_KIBIBYTES: Final = 256

_NEXT_STEP: Final = {
    "SQLITE_BUSY": "another process holds the file; only one operator may write it",
    "SQLITE_CANTOPEN": "the file can't be opened; check that the directory is there and writable",
    "SQLITE_CORRUPT": "the file is damaged; restore it from a backup",
    "SQLITE_FULL": "the disk is full; make room, it goes on by itself",
    "SQLITE_IOERR": "the disk failed to read or write; check the volume, it goes on by itself",
    "SQLITE_NOTADB": "this is no SQLite database; move it away or restore it from a backup",
    "SQLITE_PERM": "no right to the file; check owner and mode",
    "SQLITE_READONLY": "the file or its volume is read-only; make it writable, it goes on by itself",
}


@contextmanager
def ledger_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the file system into the ledger's, with the file and the next step."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", None) or type(error).__name__
        step = next((step for code, step in _NEXT_STEP.items() if name.startswith(code)), str(error))
        raise LedgerUnavailableError(f"{path}: {step} ({name})") from error
    except OSError as error:
        raise LedgerUnavailableError(f"{path}: {error.strerror or error}; check the volume and its rights") from error


def connect_to_write(path: Path, schema: Schema = LOG) -> sqlite3.Connection:
    """Open or make a file of that schema; every commit is on the disk when it returns.

    Raises:
        sqlite3.Error: the file can't be opened, or not written.
        LedgerUnavailableError: it belongs to something else or to a newer release.
    """
    return _opened(path, "rwc", schema, _prepare_to_write)


def connect_to_read(path: Path, schema: Schema = LOG) -> sqlite3.Connection:
    """Open the file for reading, also while an operator writes it, also from a medium that can't be written.

    Raises:
        sqlite3.Error: it can't be opened.
        LedgerUnavailableError: it is not there, or belongs to something else or to a newer release.
    """
    if not path.exists():
        raise LedgerUnavailableError(f"{path}: there is no such file")
    try:
        return _opened(path, "ro", schema, _require_version)
    except sqlite3.OperationalError:
        wal = path.with_name(path.name + "-wal")
        if wal.exists() and wal.stat().st_size:
            raise
    # There is no place for the shared memory, and nobody writes: the file is all there is.
    return _opened(path, "ro&immutable=1", schema, _require_version)


def _opened(path: Path, mode: str, schema: Schema, prepare: Prepare) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    # Transactions are ours (isolation_level); a connection is used by one thread at a time, though not always the same.
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
        connection.execute("PRAGMA trusted_schema = OFF")
        prepare(connection, path, schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare_to_write(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # what is pruned is overwritten
    connection.execute("PRAGMA recursive_triggers = ON")  # REPLACE must not pass the delete triggers
    connection.execute("PRAGMA foreign_keys = ON")
    _migrate(connection, path, schema)


def _migrate(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    version = _version(connection, path, schema)
    for number, script in enumerate(schema.migrations[version:], start=version + 1):
        marks = f"PRAGMA application_id = {schema.application_id}; PRAGMA user_version = {number};"
        connection.executescript(f"BEGIN IMMEDIATE; {script} {marks} COMMIT;")


def _require_version(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    if _version(connection, path, schema) == 0:
        raise LedgerUnavailableError(f"{path}: nothing was recorded in it")


def _version(connection: sqlite3.Connection, path: Path, schema: Schema) -> int:
    """The file's version; 0 for an empty one."""
    version = _pragma(connection, "user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if (tables or version) and _pragma(connection, "application_id") != schema.application_id:
        raise LedgerUnavailableError(f"{path}: a database of something else; move it away")
    if version > len(schema.migrations):
        raise LedgerUnavailableError(f"{path}: written by a newer release (version {version}); use that release")
    return version


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    with closing(connection.execute(f"PRAGMA {name}")) as cursor:
        return int(cursor.fetchone()[0])
