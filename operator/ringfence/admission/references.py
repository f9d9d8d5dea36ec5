"""References from a tenant's objects into its Tenant.

Law: they warn and never refuse, for order must not matter: what is not there yet may come, and until then the object
waits with a reason in its status.
"""

from typing import Final

from ringfence.admission.cel import LIVING, RESOURCE, SPEC_CHANGED
from ringfence.admission.policy import Expression, Policy, Resources, Validation
from ringfence.admission.threats import Threat
from ringfence.model.kinds import GROUP, MODEL_ROUTE, NAMESPACE

REFERENCES: Final = Policy(
    name="ringfence-references",
    about="Whoever names a provider, model or environment that the Tenant does not have is told at once.",
    resources=(Resources(GROUP, (MODEL_ROUTE.plural, NAMESPACE.plural)),),
    unless=(LIVING, SPEC_CHANGED),
    missing="Allow",
    warns=True,
    variables=(
        Expression("route", f"{RESOURCE} == '{MODEL_ROUTE.plural}'"),
        Expression("environments", "params.spec.?environments.orValue([]).map(e, e.name)"),
        Expression(
            "unknown",
            """
            variables.route ? object.spec.backends.filter(b, !params.spec.?providers.orValue([])
              .exists(p, p.name == b.provider && b.model in p.models)) : []
            """,
        ),
        Expression(
            "astray",
            """
            variables.route ? object.spec.?promotions.orValue({}).map(e, e).filter(e,
              !(e in variables.environments) || e == variables.environments[0]) : []
            """,
        ),
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
    ),
)

POLICIES: Final = (REFERENCES,)
