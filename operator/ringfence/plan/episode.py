"""States out of the ordinary that last for a while: a quarantine, a pause, a broken glass.

Law: an episode is known by what stands on the object now, never by how it came there; whoever looks next, after
whatever crash, sees the same one. A quarantine is stronger than a pause: while one lasts the other has no effect.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from ringfence import names
from ringfence.model.kinds import NAMESPACE, TENANT, Ref
from ringfence.plan import timers
from ringfence.plan.seen import AnySubject

_QUARANTINABLE: Final = (TENANT, NAMESPACE)


class EpisodeKind(StrEnum):
    """What is out of the ordinary."""

    QUARANTINE = "Quarantine"
    PAUSE = "Pause"
    BREAK_GLASS = "BreakGlass"


class Ending(StrEnum):
    """Why an episode is over."""

    LIFTED = "Lifted"  # somebody took it back
    EXPIRED = "Expired"  # its time came
    CHANGED = "Changed"  # another one took its place: a new reason, a later time
    OVERTAKEN = "Overtaken"  # a quarantine began, which no pause holds up
    VANISHED = "Vanished"  # the object is gone


@dataclass(frozen=True, slots=True)
class Episode:
    """One of them, as the object says."""

    kind: EpisodeKind
    subject: Ref
    uid: str
    reason: str = ""
    """Why, in the words of whoever asked."""
    incident: str = ""
    """For a quarantine: the incident's id."""
    until: str = ""
    """For a pause: the moment at which it ends, as it was asked for."""


def of_subject(subject: AnySubject, now: datetime, *, quarantined: bool) -> tuple[Episode, ...] | None:
    """The quarantine or pause that an object is in; None where its spec can't be read and nobody can tell.

    ``quarantined`` says whether it is by itself or by its tenant.
    """
    if subject.ref.type not in _QUARANTINABLE:
        return ()
    if subject.spec is None:
        return None
    if subject.spec.isolation == "Quarantined":
        return (_quarantine(subject),)
    if quarantined or timers.paused_until((subject.meta,), now) is None:
        return ()
    notes = subject.meta.annotations
    reason, until = notes.get(names.BREAK_GLASS_ANNOTATION, ""), notes[names.PAUSED_UNTIL_ANNOTATION]
    return (Episode(EpisodeKind.PAUSE, subject.ref, subject.meta.uid, reason=reason, until=until),)


def broken_glass(ref: Ref, uid: str, reason: str) -> Episode:
    """The glass that is broken at an object, for a reason that stands on it."""
    return Episode(EpisodeKind.BREAK_GLASS, ref, uid, reason=reason)


def incidents(*quarantined: AnySubject | None) -> tuple[str, ...]:
    """The ids of the incidents for which any of these objects is quarantined."""
    return tuple(
        dict.fromkeys(
            incident_id(each) for each in quarantined if each and each.spec and each.spec.isolation == "Quarantined"
        )
    )


def incident_id(subject: AnySubject) -> str:
    """The incident that a quarantined object names; a Namespace that names none is its own."""
    spec: Any = subject.spec
    if spec is not None and spec.incident:
        return str(spec.incident.id)
    return "/".join(part for part in (subject.ref.namespace, subject.name) if part)


def ending(over: Episode, holding: Iterable[Episode], now: datetime, *, quarantined: bool) -> Ending:
    """Why ``over`` is over at an object that stands, given what holds there now."""
    if any(each.kind is over.kind for each in holding):
        return Ending.CHANGED
    if over.kind is not EpisodeKind.PAUSE:
        return Ending.LIFTED
    until = timers.moment(over.until)
    if until is not None and until <= now:
        return Ending.EXPIRED
    return Ending.OVERTAKEN if quarantined else Ending.LIFTED


def _quarantine(subject: AnySubject) -> Episode:
    incident: Any = subject.spec.incident if subject.spec else None
    return Episode(
        EpisodeKind.QUARANTINE,
        subject.ref,
        subject.meta.uid,
        reason=incident.reason if incident else "",
        incident=incident_id(subject),
    )
