"""How rows of usage stand in tables: the columns of a key, and those of its numbers."""

from collections.abc import Sequence
from typing import Any, Final

from ringfence.usage.outcome import Outcome
from ringfence.usage.tally import COLUMNS, Key, Numbers, Row

KEY: Final = ", ".join(Key._fields)
NUMBERS: Final = ", ".join(COLUMNS)
WIDTH: Final = len(Key._fields) + len(COLUMNS)
DEFINITIONS: Final = ", ".join(
    (
        "hour INTEGER NOT NULL",
        *(f"{name} TEXT NOT NULL" for name in Key._fields[1:]),
        *(f"{name} INTEGER NOT NULL" for name in COLUMNS),
    )
)
"""For a table."""


def values(row: Row) -> tuple[Any, ...]:
    """A row's values, in the order of the columns."""
    return (*row.key, *row.numbers.flat())


def row_of(found: Sequence[Any]) -> Row:
    """The row that begins a table's row."""
    hour, namespace, account, route, provider, outcome = found[: len(Key._fields)]
    key = Key(hour, namespace, account, route, provider, Outcome(outcome))
    return Row(key, Numbers.of(found[len(Key._fields) : WIDTH]))
