"""Promotion to a protected environment: one promotes, another approves.

Law: an approval is added by the approver himself, for what is promoted now, and he is a person, has the verb
``approve``, and did not promote it. Nobody passes by this with a role or a reason.
"""

from typing import Final

from ringfence import names
from ringfence.admission.cel import ME, STEPPED_UP, YOURS, annotations, noted_otherwise
from ringfence.admission.policy import Expression, Policy, Resources, Validation
from ringfence.admission.stamps import PROMOTER, PROMOTIONS
from ringfence.admission.threats import Threat
from ringfence.model.kinds import GROUP, MODEL_ROUTE
from ringfence.model.modelroute import ModelRouteSpec

_RESOURCES: Final = (Resources(GROUP, (MODEL_ROUTE.plural,)),)
_STAMP: Final = f"variables.new[?('{names.PROMOTED_BY_PREFIX}' + {{}})].orValue('')"
_APPROVALS: Final = (
    Expression("oldApprovals", "oldObject == null ? [] : oldObject.spec.?approvals.orValue([])"),
    Expression(
        "added",
        """
        object.spec.?approvals.orValue([]).filter(a, !variables.oldApprovals.exists(o,
          o.environment == a.environment && o.revision == a.revision && o.?by.orValue('') == a.?by.orValue('')))
        """,
    ),
)


_APPROVALS_ALONE: Final = " && ".join(
    f"object.spec.?{name} == oldObject.spec.?{name}"
    for name in (field.alias for field in ModelRouteSpec.model_fields.values())
    if name != "approvals"
)
"""Whether nothing of a route changes but its approvals."""


def _differ(field: str, none: str) -> str:
    """Whether a field of the spec changes."""
    now, before = (f"{of}.spec.?{field}.orValue({none})" for of in ("object", "oldObject"))
    return f"{now} != (oldObject == null ? {none} : {before})"


ROUTES: Final = Policy(
    name="ringfence-promotions",
    about="Promotions and approvals carry the names of those who made them, and those are two.",
    resources=_RESOURCES,
    everywhere=True,
    unless=(
        Expression(
            "changes-approves-or-promotes",
            f"{_differ('promotions', '{}')} || {_differ('approvals', '[]')}"
            f" || {noted_otherwise((names.PROMOTED_BY_PREFIX,))} || (oldObject != null && !({_APPROVALS_ALONE}))",
        ),
    ),
    variables=(
        Expression("new", annotations("object")),
        Expression("old", annotations("oldObject")),
        *PROMOTIONS,
        *_APPROVALS,
    ),
    validations=(
        Validation(
            "promotion-stamp",
            (Threat.FORGED_AUTHORS,),
            f"variables.newPromotions.all(e, {_STAMP.format('e')} == {PROMOTER})",
            f"{names.PROMOTED_BY_PREFIX}* is written by the API server: {YOURS}",
            ME,
        ),
        Validation(
            "promotion-stray-stamp",
            (Threat.FORGED_AUTHORS,),
            f"""
            variables.new.all(k, !k.startsWith('{names.PROMOTED_BY_PREFIX}')
              || k.substring({len(names.PROMOTED_BY_PREFIX)}) in variables.newPromotions)
            """,
            f"{names.PROMOTED_BY_PREFIX}<environment> without a promotion to it",
        ),
        Validation(
            "approval-author",
            (Threat.FORGED_AUTHORS,),
            f"variables.added.all(a, a.?by.orValue('') == {ME})",
            f"approvals[].by is the approver himself: {YOURS}",
            ME,
        ),
        Validation(
            "approval-person",
            (Threat.FORGED_AUTHORS, Threat.WILDCARD_ROLES),
            f"variables.added.size() == 0 || !{ME}.startsWith('system:')",
            "a person approves, never a ServiceAccount",
        ),
        Validation(
            "approval-revision",
            (Threat.FORGED_AUTHORS,),
            """
            variables.added.all(a, a.environment in variables.newPromotions
              && variables.newPromotions[a.environment] == a.revision)
            """,
            "an approval names the revision that is being promoted to that environment; promote first",
        ),
        Validation(
            "approval-second-person",
            (Threat.FORGED_AUTHORS,),
            f"""
            object.spec.?approvals.orValue([]).all(a, !(a.environment in variables.newPromotions)
              || variables.newPromotions[a.environment] != a.revision
              || a.?by.orValue('') != {_STAMP.format("a.environment")})
            """,
            "whoever promoted it can't approve it; ask somebody else",
        ),
        # RBAC knows no fields: who may add an approval may, by his role, write the whole route.
        Validation(
            "approver-approves",
            (Threat.ESCALATED_ROLES,),
            f"""
            oldObject == null || ({_APPROVALS_ALONE}) || authorizer.group('{GROUP}')
              .resource('{MODEL_ROUTE.plural}').namespace(request.namespace).check('create').allowed()
            """,
            "whoever may not make routes changes nothing of them but approvals",
        ),
        Validation(
            "approval-right",
            (Threat.FORGED_AUTHORS,),
            f"""
            variables.added.size() == 0 || authorizer.group('{GROUP}').resource('{MODEL_ROUTE.plural}')
              .namespace(request.namespace).name(object.metadata.name).check('approve').allowed()
            """,
            "an approval needs the verb approve on modelroutes",
        ),
    ),
)

_LISTED: Final = "params.spec.?environments.orValue([]).filter(e, e.name == a.environment)"

APPROVERS: Final = Policy(
    name="ringfence-approvers",
    about="Approvals are for environments that there are, by their approvers where named; a strong sign-in if asked.",
    resources=_RESOURCES,
    unless=(
        Expression(
            "approvals-changed",
            _differ("approvals", "[]"),
        ),
    ),
    missing="Allow",
    variables=_APPROVALS,
    validations=(
        # Nobody is named for what is not there yet; an approval beforehand would count once somebody is.
        Validation(
            "approval-environment",
            (Threat.FORGED_AUTHORS,),
            f"variables.added.all(a, {_LISTED}.size() > 0)",
            "the Tenant has no such environment, so nobody can say who approves for it; add it to the Tenant first",
        ),
        Validation(
            "approver-listed",
            (Threat.FORGED_AUTHORS,),
            f"""
            variables.added.all(a, {_LISTED}.all(e, e.?approvers.orValue([]).size() == 0
              || ('User:' + {ME}) in e.approvers || request.userInfo.groups.exists(g, ('Group:' + g) in e.approvers)))
            """,
            "the environment's approvers are others; see the Tenant's spec.environments",
        ),
        Validation(
            "approval-step-up",
            (Threat.FORGED_AUTHORS,),
            f"variables.added.size() == 0 || {STEPPED_UP}",
            "sign in more strongly to approve; see the Tenant's spec.access.stepUp",
        ),
    ),
)

POLICIES: Final = (ROUTES, APPROVERS)
