"""How often one object's changes are followed.

Law: who changes an object all the time is answered with one look a second, at the latest state; who changes it now and
then is answered at once.
"""

from collections.abc import Callable
from typing import Final

from ringfence.lineage.runs import Trigger
from ringfence.model.kinds import Ref

BURST: Final = 5
"""Looks at one object before any has to wait."""
EVERY: Final = 1.0
"""Seconds between the further ones."""


def is_paced(ref: Ref, trigger: Trigger) -> bool:
    """Whether the cause is one that a tenant can make as often as he likes.

    Never paced are Tenants' own changes, by which an incident is declared, and whatever has to be repaired or to go.
    """
    return trigger is Trigger.DEPENDENCY or (trigger is Trigger.SPEC and bool(ref.namespace))


class Pace:
    """A leaky bucket for each object (GCRA, ITU-T I.371), forgotten once it is empty."""

    def __init__(self, now: Callable[[], float], *, burst: int = BURST, every: float = EVERY) -> None:
        self._now = now
        self._every = every
        self._tolerance = (burst - 1) * every
        self._empty_at: dict[Ref, float] = {}

    def wait(self, ref: Ref) -> float:
        """Seconds until the next look at ``ref``; that look is counted, so that nobody asks again before it."""
        now = self._now()
        empty_at = max(now, self._empty_at.pop(ref, now))
        self._empty_at[ref] = empty_at + self._every
        self._forget(now)
        return max(0.0, empty_at - now - self._tolerance)

    def _forget(self, now: float) -> None:
        """Drop the oldest entries that say nothing any more."""
        while self._empty_at[oldest := next(iter(self._empty_at))] <= now:
            del self._empty_at[oldest]
