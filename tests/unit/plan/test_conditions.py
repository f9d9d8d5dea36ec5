"""Status as it is written."""

from datetime import UTC, datetime
from typing import Any

from ringfence.model.kinds import NAMESPACE, Ref
from ringfence.model.subject import Meta, Subject
from ringfence.plan.conditions import merge, status_patch
from ringfence.plan.plan import Condition, Plan
from ringfence.plan.reasons import ConditionType, Reason

THEN, NOW = datetime(2026, 11, 22, 7, tzinfo=UTC), datetime(2026, 11, 22, 8, tzinfo=UTC)
READY = Condition(ConditionType.READY, "True", Reason.RECONCILED, "as wanted")
NOT_READY = Condition(ConditionType.READY, "False", Reason.NAME_TAKEN, "taken")
STALLED = Condition(ConditionType.STALLED, "True", Reason.NAME_TAKEN, "taken")


def subject(status: dict[str, Any], generation: int = 2) -> Subject[object]:
    return Subject(Ref(NAMESPACE, "acme", "dev"), Meta("uid", generation, "2026-11-22T07:00:00Z"), object(), status)


def test_the_time_of_transition_moves_with_the_status_only() -> None:
    """Another reason or message is no transition."""
    first = merge([], [NOT_READY], 1, THEN)
    again = merge(first, [Condition(ConditionType.READY, "False", Reason.DELETING, "going")], 2, NOW)
    assert again[0]["lastTransitionTime"] == first[0]["lastTransitionTime"] == "2026-11-22T07:00:00Z"
    assert again[0]["observedGeneration"] == 2
    assert merge(again, [READY], 2, NOW)[0]["lastTransitionTime"] == "2026-11-22T08:00:00Z"


def test_stalled_goes_when_it_is_not_true() -> None:
    """Tools that follow kstatus read the mere presence of Reconciling and Stalled."""
    before = merge([], [NOT_READY, STALLED], 1, THEN)
    assert [each["type"] for each in merge(before, [READY], 1, NOW)] == ["Ready"]


def test_what_the_shell_knows_is_kept() -> None:
    """A plan without an opinion on the ledger does not take back what was said of it."""
    recorded = merge([], [Condition(ConditionType.LINEAGE_RECORDED, "True", Reason.RECORDED, "")], 1, THEN)
    assert [each["type"] for each in merge(recorded, [READY], 1, NOW)] == ["Ready", "LineageRecorded"]


def test_an_equal_status_is_not_written() -> None:
    """Time alone changes nothing."""
    plan = Plan(conditions=(READY,), status={"coreNamespace": "acme-dev"})
    first = status_patch(subject({"observedGeneration": -1}), plan, THEN)
    assert first is not None
    assert status_patch(subject(first), plan, NOW) is None
    assert status_patch(subject(first, generation=3), plan, NOW) is not None


def test_a_patch_takes_away_keys_that_are_gone() -> None:
    """In a merge patch silence keeps a key; fields that the plan does not speak of stay."""
    before = {"budget": {"hard": {"pods": "1", "requests.cpu": "1"}}, "lineage": {"size": 4}}
    patch = status_patch(subject(before), Plan(conditions=(), status={"budget": {"hard": {"pods": "2"}}}), NOW)
    assert patch is not None
    assert patch["budget"] == {"hard": {"pods": "2", "requests.cpu": None}}
    assert "lineage" not in patch
