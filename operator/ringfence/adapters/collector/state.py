"""What a collector has counted, and how far it has read: one file, changed in one transaction.

Law: a line is counted and passed by at once or not at all, so that a process may be killed at any moment.
"""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import uuid4

import structlog

from ringfence.adapters.collector.log import Place
from ringfence.adapters.sqlite import rows
from ringfence.adapters.sqlite.connection import connect_to_write
from ringfence.adapters.sqlite.schema import Schema
from ringfence.usage.page import MOST_NUMBER, MOST_ROWS, Page, make_cursor, sequence_of
from ringfence.usage.tally import COLUMNS, HOUR, Key, Numbers, Row

log = structlog.get_logger(__name__)

KEPT: Final = 72 * HOUR
"""Seconds for which an hour is kept for whoever asks late."""
MOST_OF_AN_HOUR: Final = 5_000
"""Rows; callers beyond are counted together, so that nobody fills the volume by calling under many names."""
OTHERS: Final = "(others)"

_TABLES: Final = f"""
CREATE TABLE collector (        -- one row
  one       INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  instance  TEXT NOT NULL,
  file      TEXT NOT NULL,      -- how far the log was read
  offset    INTEGER NOT NULL,
  sequence  INTEGER NOT NULL    -- of the last change of a row
) STRICT;

CREATE TABLE usage (
  {rows.DEFINITIONS},
  sequence INTEGER NOT NULL,    -- of its last change
  PRIMARY KEY ({rows.KEY})
) STRICT;
CREATE UNIQUE INDEX usage_by_change ON usage (sequence);
"""
SCHEMA: Final = Schema(0x52465543, (_TABLES,))  # "RFUC"
# The names in these statements are those of our own columns.
_ADD: Final = (
    f"INSERT INTO usage ({rows.KEY}, {rows.NUMBERS}, sequence) "  # noqa: S608
    f"VALUES ({', '.join('?' * (rows.WIDTH + 1))}) ON CONFLICT ({rows.KEY}) DO UPDATE SET "
    f"{', '.join(f'{name} = min({name} + excluded.{name}, {MOST_NUMBER})' for name in COLUMNS)}, "
    "sequence = excluded.sequence"
)
_MOVE: Final = "UPDATE collector SET file = ?, offset = ?, sequence = ?"
_KNOWN: Final = f"SELECT 1 FROM usage WHERE {' AND '.join(f'{name} = ?' for name in Key._fields)}"  # noqa: S608
_CHANGED: Final = (
    f"SELECT {rows.KEY}, {rows.NUMBERS}, sequence FROM usage "  # noqa: S608
    "WHERE sequence > ? ORDER BY sequence LIMIT ?"
)


class State:
    """The file; used by one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        row = connection.execute("SELECT instance, file, offset, sequence FROM collector").fetchone()
        self.instance, self.place, self.sequence = str(row[0]), Place(row[1], row[2]), int(row[3])

    @classmethod
    def open(cls, path: Path) -> "State":
        """Open the file or begin one. One that is damaged is begun anew: counting must not stop what is counted.

        Raises:
            sqlite3.Error: it can't be opened or written.
        """
        try:
            return cls(_begun(connect_to_write(path, SCHEMA)))
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            log.exception("what was counted is lost: the file is damaged", file=str(path))
            for each in path.parent.glob(f"{path.name}*"):
                each.unlink()
            return cls(_begun(connect_to_write(path, SCHEMA)))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def take(self, numbers: Mapping[Key, Numbers], place: Place) -> None:
        """Add to what was counted; the log was read as far as ``place``.

        Raises:
            sqlite3.Error: nothing was added.
        """
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            sequence = self._add(numbers)
            self._connection.execute(_MOVE, (place.file, place.offset, sequence))
        self.place, self.sequence = place, sequence

    def forget(self, before: int) -> None:
        """Drop the hours before that second."""
        self._connection.execute("DELETE FROM usage WHERE hour < ?", (before,))

    def page(self, after: str) -> Page:
        """The rows that changed after a cursor; all of them where it is not ours."""
        start = sequence_of(after, self.instance)
        start = start if start <= self.sequence else 0
        found = self._connection.execute(_CHANGED, (start, MOST_ROWS + 1)).fetchall()
        given = found[:MOST_ROWS]
        cursor = make_cursor(self.instance, given[-1][-1] if given else self.sequence)
        return Page(self.instance, cursor, len(found) > MOST_ROWS, tuple(map(rows.row_of, given)))

    def _add(self, numbers: Mapping[Key, Numbers]) -> int:
        sequence = self.sequence
        crowd: Counter[int] = Counter()
        for hour in {key.hour for key in numbers}:
            (crowd[hour],) = self._connection.execute("SELECT count(*) FROM usage WHERE hour = ?", (hour,)).fetchone()
        for key, added in numbers.items():
            sequence += 1
            place = self._admitted(key, crowd)
            self._connection.execute(_ADD, (*rows.values(Row(place, added)), sequence))
        return sequence

    def _admitted(self, key: Key, crowd: Counter[int]) -> Key:
        """Where numbers of ``key`` are counted."""
        if self._connection.execute(_KNOWN, key).fetchone():
            return key
        if crowd[key.hour] >= MOST_OF_AN_HOUR:
            return key._replace(account=OTHERS)
        crowd[key.hour] += 1
        return key


def _begun(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.execute("INSERT OR IGNORE INTO collector VALUES (1, ?, '', 0, 0)", (str(uuid4()),))
    return connection
