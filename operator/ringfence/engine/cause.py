"""Why an object is looked at, and since when.

Law: a cause explains and prioritises; it never decides. Whatever the cause, the whole object is looked at anew.
"""

from dataclasses import dataclass
from typing import Final

from ringfence.lineage.runs import Trigger

STRONGEST_FIRST: Final = (
    Trigger.DELETE,
    Trigger.SPEC,
    Trigger.DRIFT,
    Trigger.DEPENDENCY,
    Trigger.RETRY,
    Trigger.RESUME,
    Trigger.RESYNC,
)


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason to look, or several that came together."""

    trigger: Trigger
    since: float
    """When the first of them was noticed, in the clock's monotonic seconds."""
    managers: tuple[str, ...] = ()
    """Who changed what Ringfence keeps, by field manager, where the API server says so."""


def together(first: Cause | None, second: Cause) -> Cause:
    """Return what stands for both; the record names the strongest trigger."""
    if first is None:
        return second
    return Cause(
        trigger=min(first.trigger, second.trigger, key=STRONGEST_FIRST.index),
        since=min(first.since, second.since),
        managers=tuple(dict.fromkeys(first.managers + second.managers)),
    )
