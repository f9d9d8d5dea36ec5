"""How often changes that people make are followed.

Law: who changes an object now and then is answered at once; who changes things all the time is answered at the latest
state, a few times a second for each tenant, and for each object at least every half minute.
"""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from ringfence.engine.queue import lane
from ringfence.lineage.runs import Trigger
from ringfence.model.kinds import Ref

BURST: Final = 5
"""Looks at one object before any has to wait."""
EVERY: Final = 30.0
"""Seconds until an object has one of them again."""
OF_TENANT: Final = 0.25
"""Seconds between looks at objects that have none left, for each tenant."""

_KeyT = TypeVar("_KeyT")


def is_paced(ref: Ref, trigger: Trigger) -> bool:
    """Whether the cause is one that a tenant can make as often as he likes.

    Never paced are Tenants' own changes, by which an incident is declared, and whatever has to be repaired or to go;
    nor, whatever the cause is called, where a change of a Tenant leads, and the incident of a single Namespace.
    """
    return trigger is Trigger.DEPENDENCY or (trigger is Trigger.SPEC and bool(ref.namespace))


class Pace:
    """Looks that each object has, and looks that the objects of a tenant share."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._objects: _Buckets[Ref] = _Buckets(BURST, EVERY)
        self._tenants: _Buckets[str] = _Buckets(1, OF_TENANT)

    def wait(self, ref: Ref) -> float:
        """Seconds until the next look at ``ref``; that look is counted, so that nobody asks again before it."""
        now = self._now()
        own, shared = self._objects.wait(ref, now), self._tenants.wait(lane(ref), now)
        if own <= shared:
            self._objects.take(ref, now)
            return own
        self._tenants.take(lane(ref), now)
        return shared

    def __len__(self) -> int:
        """How many objects and tenants something is known of."""
        return len(self._objects) + len(self._tenants)


class _Buckets(Generic[_KeyT]):
    """A leaky bucket for each key (GCRA, ITU-T I.371), forgotten once it is empty."""

    def __init__(self, burst: int, every: float) -> None:
        self._every = every
        self._tolerance = (burst - 1) * every
        self._empty_at: dict[_KeyT, float] = {}

    def __len__(self) -> int:
        return len(self._empty_at)

    def wait(self, key: _KeyT, now: float) -> float:
        """Seconds until there is room."""
        return max(0.0, self._empty_at.get(key, now) - now - self._tolerance)

    def take(self, key: _KeyT, now: float) -> None:
        """Fill what there is room for then."""
        self._empty_at[key] = max(now, self._empty_at.pop(key, now)) + self._every
        self._forget(now)

    def _forget(self, now: float) -> None:
        """Drop the oldest entries that say nothing any more."""
        while self._empty_at[oldest := next(iter(self._empty_at))] <= now:
            del self._empty_at[oldest]
