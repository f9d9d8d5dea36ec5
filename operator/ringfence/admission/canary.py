"""The canary: the identity by which the operator asks whether policies refuse what they should.

Law: it asks and changes nothing. Its roles are a tenant owner's in two empty namespaces; without this rule they would
be a way for the operator to run what its own fence keeps it from running.
"""

from typing import Final

from ringfence import names
from ringfence.admission.cel import ME
from ringfence.admission.policy import CHANGE, Expression, Policy, Resources, Validation
from ringfence.admission.threats import Threat

CANARY: Final = Policy(
    name="ringfence-canary",
    about="The canary, by which the operator asks whether policies refuse, changes nothing.",
    resources=(Resources("*", ("*/*",), CHANGE, "Namespaced"),),
    namespaces=({"key": "kubernetes.io/metadata.name", "operator": "In", "values": [names.CANARY, names.CANARY_HOME]},),
    unless=(Expression("the-canary", f"{ME} == '{names.CANARY_USER}'"),),
    validations=(
        Validation(
            "canary-dry-run",
            (Threat.CONFUSED_DEPUTY,),
            "request.?dryRun.orValue(false)",
            "the canary asks by dry runs only",
        ),
    ),
)

POLICIES: Final = (CANARY,)
