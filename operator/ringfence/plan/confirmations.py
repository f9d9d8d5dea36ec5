"""Confirmations that do not count any more.

Law: a confirmation is of the object as it was then. Once its spec has changed it confirms nothing, whoever gave it; so
it does where there is nothing to be released. Admission lets no such confirmation count; the operator takes it off.
"""

from typing import Final, NamedTuple

from ringfence import names
from ringfence.plan.seen import AnySubject


class Confirmation(NamedTuple):
    """The annotations of one: what is wished, who confirmed it, and of which generation of the object."""

    wish: str
    by: str
    generation: str


DELETE: Final = Confirmation(
    names.CONFIRM_DELETE_ANNOTATION, names.CONFIRM_DELETE_BY_ANNOTATION, names.CONFIRM_DELETE_GENERATION_ANNOTATION
)
RELEASE: Final = Confirmation(
    names.CONFIRM_RELEASE_ANNOTATION, names.CONFIRM_RELEASE_BY_ANNOTATION, names.CONFIRM_RELEASE_GENERATION_ANNOTATION
)
CONFIRMATIONS: Final = (DELETE, RELEASE)


def stale(subject: AnySubject) -> tuple[Confirmation, ...]:
    """Those that stand on an object and do not count; none while it is being deleted, which changes its generation."""
    if subject.meta.deleting:
        return ()
    return tuple(each for each in CONFIRMATIONS if _is_stale(each, subject))


def _is_stale(confirmation: Confirmation, subject: AnySubject) -> bool:
    notes = subject.meta.annotations
    if confirmation.wish not in notes:
        return False
    if confirmation is RELEASE and subject.spec is not None and subject.spec.isolation != "Quarantined":
        return True
    confirmed = notes.get(confirmation.generation)
    return confirmed is not None and confirmed != str(subject.meta.generation)
