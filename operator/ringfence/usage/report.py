"""Usage as it is reported: rows put together by what one wants to know, and the record of an hour.

Law: a report only adds up. The same rows give the same report and the same digest, in whatever order they come.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Final

import orjson

from ringfence.usage.outcome import REFUSED, Outcome
from ringfence.usage.tally import NOTHING, Numbers, Row, total


class Dimension(StrEnum):
    """By what rows may be put together."""

    HOUR = "hour"
    NAMESPACE = "namespace"
    WORKLOAD = "workload"
    ROUTE = "route"
    PROVIDER = "provider"
    OUTCOME = "outcome"


_FIELDS: Final = {
    Dimension.HOUR: ("hour",),
    Dimension.NAMESPACE: ("namespace",),
    Dimension.WORKLOAD: ("namespace", "account"),
    Dimension.ROUTE: ("route",),
    Dimension.PROVIDER: ("provider",),
    Dimension.OUTCOME: ("outcome",),
}


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that have the same of every dimension asked for."""

    values: tuple[int | str, ...]
    """Of the dimensions, in their order; a workload is ``namespace/account``."""
    outcomes: dict[Outcome, Numbers]

    @property
    def numbers(self) -> Numbers:
        """Everything together."""
        return total(self.outcomes.values())

    @property
    def served(self) -> Numbers:
        """What providers answered."""
        return self.outcomes.get(Outcome.SERVED, NOTHING)

    def requests(self, *outcomes: Outcome) -> int:
        """How many requests ended in one of these ways."""
        return sum(self.outcomes.get(each, NOTHING).requests for each in outcomes)

    @property
    def refused(self) -> int:
        """Requests that the gateway refused."""
        return self.requests(*REFUSED)


def grouped(rows: Iterable[Row], dimensions: Sequence[Dimension]) -> list[Group]:
    """Put rows together, in the order of the dimensions' values."""
    groups: dict[tuple[int | str, ...], dict[Outcome, Numbers]] = {}
    for row in rows:
        outcomes = groups.setdefault(tuple(_value(row, each) for each in dimensions), {})
        outcomes[row.key.outcome] = outcomes.get(row.key.outcome, NOTHING).plus(row.numbers)
    return [Group(values, groups[values]) for values in sorted(groups)]


def _value(row: Row, dimension: Dimension) -> int | str:
    parts = [getattr(row.key, field) for field in _FIELDS[dimension]]
    return parts[0] if len(parts) == 1 else "/".join(filter(None, parts))


def canonical_rows(rows: Iterable[Row]) -> bytes:
    """The rows of an hour as the bytes that its record commits to: JSON (RFC 8785), sorted."""
    ordered = sorted(rows, key=attrgetter("key"))
    return orjson.dumps([[*row.key, *row.numbers.flat()] for row in ordered])
