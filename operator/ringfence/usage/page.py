"""What a collector answers: the rows that changed since a cursor, each with all that it has counted by now.

Laws: rows are totals, not additions, so that a page which is read twice changes nothing. What comes from a tenant's pod
is judged before it is kept: it can't speak of another tenant, nor of a time that has not come.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from ringfence import names
from ringfence.usage.outcome import Outcome
from ringfence.usage.tally import COLUMNS, HOUR, Key, Numbers, Row

VERSION: Final = 1
MOST_ROWS: Final = 500
"""Of one page."""
MOST_BYTES: Final = 1 << 20
MOST_NUMBER: Final = (1 << 53) - 1
"""Beyond it numbers are no longer exact in JSON: sums stay there, so that none makes a page unreadable."""
_LONGEST: Final = 253
_INSTANCE: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER: Final = re.compile(r"[0-9]{1,16}")
_KEY: Final = len(Key._fields)
_OUTCOMES: Final = frozenset(each.value for each in Outcome)


class PageError(ValueError):
    """It is not what a collector answers; the message says what is wrong and shows nothing of it."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of one collector."""

    instance: str
    """Which collector: a UUID, new with each pod."""
    cursor: str
    """Ask for what comes after it next time; only the collector that made it understands it."""
    more: bool
    """Whether there is more already."""
    rows: Sequence[Row]


def make_cursor(instance: str, sequence: int) -> str:
    """The cursor after change ``sequence`` of a collector."""
    return f"{instance}.{sequence}"


def sequence_of(cursor: str, instance: str) -> int:
    """The change that a cursor stands after; 0, which begins anew, for one that this collector did not make."""
    made_by, _, number = cursor.rpartition(".")
    return int(number) if made_by == instance and _NUMBER.fullmatch(number) else 0


def encode(page: Page) -> bytes:
    """The page as JSON."""
    rows = [[*row.key, *row.numbers.flat()] for row in page.rows]
    header = [*Key._fields, *COLUMNS]
    fields = {"version": VERSION, "instance": page.instance, "cursor": page.cursor, "more": page.more}
    return orjson.dumps({**fields, "columns": header, "rows": rows})


def decode(body: bytes, *, tenant: str, until: int) -> Page:
    """Read a page of a collector of ``tenant``; no hour in it is after the one in which second ``until`` is.

    Raises:
        PageError: it is not one.
    """
    if len(body) > MOST_BYTES:
        raise PageError(f"a page of {len(body)} bytes; the most are {MOST_BYTES}")
    try:
        fields = orjson.loads(body)
        _require(fields["version"] == VERSION, f"this release reads version {VERSION}")
        _require(len(fields["rows"]) <= MOST_ROWS, "too many rows")
        _require(bool(_INSTANCE.fullmatch(fields["instance"])), "no instance")
        rows = tuple(_row(values, tenant, until) for values in fields["rows"])
        sequence = sequence_of(fields["cursor"], fields["instance"])
        return Page(fields["instance"], make_cursor(fields["instance"], sequence), fields["more"] is True, rows)
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise PageError(f"not a page ({type(error).__name__})") from None


def _row(values: Sequence[Any], tenant: str, until: int) -> Row:
    _require(len(values) == _KEY + len(COLUMNS), "a row of another length")
    hour, namespace, account, route, provider, ended = values[:_KEY]
    texts = (namespace, account, route, provider)
    _require(_whole(hour) % HOUR == 0 and hour <= until, "an hour that has not come")
    _require(all(isinstance(text, str) and len(text) <= _LONGEST and text.isprintable() for text in texts), "a name")
    _require(ended in _OUTCOMES, "an outcome of another release")
    _require(_belongs(namespace, tenant), "a namespace of somebody else")
    return Row(Key(hour, *texts, Outcome(ended)), Numbers.of(map(_whole, values[_KEY:])))


def _belongs(namespace: str, tenant: str) -> bool:
    return not namespace or names.split_core_namespace(namespace)[0] == tenant


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MOST_NUMBER:  # True is an int, too
        raise PageError("not a number")
    return value


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise PageError(what)
