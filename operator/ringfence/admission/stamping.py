"""The API server's pen: names of people that are filled in where they left them out.

Law: see `ringfence.admission.mutation`; a forged name is left for the validating policies to refuse.
"""

from typing import Final

from ringfence import names
from ringfence.admission.cel import ME, NOT_OPERATOR, RESOURCE, annotations, noted_otherwise, value
from ringfence.admission.mutation import INDICES, Mutation
from ringfence.admission.policy import Expression
from ringfence.admission.stamps import CHANGED, OUR_WRITES, PROMOTER, PROMOTIONS, STAMPED, stamped
from ringfence.model.kinds import GROUP, MODEL_ROUTE, NAMESPACE, RETENTION_POLICY, TENANT
from ringfence.model.rules import cel_list

_ROUTE: Final = f"{RESOURCE} == '{MODEL_ROUTE.plural}'"
_ENDING: Final = f"{RESOURCE} in {cel_list((NAMESPACE.plural, TENANT.plural))}"
_APPROVALS: Final = f"({_ROUTE} ? object.spec.?approvals.orValue([]) : [])"
_HOLDS: Final = f"({RESOURCE} == '{RETENTION_POLICY.plural}' ? object.spec.?legalHolds.orValue([]) : [])"
_PROMOTED_NOW: Final = f"variables.new[?('{names.PROMOTED_BY_PREFIX}' + e)].orValue('')"
_PROMOTED_BEFORE: Final = f"variables.old[?('{names.PROMOTED_BY_PREFIX}' + e)].orValue('')"
_FILLED: Final = f"({_PROMOTED_NOW} == '' || {_PROMOTED_NOW} == {_PROMOTED_BEFORE})"

LACKING: Final = Expression(
    "lacks-a-name",
    f"""
    (({CHANGED}) && ({value(annotations("object"), names.REQUESTED_BY_ANNOTATION)} != {ME}
        || {_APPROVALS}.exists(a, !has(a.by)) || {_HOLDS}.exists(h, has(h.release) && !has(h.release.requestedBy))
        || ({_ROUTE} && (oldObject == null
          || object.spec.?promotions.orValue({{}}) != oldObject.spec.?promotions.orValue({{}})))))
      || {noted_otherwise((f"{GROUP}/", names.PROMOTED_BY_PREFIX))}
    """,
)
"""Whoever changes again what he changed last has his name there already, and costs nothing."""


def _stamp(annotation: str, name: str) -> str:
    """Patches that fill one annotation in, where it is missing or still says who asked before.

    ``variables.<name>`` is what it must be.
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


_PROMOTED_PATH: Final = f"'/metadata/annotations/{_escaped(names.PROMOTED_BY_PREFIX)}' + e"
_PROMOTIONS: Final = f"""
    variables.newPromotions.map(e, e).filter(e, {_FILLED} && {PROMOTER} != '' && {_PROMOTED_NOW} != {PROMOTER})
      .map(e, JSONPatch{{op: 'add', path: {_PROMOTED_PATH}, value: {PROMOTER}}})
    + variables.oldPromotions.map(e, e).filter(e, !(e in variables.newPromotions)
        && {_PROMOTED_NOW} != '' && {_PROMOTED_NOW} == {_PROMOTED_BEFORE})
      .map(e, JSONPatch{{op: 'remove', path: {_PROMOTED_PATH}}})
    """


_CONFIRMED: Final = " + ".join(_stamp(stamp, f"stamp{number}") for number, (_, stamp, _) in enumerate(STAMPED))


def _signed(items: str, unsigned: str, path: str) -> str:
    """Patches that put the writer's name into entries that lack one."""
    return f"""
        {INDICES}.filter(i, i < variables.{items}.size() && {unsigned})
          .map(i, JSONPatch{{op: 'add', path: {path}, value: {ME}}})
        """


_APPROVED: Final = _signed("approvals", "!has(variables.approvals[i].by)", "'/spec/approvals/' + string(i) + '/by'")
_RELEASED: Final = _signed(
    "holds",
    "has(variables.holds[i].release) && !has(variables.holds[i].release.requestedBy)",
    "'/spec/legalHolds/' + string(i) + '/release/requestedBy'",
)

# One for all names: each mutation that matches costs as much as several policies.
STAMPING: Final = Mutation(
    name="ringfence-stamps",
    about="Fills in who asked, promoted, approved, confirmed, paused and released, where the writer left it out; "
    "`ringfence-metadata`, `ringfence-promotions`, `ringfence-two-persons` and `ringfence-holds` judge it.",
    resources=OUR_WRITES,
    unless=(NOT_OPERATOR, LACKING),
    variables=(
        Expression("new", annotations("object")),
        Expression("old", annotations("oldObject")),
        Expression("asker", f"({CHANGED}) ? {ME} : {value('variables.old', names.REQUESTED_BY_ANNOTATION)}"),
        *(Expression(f"stamp{number}", stamped(*each)) for number, each in enumerate(STAMPED)),
        Expression("newPromotions", f"{_ROUTE} ? {PROMOTIONS[0].cel} : {{}}"),
        Expression("oldPromotions", f"{_ROUTE} && oldObject != null ? oldObject.spec.?promotions.orValue({{}}) : {{}}"),
        Expression("approvals", _APPROVALS),
        Expression("holds", _HOLDS),
    ),
    patches=f"""
        (has(object.metadata.annotations) ? [] : [JSONPatch{{op: 'add', path: '/metadata/annotations', value: {{}}}}])
        + {_stamp(names.REQUESTED_BY_ANNOTATION, "asker")}
        + ({_ENDING} ? {_CONFIRMED} : [])
        + ({_ROUTE} ? {_PROMOTIONS} : [])
        + (variables.approvals.size() > 0 ? {_APPROVED} : [])
        + (variables.holds.size() > 0 ? {_RELEASED} : [])
        """,
)

MUTATIONS: Final = (STAMPING,)
