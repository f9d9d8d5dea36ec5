"""Who asked: stamps on our own kinds that nobody can forge.

Law: a stamp is the name of whoever changed what it is about, and otherwise stays as it was. Validating policies decide;
mutating ones only fill in what is missing, so that nobody has to write his own name.
"""

from typing import Final

from ringfence import names
from ringfence.admission.cel import ME, NOT_OPERATOR, OPERATOR, RESOURCE, annotations, value
from ringfence.admission.mutation import Mutation
from ringfence.admission.policy import WRITE, Expression, Policy, Resources, Validation
from ringfence.admission.threats import Threat
from ringfence.model.kinds import GROUP, MODEL_ROUTE, PRIMARY_TYPES
from ringfence.plan.confirmations import DELETE, RELEASE

OUR_KINDS: Final = tuple(kind.plural for kind in PRIMARY_TYPES)
_WRITES: Final = (Resources(GROUP, OUR_KINDS, WRITE),)
_CHANGED: Final = (
    "oldObject == null || object.?spec.orValue({}) != oldObject.?spec.orValue({})"  # a Tenant may have an empty spec
)
TOUCHED: Final = Expression("touched", f"{_CHANGED} || {annotations('object')} != {annotations('oldObject')}")
"""Only the spec and annotations can be wrong about who changed them."""
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

STAMPS: Final = Policy(
    name="ringfence-stamps",
    about="Who asked for an object's spec is written on it by the API server; the operator asks for nothing.",
    resources=_WRITES,
    everywhere=True,
    unless=(TOUCHED,),
    variables=(
        Expression("new", annotations("object")),
        Expression("old", annotations("oldObject")),
        Expression("changed", _CHANGED),
        Expression("asked", value("variables.new", names.REQUESTED_BY_ANNOTATION)),
    ),
    validations=(
        Validation(
            "requested-by",
            (Threat.FORGED_AUTHORS,),
            f"""
            {OPERATOR} || variables.asked == (variables.changed ? {ME}
              : {value("variables.old", names.REQUESTED_BY_ANNOTATION)})
            """,
            f"{names.REQUESTED_BY_ANNOTATION} is written by the API server; leave it out. You are",
            ME,
        ),
        Validation(
            "operator-wishes",
            (Threat.FORGED_AUTHORS, Threat.CONFUSED_DEPUTY),
            f"!({OPERATOR}) || !variables.changed",
            "the operator writes no spec",
        ),
    ),
)


def _stamp(annotation: str, name: str) -> str:
    """Patches that fill one annotation in, where it is missing or still says who asked before.

    ``variables.<name>`` is what it must be. A forged one is left for the validating policy to refuse.
    """
    now, before = value("variables.new", annotation), value("variables.old", annotation)
    path = f"'/metadata/annotations/{_escaped(annotation)}'"
    return f"""
        (({now} == '' || {now} == {before}) && {now} != variables.{name}
          ? (variables.{name} == '' ? [JSONPatch{{op: 'remove', path: {path}}}]
            : [JSONPatch{{op: 'add', path: {path}, value: variables.{name}}}]) : [])
        """


def _escaped(annotation: str) -> str:
    """As a JSON pointer has it (RFC 6901)."""
    return annotation.replace("~", "~0").replace("/", "~1")


_ROUTE: Final = f"{RESOURCE} == '{MODEL_ROUTE.plural}'"
_PROMOTED_PATH: Final = f"'/metadata/annotations/{_escaped(names.PROMOTED_BY_PREFIX)}' + e"
_PROMOTED_NOW: Final = f"variables.new[?('{names.PROMOTED_BY_PREFIX}' + e)].orValue('')"
_PROMOTED_BEFORE: Final = f"variables.old[?('{names.PROMOTED_BY_PREFIX}' + e)].orValue('')"
_FILLED: Final = f"({_PROMOTED_NOW} == '' || {_PROMOTED_NOW} == {_PROMOTED_BEFORE})"

STAMPING: Final = Mutation(
    name="ringfence-stamps",
    about="Fills in who asked, promoted, confirmed and paused, where the writer left it out.",
    resources=_WRITES,
    unless=(NOT_OPERATOR, TOUCHED),
    variables=(
        Expression("new", annotations("object")),
        Expression("old", annotations("oldObject")),
        Expression("asker", f"({_CHANGED}) ? {ME} : {value('variables.old', names.REQUESTED_BY_ANNOTATION)}"),
        *(Expression(f"stamp{number}", stamped(*each)) for number, each in enumerate(STAMPED)),
        Expression("newPromotions", f"{_ROUTE} ? {PROMOTIONS[0].cel} : {{}}"),
        Expression("oldPromotions", f"{_ROUTE} && oldObject != null ? oldObject.spec.?promotions.orValue({{}}) : {{}}"),
    ),
    patches=f"""
        (has(object.metadata.annotations) ? [] : [JSONPatch{{op: 'add', path: '/metadata/annotations', value: {{}}}}])
        + {_stamp(names.REQUESTED_BY_ANNOTATION, "asker")}
        + {" + ".join(_stamp(stamp, f"stamp{number}") for number, (_, stamp, _) in enumerate(STAMPED))}
        + variables.newPromotions.map(e, e).filter(e, {_FILLED} && {PROMOTER} != '' && {_PROMOTED_NOW} != {PROMOTER})
          .map(e, JSONPatch{{op: 'add', path: {_PROMOTED_PATH}, value: {PROMOTER}}})
        + variables.oldPromotions.map(e, e).filter(e, !(e in variables.newPromotions)
            && {_PROMOTED_NOW} != '' && {_PROMOTED_NOW} == {_PROMOTED_BEFORE})
          .map(e, JSONPatch{{op: 'remove', path: {_PROMOTED_PATH}}})
        """,
)

POLICIES: Final = (STAMPS,)
MUTATIONS: Final = (STAMPING,)
