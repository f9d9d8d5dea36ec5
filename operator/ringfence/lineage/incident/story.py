"""An incident in values: what happened, in the order of the record, with the leaf that proves it.

Law: nothing is in it that no record says; what a record leaves open is said to be open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """What happened, in the words of the report."""

    DECLARED = "declared"
    CLOSED = "closed"  # everything that opened something is gone at the API server
    LIFTED = "lifted"
    OPENED = "opened"  # what the spec grants is there again
    CHANGED = "changed"  # the incident's reason, or its id
    REFUSED = "refused"
    REPAIRED = "repaired"
    FAILED = "failed"
    ABORTED = "aborted"  # the operator was killed at it, and its successor looked what came of it
    PAUSED = "paused"
    PAUSE_OVER = "pause over"
    GLASS_BROKEN = "glass broken"
    GLASS_MENDED = "glass mended"


SCOPE_STEPS = (Step.DECLARED, Step.CHANGED, Step.CLOSED, Step.LIFTED, Step.OPENED)
"""Of the incident itself; the others happened meanwhile in its scope."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened."""

    leaf: int
    time_ms: int | None
    step: Step
    object: str
    """``Tenant/acme``, ``Namespace/acme/web``, ``NetworkPolicy/acme-web/own``."""
    by: str = ""
    """Who did it, as far as is known."""
    confirmed_by: str = ""
    detail: str = ""
    late: bool = False
    """It happened before, while no operator watched; the time is that of the record."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An object that opened something, and was taken away or narrowed."""

    leaf: int
    object: str
    verb: str
    """``deleted``, or ``made read-only`` for a binding."""
    certain: bool = True
    """False where the operator was killed meanwhile: it is gone, and nobody saw who removed it."""


@dataclass(frozen=True, slots=True)
class Story:
    """What one log tells of one incident."""

    log: str
    incident: str
    tenant: str
    happenings: Sequence[Happening]
    withdrawn: Sequence[Withdrawal]
    lost: Sequence[int] = ()
    """Leaves in the incident's time whose bodies are gone or can't be read."""
    lasts: bool = False
    """Whether a quarantine of it is still in force."""

    @property
    def objects(self) -> tuple[str, ...]:
        """The Tenant and Namespaces that were quarantined."""
        return tuple(sorted({each.object for each in self.happenings if each.step in (Step.DECLARED, Step.CLOSED)}))

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The core namespaces from which something was withdrawn."""
        return tuple(sorted({each.object.split("/")[1] for each in self.withdrawn if each.object.count("/") > 1}))

    def first(self, step: Step) -> Happening | None:
        """The first of these."""
        return next((each for each in self.happenings if each.step is step), None)

    def closed_after_ms(self) -> int | None:
        """Milliseconds from the record of the declaration to that of the last object's first completion."""
        declared = self.first(Step.DECLARED)
        closed = [each.time_ms for each in self.happenings if each.step is Step.CLOSED and each.time_ms is not None]
        if declared is None or declared.time_ms is None or not closed:
            return None
        return max(closed) - declared.time_ms
