"""What mutating policies fill in beside names: regions, and accounts without a token.

Law: see `ringfence.admission.mutation`; each names the validating policy that demands what it fills in.
"""

from typing import Final

from ringfence.admission.mutation import INDICES, Mutation
from ringfence.admission.policy import CREATE, IN_TENANTS, Expression, Resources
from ringfence.admission.scheduling import AFFINITY, REGION, REGIONS, in_regions

_BASE: Final = f"/spec/affinity/nodeAffinity/{AFFINITY}"
_TERMS: Final = f"object.spec.?affinity.?nodeAffinity.?{AFFINITY}.?nodeSelectorTerms.orValue([])"

_REQUIREMENT: Final = f"{{'key': dyn('{REGION}'), 'operator': dyn('In'), 'values': dyn({REGIONS})}}"


def _added(path: str, value: str) -> str:
    return f"JSONPatch{{op: 'add', path: {path}, value: {value}}}"


_WHOLE: Final = f"{{'nodeSelectorTerms': [{{'matchExpressions': [{_REQUIREMENT}]}}]}}"

# Terms are alternatives: each of them is given the regions, unless it keeps to them already. Most pods have no affinity
# at all; for them one patch is enough, and no variable, each of which is a program of its own.
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
        Expression(
            "open",
            f"""
            {INDICES}.filter(i, i < variables.terms.size()
              && !variables.terms[i].?matchExpressions.orValue([]).exists(m, {in_regions("m")}))
            """,
        ),
    ),
    patches=f"""
        !has(object.spec.affinity)
          ? [{_added("'/spec/affinity'", f"{{'nodeAffinity': {{'{AFFINITY}': {_WHOLE}}}}}")}]
          : !has(object.spec.affinity.nodeAffinity)
          ? [{_added("'/spec/affinity/nodeAffinity'", f"{{'{AFFINITY}': {_WHOLE}}}")}]
          : variables.terms.size() == 0
          ? [{_added(f"'{_BASE}'", _WHOLE)}]
          : variables.open.map(i, has(variables.terms[i].matchExpressions)
            ? {_added(f"'{_BASE}/nodeSelectorTerms/' + string(i) + '/matchExpressions/-'", _REQUIREMENT)}
            : {_added(f"'{_BASE}/nodeSelectorTerms/' + string(i) + '/matchExpressions'", f"[{_REQUIREMENT}]")})
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

MUTATIONS: Final = (REGION_AFFINITY, TOKENLESS)
