"""Who asked: stamps on our own kinds that nobody can forge.

Law: a stamp is the name of whoever changed what it is about, and otherwise stays as it was. Validating policies decide;
mutating ones only fill in what is missing, so that nobody has to write his own name.
"""

from typing import Final

from ringfence import names
from ringfence.admission.cel import ME, OPERATOR, YOURS, annotations, value
from ringfence.admission.policy import WRITE, Expression, Resources, Validation
from ringfence.admission.threats import Threat
from ringfence.model.kinds import GROUP, PRIMARY_TYPES
from ringfence.model.rules import cel_list
from ringfence.plan.confirmations import DELETE, RELEASE

OUR_KINDS: Final = tuple(kind.plural for kind in PRIMARY_TYPES)
OUR_WRITES: Final = (Resources(GROUP, OUR_KINDS, WRITE),)
CHANGED: Final = (
    "oldObject == null || object.?spec.orValue({}) != oldObject.?spec.orValue({})"  # a Tenant may have an empty spec
)
_GENERATION: Final = "(oldObject == null ? '0' : string(oldObject.metadata.generation))"
"""Of the object as it is confirmed; what is born with a confirmation was never confirmed."""
STAMPED: Final = (
    (DELETE.wish, DELETE.by, ME),
    (DELETE.wish, DELETE.generation, _GENERATION),
    (RELEASE.wish, RELEASE.by, ME),
    (RELEASE.wish, RELEASE.generation, _GENERATION),
    (names.PAUSED_UNTIL_ANNOTATION, names.PAUSED_BY_ANNOTATION, ME),
)
"""Wishes, what is written beside each, and what that is at the moment of the wish."""


def stamped(wish: str, stamp: str, now: str) -> str:
    """What must stand beside a wish: what stood there while it stays the same, nothing without it."""
    wished = value("variables.new", wish)
    return (
        f"({wished} == '' ? '' : {wished} == {value('variables.old', wish)} ? {value('variables.old', stamp)} : {now})"
    )


PROMOTIONS: Final = (
    Expression("newPromotions", "object.spec.?promotions.orValue({})"),
    Expression("oldPromotions", "oldObject == null ? {} : oldObject.spec.?promotions.orValue({})"),
)
PROMOTER: Final = (
    f"(e in variables.oldPromotions && variables.oldPromotions[e] == variables.newPromotions[e] "
    f"? variables.old[?('{names.PROMOTED_BY_PREFIX}' + e)].orValue('') : {ME})"
)
"""What the stamp of a promotion to environment ``e`` must be."""

STAMP_VARIABLES: Final = (
    Expression("new", annotations("object")),
    Expression("old", annotations("oldObject")),
    Expression("changed", CHANGED),
    Expression("asked", value("variables.new", names.REQUESTED_BY_ANNOTATION)),
)

STAMP_RULES: Final = (
    Validation(
        "requested-by",
        (Threat.FORGED_AUTHORS,),
        f"""
        {OPERATOR} || variables.asked == (variables.changed ? {ME}
          : {value("variables.old", names.REQUESTED_BY_ANNOTATION)})
        """,
        f"{names.REQUESTED_BY_ANNOTATION} is written by the API server: {YOURS}",
        ME,
    ),
    Validation(
        "operator-wishes",
        (Threat.FORGED_AUTHORS, Threat.CONFUSED_DEPUTY),
        f"""
        !({OPERATOR}) || (!variables.changed && {cel_list((DELETE.wish, RELEASE.wish))}.all(k,
          variables.new[?k].orValue('') in ['', variables.old[?k].orValue('')]))
        """,
        "the operator writes no spec, and confirms nothing",
    ),
)
"""Rules for all of our kinds, of policy ``ringfence-metadata``."""
