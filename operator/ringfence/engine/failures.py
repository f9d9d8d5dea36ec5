"""What a failure means for the object: when it is tried again, and what its conditions say.

Law: the table decides; every failure has a reason, a message of whoever refused, and a next attempt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from ringfence.engine.queue import LONGEST_BACKOFF
from ringfence.plan.plan import Condition, Plan
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.ports.cluster import ClusterError, NotJudgedError, RefusedError, UnauthorizedError
from ringfence.ports.ledger import LedgerError

MESSAGE_LIMIT: Final = 1024
LONG: Final = 2.0
# Seconds before the first retry; each further one waits twice as long, by the first line that fits.
PATIENCE: Final[Mapping[type[Exception], float]] = {
    NotJudgedError: 1.0,
    RefusedError: LONG,
    UnauthorizedError: LONG,
    LedgerError: 0.5,
    ClusterError: 0.0,
}
# Seconds that no retry waits longer than, where it is known how soon the trouble ends.
BOUND: Final[Mapping[type[Exception], float]] = {NotJudgedError: 4.0}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a look did not end well."""

    reason: Reason
    message: str
    patience: float = 0.0
    """Seconds to wait at least."""
    bound: float = LONGEST_BACKOFF
    """Seconds to wait at most."""


def of_cluster(error: ClusterError, what: str) -> Failure:
    """Return what a failed call means; ``what`` names the object that it was about."""
    message = f"{what}: {error.message}"[:MESSAGE_LIMIT]
    patience = max(error.retry_after or 0.0, _of(error, PATIENCE, 0.0))
    return Failure(Reason.APPLY_FAILED, message, patience, bound=_of(error, BOUND, LONGEST_BACKOFF))


def of_ledger(error: LedgerError) -> Failure:
    """Return what an unavailable ledger means."""
    return Failure(Reason.LEDGER_UNAVAILABLE, str(error)[:MESSAGE_LIMIT], patience=_of(error, PATIENCE, 0.0))


def of_defect(error: Exception) -> Failure:
    """Return what a failure of our own means. Its text stays in the log: it may quote anything."""
    message = f"Ringfence failed at this object ({type(error).__name__}); see the operator's log"
    return Failure(Reason.INTERNAL_ERROR, message, patience=LONG)


def _of(error: Exception, table: Mapping[type[Exception], float], default: float) -> float:
    return next((seconds for kind, seconds in table.items() if isinstance(error, kind)), default)


def conditions(plan: Plan | None, failure: Failure) -> tuple[Condition, ...]:
    """Return the plan's conditions as they are after a failure."""
    replaced = {ConditionType.READY, ConditionType.RECONCILING, ConditionType.STALLED, ConditionType.LINEAGE_RECORDED}
    kept = tuple(condition for condition in (plan.conditions if plan else ()) if condition.type not in replaced)
    recorded = lineage_recorded(failure if failure.reason is Reason.LEDGER_UNAVAILABLE else None)
    return (
        Condition(ConditionType.READY, "False", failure.reason, failure.message),
        Condition(ConditionType.RECONCILING, "True", failure.reason, failure.message),
        recorded,
        *kept,
    )


def lineage_recorded(failure: Failure | None = None) -> Condition:
    """Return the condition that says whether the ledger takes records."""
    if failure:
        return Condition(ConditionType.LINEAGE_RECORDED, "False", failure.reason, failure.message)
    message = "every change is on record"
    return Condition(ConditionType.LINEAGE_RECORDED, "True", Reason.RECORDED, message)


def failed(plan: Plan | None, failure: Failure) -> Plan:
    """Return a plan that changes nothing and says what failed."""
    if plan is None:
        return Plan(conditions=conditions(None, failure))
    return replace(plan, conditions=conditions(plan, failure))
