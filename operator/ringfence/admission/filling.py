"""What mutating policies fill in beside stamps: approvers' names, regions, accounts without a token.

Law: see `ringfence.admission.mutation`; each names the validating policy that demands what it fills in.
"""

from typing import Final

from ringfence.admission.cel import ME, RESOURCE
from ringfence.admission.mutation import INDICES, Mutation
from ringfence.admission.policy import CREATE, IN_TENANTS, WRITE, Expression, Resources
from ringfence.admission.scheduling import AFFINITY, REGION, REGIONS, in_regions
from ringfence.model.kinds import GROUP, MODEL_ROUTE, RETENTION_POLICY

_BASE: Final = f"/spec/affinity/nodeAffinity/{AFFINITY}"
_TERMS: Final = f"object.spec.?affinity.?nodeAffinity.?{AFFINITY}.?nodeSelectorTerms.orValue([])"


_APPROVALS: Final = f"({RESOURCE} == '{MODEL_ROUTE.plural}' ? object.spec.?approvals.orValue([]) : [])"
_HOLDS: Final = f"({RESOURCE} == '{RETENTION_POLICY.plural}' ? object.spec.?legalHolds.orValue([]) : [])"


def _unsigned(items: str, condition: str, path: str) -> str:
    """Patches that put the writer's name into entries that lack one."""
    return f"""
        {INDICES}.filter(i, i < variables.{items}.size() && {condition})
          .map(i, JSONPatch{{op: 'add', path: {path}, value: {ME}}})
        """


SIGNING: Final = Mutation(
    name="ringfence-signatures",
    about="Fills in who approves and who asks for a release; `ringfence-promotions` and `ringfence-holds` judge it.",
    resources=(Resources(GROUP, (MODEL_ROUTE.plural, RETENTION_POLICY.plural), WRITE),),
    unless=(
        Expression(
            "unsigned",
            f"{_APPROVALS}.exists(a, !has(a.by)) || {_HOLDS}.exists(h, has(h.release) && !has(h.release.requestedBy))",
        ),
    ),
    variables=(Expression("approvals", _APPROVALS), Expression("holds", _HOLDS)),
    patches=_unsigned("approvals", "!has(variables.approvals[i].by)", "'/spec/approvals/' + string(i) + '/by'")
    + "+"
    + _unsigned(
        "holds",
        "has(variables.holds[i].release) && !has(variables.holds[i].release.requestedBy)",
        "'/spec/legalHolds/' + string(i) + '/release/requestedBy'",
    ),
)

# Terms are alternatives: each of them is given the regions, unless it keeps to them already.
REGION_AFFINITY: Final = Mutation(
    name="ringfence-regions",
    about="Adds the tenant's regions to every term of a pod's node affinity; `ringfence-pods` demands them.",
    resources=(Resources("", ("pods",), CREATE),),
    namespaces=IN_TENANTS,
    unless=(
        Expression(
            "lacks-regions",
            f"""
            {REGIONS}.size() > 0 && ({_TERMS}.size() == 0 || !{_TERMS}.all(t,
              t.?matchExpressions.orValue([]).exists(m, {in_regions("m")})))
            """,
        ),
    ),
    missing="Deny",
    variables=(
        Expression("terms", _TERMS),
        Expression("regions", f"{{'key': dyn('{REGION}'), 'operator': dyn('In'), 'values': dyn({REGIONS})}}"),
        Expression(
            "open",
            f"""
            {INDICES}.filter(i, i < variables.terms.size()
              && !variables.terms[i].?matchExpressions.orValue([]).exists(m, {in_regions("m")}))
            """,
        ),
    ),
    patches=f"""
        (has(object.spec.affinity) ? [] : [JSONPatch{{op: 'add', path: '/spec/affinity', value: {{}}}}])
        + (object.spec.?affinity.?nodeAffinity.hasValue() ? []
          : [JSONPatch{{op: 'add', path: '/spec/affinity/nodeAffinity', value: {{}}}}])
        + (variables.terms.size() > 0 ? [] : [JSONPatch{{op: 'add', path: '{_BASE}',
            value: {{'nodeSelectorTerms': [{{'matchExpressions': [variables.regions]}}]}}}}])
        + variables.open.map(i, has(variables.terms[i].matchExpressions)
          ? JSONPatch{{op: 'add', path: '{_BASE}/nodeSelectorTerms/' + string(i) + '/matchExpressions/-',
              value: variables.regions}}
          : JSONPatch{{op: 'add', path: '{_BASE}/nodeSelectorTerms/' + string(i) + '/matchExpressions',
              value: [variables.regions]}})
        """,
)

TOKENLESS: Final = Mutation(
    name="ringfence-service-accounts",
    about="A tenant's ServiceAccount mounts no token unless it says so; `ringfence-pods` refuses such tokens.",
    resources=(Resources("", ("serviceaccounts",), CREATE),),
    namespaces=IN_TENANTS,
    unless=(Expression("says-nothing", "!has(object.automountServiceAccountToken)"),),
    patches="[JSONPatch{op: 'add', path: '/automountServiceAccountToken', value: false}]",
)

MUTATIONS: Final = (SIGNING, REGION_AFFINITY, TOKENLESS)
