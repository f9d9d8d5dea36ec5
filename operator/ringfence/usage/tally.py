"""Numbers of one hour: how many requests, how much of models, how it ended, how long it took.

Law: numbers are sums of whole numbers. Those of two replicas, two workloads or two hours add up in any order.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from ringfence.usage.outcome import Outcome

HOUR: Final = 3600
"""Seconds."""
BOUNDS: Final = (50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000)
"""Milliseconds: durations are counted up to each of them, and beyond the last."""


class Key(NamedTuple):
    """What numbers are kept apart by."""

    hour: int
    """Its first second, since 1970."""
    namespace: str
    """The caller's core namespace; empty where no token was valid."""
    account: str
    """The caller's ServiceAccount."""
    route: str
    """Name of the ModelRoute; empty where none was found."""
    provider: str
    """The provider that answered, or was asked last; empty where none was asked."""
    outcome: Outcome


_SUMS: Final = 8
"""Numbers that are one each; durations follow."""


class Numbers(NamedTuple):
    """Sums over requests."""

    requests: int = 0
    unmetered: int = 0
    """Answers of providers that did not tell how many tokens they took."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    milliseconds: int = 0
    """From a request's first byte to its answer's last."""
    durations: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)
    """Requests up to each of the bounds and above the one before, then those beyond the last."""

    def plus(self, other: "Numbers") -> "Numbers":
        """The sums of both."""
        return Numbers.of(a + b for a, b in zip(self.flat(), other.flat(), strict=True))

    def flat(self) -> tuple[int, ...]:
        """The numbers in the order of `COLUMNS`."""
        *sums, durations = self
        return (*sums, *durations)

    @classmethod
    def of(cls, flat: Iterable[int]) -> "Numbers":
        """The inverse of `flat`."""
        values = tuple(flat)
        return cls._make((*values[:_SUMS], values[_SUMS:]))

    def within(self, share: float) -> int | None:
        """The bound, in milliseconds, that this share of the requests kept; ``None`` where it is beyond the last."""
        kept = 0
        for bound, count in zip(BOUNDS, self.durations, strict=False):
            kept += count
            if kept >= share * self.requests:
                return bound
        return None


COLUMNS: Final = (*Numbers._fields[:-1], *(f"within_{bound}ms" for bound in BOUNDS), "longer")
"""Names of the numbers, in the order of `Numbers.flat`."""
NOTHING: Final = Numbers()


@dataclass(frozen=True, slots=True)
class Row:
    """Numbers, and what they are of."""

    key: Key
    numbers: Numbers


def unread(hour: int) -> Key:
    """Where requests of nobody known are counted."""
    return Key(hour, "", "", "", "", Outcome.UNREAD)


_ONE: Final = tuple(
    tuple(int(number == place) for number in range(len(BOUNDS) + 1)) for place in range(len(BOUNDS) + 1)
)


def slot(milliseconds: int) -> tuple[int, ...]:
    """One request of this duration, as `Numbers.durations` counts it."""
    return _ONE[bisect_left(BOUNDS, milliseconds)]


def total(numbers: Iterable[Numbers]) -> Numbers:
    """The sums of all."""
    return Numbers.of(map(sum, zip(*(each.flat() for each in (NOTHING, *numbers)), strict=True)))
