"""Status as the API server keeps it: metav1 conditions and a patch that is made only when something differs.

Law: nothing in a status changes by time alone; ``lastTransitionTime`` moves exactly when ``status`` does.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ringfence.plan.plan import Condition, Plan
from ringfence.plan.reasons import ConditionType
from ringfence.plan.seen import AnySubject

# The shell adds these; a planner that does not speak of them takes nothing back.
_OF_THE_SHELL: Final = frozenset({ConditionType.LINEAGE_RECORDED})


def merge(
    prior: Sequence[Mapping[str, Any]], wanted: Sequence[Condition], generation: int, now: datetime
) -> list[dict[str, Any]]:
    """The ``wanted`` conditions with times and generation; prior ones that are not wanted any more are dropped."""
    before = {condition["type"]: condition for condition in prior}
    named = {condition.type for condition in wanted}
    kept = [dict(before[kind]) for kind in sorted(_OF_THE_SHELL - named) if kind in before]
    return [_condition(each, before.get(each.type), generation, now) for each in wanted] + kept


def status_patch(
    subject: AnySubject, plan: Plan, now: datetime, besides: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """The JSON merge patch that makes ``subject.status`` what ``plan`` says; None where it is so already.

    Fields of the status that the plan does not speak of stay as they are. What is said ``besides`` is told only when
    there is something else to tell: it grows by itself, and an unchanged world is to cost no write.
    """
    generation = subject.meta.generation
    wanted = {
        **plan.status,
        "observedGeneration": generation,
        "conditions": merge(subject.status.get("conditions", ()), plan.conditions, generation, now),
    }
    current = {name: subject.status[name] for name in wanted if name in subject.status}
    if current == wanted:
        return None
    told = {**wanted, **(besides or {})}
    return {
        name: _merge_patch(subject.status.get(name), value)
        for name, value in told.items()
        if subject.status.get(name) != value
    }


def _condition(wanted: Condition, before: Mapping[str, Any] | None, generation: int, now: datetime) -> dict[str, Any]:
    same = before is not None and before.get("status") == wanted.status
    since = before["lastTransitionTime"] if before is not None and same else _timestamp(now)
    return {
        "type": wanted.type.value,
        "status": wanted.status,
        "reason": wanted.reason.value,
        "message": wanted.message,
        "observedGeneration": generation,
        "lastTransitionTime": since,
    }


def _timestamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _merge_patch(before: Any, after: Any) -> Any:
    """A merge patch keeps the keys that it does not name: those that are gone are set to null."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return after
    gone = {name: None for name in before if name not in after}
    return gone | {name: _merge_patch(before.get(name), value) for name, value in after.items()}
