"""What a custom resource says of its quarantine and its pause, and who is behind it.

Law: names are the ones that admission wrote down; where it wrote none, field managers are all that is known.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from ringfence import names
from ringfence.engine.episodes import Standing
from ringfence.engine.record import identity
from ringfence.lineage.runs import Actor
from ringfence.model.kinds import NAMESPACE
from ringfence.plan.episode import EpisodeKind, of_subject
from ringfence.plan.plan import Plan
from ringfence.plan.seen import AnySubject

_AUTHORS: Mapping[EpisodeKind, str] = {
    EpisodeKind.QUARANTINE: names.REQUESTED_BY_ANNOTATION,
    EpisodeKind.PAUSE: names.PAUSED_BY_ANNOTATION,
}


def standings(subject: AnySubject, plan: Plan, now: datetime, *, late: bool) -> Iterator[Standing]:
    """Yield what an object says; nothing where it is no tenant's, or can't be understood."""
    quarantined = bool(plan.incidents)
    holding = of_subject(subject, now, quarantined=quarantined)
    if holding is None or not plan.tenant:
        return
    notes = subject.meta.annotations
    for kind, author in _AUTHORS.items():
        yield Standing(
            holder=(subject.ref, subject.meta.uid),
            kind=kind,
            log=plan.log,
            tenant=plan.tenant,
            holding=tuple(each for each in holding if each.kind is kind),
            namespace=subject.name if subject.ref.type == NAMESPACE else "",
            actor=Actor(identity(notes, author), managers_of(subject)),
            confirmed_by=identity(notes, names.CONFIRM_RELEASE_BY_ANNOTATION),
            quarantined=quarantined,
            late=late,
        )


def managers_of(subject: AnySubject) -> tuple[str, ...]:
    """Return the field managers of an object but for our own, most recent writer last."""
    others = [manager for manager in subject.meta.managers if manager and manager != names.FIELD_MANAGER]
    return tuple(dict.fromkeys(reversed(others)))[::-1]
