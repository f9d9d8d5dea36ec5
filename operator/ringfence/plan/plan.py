"""What a planner answers: desired objects in stages, findings, status; nothing is done here.

Law: a `Plan` is a value. Planning twice from one `Seen` gives the same plan, and applying it twice changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from ringfence.model.kinds import Ref
from ringfence.plan.confirmations import Confirmation
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Question

Manifest: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a gate saw. Its reason is the condition's reason and the record's reason."""

    reason: Reason
    message: str
    """Names the object and the next step."""
    condition: ConditionType = ConditionType.READY


@dataclass(frozen=True, slots=True)
class Desired:
    """One object as it should be."""

    ref: Ref
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Stage:
    """Writes that may run side by side. A stage starts when the one before it has succeeded."""

    name: Literal["namespace", "fence", "withdraw", "access", "gateway", "history", "remove", "release"]
    apply: tuple[Desired, ...] = ()
    delete: tuple[Ref, ...] = ()
    release: tuple[Ref, ...] = ()
    """Objects whose Ringfence finalizer goes."""
    tightening: bool = False
    """True when the writes only take access away: they go ahead without a ledger and are recorded afterwards."""


class Finalizer(StrEnum):
    """What happens to the subject's own finalizer."""

    HOLD = "Hold"  # set before the first write if it is not there
    RELEASE = "Release"  # taken off after the last stage, when nothing is left to do
    NONE = "None"  # it stays as it is


@dataclass(frozen=True, slots=True)
class Condition:
    """A metav1 condition without times and generations, which the shell adds."""

    type: ConditionType
    status: Literal["True", "False", "Unknown"]
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Placed:
    """What one environment serves of a route, and by whose word; nobody's where it follows the spec."""

    environment: str
    revision: str
    promoted_by: str = ""
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to one `Seen`."""

    conditions: tuple[Condition, ...]
    stages: tuple[Stage, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Refusals, worth a record and an Event when they are new, and remarks on what is done."""
    status: Mapping[str, Any] = field(default_factory=dict)
    """Status fields besides conditions and observedGeneration."""
    finalizer: Finalizer = Finalizer.NONE
    stale: tuple[Confirmation, ...] = ()
    """Confirmations that stand on the subject, do not count any more, and go."""
    questions: tuple[Question, ...] = ()
    """What must be asked before this plan is final; it is made anew with the answers."""
    look_again_at: datetime | None = None
    """Time is data: when something falls due that no event announces."""
    tenant: str = ""
    log: str = "platform"
    """The log that records this: the Tenant's uid, or ``platform`` where there is none."""
    environment: str = ""
    region: str = ""
    incidents: tuple[str, ...] = ()
    """The ids of the incidents for which what it is about is quarantined."""
    configuration: tuple[str, str] = ("", "")
    """Revisions of the gateway's configuration, before and after this plan; alike where it changes none."""
    placed: tuple[Placed, ...] = ()
    """What a route's environments serve from this plan on."""
    repair: bool = True
    """False while paused or terminating: differences are reported, nothing is written."""
