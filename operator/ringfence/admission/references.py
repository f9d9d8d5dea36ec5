"""References from a tenant's objects into its Tenant.

Law: they warn and never refuse, for order must not matter: what is not there yet may come, and until then the object
waits with a reason in its status.
"""

from typing import Final

from ringfence.admission.cel import LIVING, RESOURCE, SPEC_CHANGED
from ringfence.admission.policy import Expression, Policy, Resources, Validation
from ringfence.admission.threats import Threat
from ringfence.model.kinds import GROUP, MODEL_ROUTE, NAMESPACE

_STAGES: Final = "params.spec.?environments.orValue([])"
_ENVIRONMENTS: Final = f"{_STAGES}.map(e, e.name)"
_UNKNOWN: Final = "!params.spec.?providers.orValue([]).exists(p, p.name == b.provider && b.model in p.models)"
_STOOD: Final = "oldObject != null && oldObject.spec.?promotions[?e] == object.spec.?promotions[?e]"
_ASTRAY: Final = f"!({_STOOD}) && !{_STAGES}.exists(s, s.name == e && (s.protected || s.name != {_STAGES}[0].name))"
"""Nothing is promoted to an environment that there is not, or that follows the spec: an unprotected first one.

Who promotes is told, and not whoever changes the route later.
"""
_REFUSED: Final = (
    f"{_STAGES}.exists(e, e.protected && e.name == object.spec.environment)"
    " ? object.spec.?gatewayKeys.orValue([]).filter(k, k.?mode.orValue('Test') == 'Test') : []"
)
_ROUTE: Final = f"{RESOURCE} == '{MODEL_ROUTE.plural}'"

REFERENCES: Final = Policy(
    name="ringfence-references",
    about="Whoever names a provider, model, environment or key that the Tenant does not allow is told at once.",
    resources=(Resources(GROUP, (MODEL_ROUTE.plural, NAMESPACE.plural)),),
    unless=(
        LIVING,
        SPEC_CHANGED,
        Expression(
            "leads-nowhere",
            f"""
            {_ROUTE} ? object.spec.backends.exists(b, {_UNKNOWN})
                || object.spec.?promotions.orValue({{}}).exists(e, {_ASTRAY})
              : !(object.spec.environment in {_ENVIRONMENTS}) || ({_REFUSED}).size() > 0
            """,
        ),
    ),
    missing="Allow",
    warns=True,
    variables=(
        Expression("route", _ROUTE),
        Expression("environments", _ENVIRONMENTS),
        Expression(
            "unknown",
            f"variables.route ? object.spec.backends.filter(b, {_UNKNOWN}) : []",
        ),
        Expression(
            "astray",
            f"variables.route ? object.spec.?promotions.orValue({{}}).map(e, e).filter(e, {_ASTRAY}) : []",
        ),
        Expression("refused", f"variables.route ? [] : ({_REFUSED})"),
    ),
    validations=(
        Validation(
            "reference-model",
            (Threat.FORGED_HOSTS,),
            "variables.unknown.size() == 0",
            "the Tenant approves no such model:",
            "variables.unknown[0].provider + '/' + variables.unknown[0].model",
        ),
        Validation(
            "reference-promotion",
            (Threat.CHANGED_PLACE,),
            "variables.astray.size() == 0",
            "nothing is promoted to this environment:",
            "variables.astray[0]",
        ),
        Validation(
            "reference-environment",
            (Threat.CHANGED_PLACE,),
            "variables.route || object.spec.environment in variables.environments",
            "the Tenant has no environment",
            "object.spec.?environment.orValue('')",
        ),
        Validation(
            "reference-test-key",
            (Threat.STOLEN_TOKENS,),
            "variables.refused.size() == 0",
            "a protected environment serves no gateway key of mode Test:",
            "variables.refused[0].name",
        ),
    ),
)

POLICIES: Final = (REFERENCES,)
