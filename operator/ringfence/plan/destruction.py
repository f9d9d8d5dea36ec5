"""Whether data may be destroyed.

Law: volume claims go only when a person names the object in an annotation; nothing goes while a legal hold stands, nor
while an incident lasts, whenever the deletion was asked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ringfence import names
from ringfence.plan import holds
from ringfence.plan.plan import Finding
from ringfence.plan.reasons import Reason
from ringfence.plan.seen import AnySubject, ClaimsIn, CoreNamespace, Seen


@dataclass(frozen=True, slots=True)
class Judgement:
    """What keeps the data, and what has to be asked before that is certain."""

    finding: Finding | None = None
    questions: tuple[ClaimsIn, ...] = ()
    frozen: bool = False
    """Whether it is an incident that keeps it."""


def destruction_is_confirmed(
    subject: AnySubject, cores: Iterable[CoreNamespace], namespace: str | None, seen: Seen
) -> Judgement:
    """Judge the removal of ``cores`` with all that is in them; ``namespace`` narrows both to one object."""
    if quarantined := _quarantined(subject, namespace, seen):
        finding = _blocked(f"an incident is declared for {', '.join(quarantined)}; it must end first")
        return Judgement(finding, frozen=True)
    if standing := holds.in_scope(seen.policies, namespace):
        return Judgement(_blocked(f"legal holds stand: {', '.join(standing)}; have them released first"))
    if subject.meta.annotations.get(names.CONFIRM_DELETE_ANNOTATION) == subject.name:
        return Judgement()
    questions = tuple(ClaimsIn(core.name) for core in cores)
    unknown = [question.namespace for question in questions if not isinstance(seen.answers.get(question), int)]
    if unknown:
        return Judgement(_blocked(f"volume claims in {', '.join(unknown)} are not counted yet"), questions)
    claimed = [question.namespace for question in questions if seen.answers[question]]
    if not claimed:
        return Judgement(questions=questions)
    message = (
        f"volume claims in {', '.join(claimed)} would be destroyed; delete them, or confirm with annotation "
        f"{names.CONFIRM_DELETE_ANNOTATION}={subject.name}"
    )
    return Judgement(_blocked(message), questions)


def _quarantined(subject: AnySubject, namespace: str | None, seen: Seen) -> tuple[str, ...]:
    """What is in quarantine: the tenant, or Namespaces that would go."""
    owner = seen.tenant or subject
    going = tuple(each for each in seen.namespaces if namespace in (None, each.name))
    return tuple(
        f"{each.ref.type.kind} {each.name}"
        for each in (owner, *going)
        if each.spec is not None and each.spec.isolation == "Quarantined"
    )


def _blocked(message: str) -> Finding:
    return Finding(Reason.DELETION_BLOCKED, message)
