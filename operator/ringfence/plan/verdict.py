"""From findings to conditions.

Law: Ready is True only when nothing was found that keeps the object from being served as its spec says.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ringfence.model.subject import Problem
from ringfence.plan.enforcement import Enforcement, in_words
from ringfence.plan.plan import Condition, Finding
from ringfence.plan.reasons import ConditionType, Reason

REMARKS: Final = frozenset({Reason.ADOPTED, Reason.ORPHANED, Reason.PLAINTEXT_UPSTREAM})
"""Worth a record and an Event, but nothing is missing."""
# Named first where several things are wrong.
_FOREMOST: Final = Reason.QUARANTINED
# What no other object's coming can solve: somebody has to change something.
_STALLED: Final = frozenset(
    {
        Reason.INVALID_SPEC,
        Reason.NAME_TAKEN,
        Reason.WORKLOAD_REFUSED,
        Reason.BUDGET_EXCEEDED,
        Reason.TOO_MANY_NAMESPACES,
        Reason.POD_SECURITY_NOT_ALLOWED,
        Reason.PROTECTED_RANGE,
        Reason.PROXY_DOUBTED,
        Reason.SECRET_KEY_NOT_ALLOWED,
        Reason.DELETION_BLOCKED,
    }
)
_SETTLED: Final = frozenset(
    {
        Reason.NOT_SERVED_YET,
        Reason.QUARANTINED,
        Reason.AWAITING_PROMOTION,
        Reason.AWAITING_APPROVAL,
        Reason.NO_GATEWAY,
    }
)
# Conditions that are bad news when they are True.
_ALARMS: Final = frozenset({ConditionType.BUDGET_EXCEEDED})


def conditions(
    findings: Sequence[Finding],
    *,
    ready: str,
    asserted: Mapping[ConditionType, tuple[Reason, str]],
    others: Iterable[Condition | None] = (),
) -> tuple[Condition, ...]:
    """All conditions: ``asserted`` ones where no finding says otherwise, ``ready`` when nothing is wrong."""
    wrong = sorted(
        (each for each in findings if each.reason not in REMARKS), key=lambda each: each.reason is not _FOREMOST
    )
    domain = tuple(_domain(kind, wrong, *good) for kind, good in asserted.items())
    extra = tuple(condition for condition in others if condition is not None)
    return (*summary(wrong, ready), *domain, *extra)


def refused(findings: Sequence[Finding]) -> tuple[Condition, ...]:
    """The conditions of an object for which nothing is made: the refusals, and nothing that is not known."""
    spoken_of: dict[ConditionType, tuple[Reason, str]] = {
        each.condition: (each.reason, each.message) for each in findings if each.condition is not ConditionType.READY
    }
    return conditions(findings, ready="", asserted=spoken_of)


def summary(wrong: Sequence[Finding], ready: str = "") -> tuple[Condition, ...]:
    """``Ready``, and ``Reconciling`` or ``Stalled`` where it is not."""
    if not wrong:
        return (Condition(ConditionType.READY, "True", Reason.RECONCILED, ready),)
    first = wrong[0]
    not_ready = Condition(ConditionType.READY, "False", first.reason, _messages(wrong))
    if first.reason in _SETTLED:
        return (not_ready,)
    kind = ConditionType.STALLED if first.reason in _STALLED else ConditionType.RECONCILING
    return (not_ready, Condition(kind, "True", first.reason, first.message))


def isolated(core: str, *, paused: bool, enforcement: Enforcement) -> Condition:
    """Whether the fence of namespace ``core`` stands; where something is in doubt, nobody claims that."""
    if not enforcement.opens:
        message = f"namespace {core} is guarded by less than it should be: {in_words(enforcement.silent)}"
        return Condition(ConditionType.ISOLATED, "False", Reason.POLICIES_INACTIVE, message)
    reason, doubt = _doubt(core, enforcement, paused=paused)
    if reason:
        return Condition(ConditionType.ISOLATED, "Unknown", reason, doubt)
    lacking = f"; {in_words(enforcement.lacking)}" if enforcement.lacking else ""
    return Condition(ConditionType.ISOLATED, "True", Reason.FENCED, f"the fence of namespace {core} stands{lacking}")


def _doubt(core: str, enforcement: Enforcement, *, paused: bool) -> tuple[Reason | None, str]:
    if paused:
        return Reason.PAUSED, f"repair of namespace {core} is suspended, so its fence may have holes"
    if enforcement.drifted:
        return Reason.POLICY_DRIFT, f"what guards namespace {core} is not as shipped: {in_words(enforcement.drifted)}"
    if enforcement.unguarded:
        return Reason.POLICIES_UNCHECKED, "the operator was told to work without admission policies"
    return None, ""


def closed(what: str, enforcement: Enforcement) -> Finding | None:
    """Why nothing new is opened, while policies do not refuse what they should."""
    if enforcement.opens:
        return None
    message = f"{what} is opened when the admission policies are in force: {in_words(enforcement.silent)}"
    return Finding(Reason.POLICIES_INACTIVE, message)


def invalid(problems: Iterable[Problem]) -> Finding:
    """The finding for an object that breaks a rule of its kind."""
    return Finding(Reason.INVALID_SPEC, "; ".join(f"{each.field}: {each.message}" for each in problems))


def _domain(kind: ConditionType, wrong: Sequence[Finding], reason: Reason, message: str) -> Condition:
    found = [finding for finding in wrong if finding.condition is kind]
    if not found:
        return Condition(kind, "False" if kind in _ALARMS else "True", reason, message)
    if any(finding.reason is Reason.SECRET_UNKNOWN for finding in found):
        return Condition(kind, "Unknown", found[0].reason, _messages(found))
    return Condition(kind, "True" if kind in _ALARMS else "False", found[0].reason, _messages(found))


def _messages(findings: Iterable[Finding]) -> str:
    text = "; ".join(dict.fromkeys(finding.message for finding in findings))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


_LONGEST: Final = 4096
"""Characters of a condition's message that the API server takes."""
