"""Shells, and other ways past a workload's own door.

Law: RBAC binds the right to open a shell only where it may be used; this holds for roles that nobody thought of.
"""

from typing import Final

from ringfence.admission.cel import NAMESPACE_GLASS, SUBRESOURCE
from ringfence.admission.policy import Policy, Resources, Validation
from ringfence.admission.threats import Threat

SHELLS: Final = Policy(
    name="ringfence-shells",
    about="No shell in protected environments, beside private models and in incidents; no proxy by the API server.",
    resources=(
        Resources("", ("pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "services/proxy"), ("CONNECT",)),
        Resources("", ("pods/ephemeralcontainers",), ("UPDATE",)),
    ),
    variables=(NAMESPACE_GLASS,),
    missing="Deny",
    validations=(
        Validation(
            "shell-open",
            (Threat.OPENED_SHELLS, Threat.WILDCARD_ROLES),
            f"variables.glass || {SUBRESOURCE} == 'proxy' || params.spec.?execAllowed.orValue(false)",
            "no shells here: the environment is protected, private models run here, or this is a home namespace",
        ),
        Validation(
            "shell-proxy",
            (Threat.OPENED_SHELLS, Threat.OPENED_NETWORK),
            f"variables.glass || {SUBRESOURCE} != 'proxy'",
            "the API server's proxy passes by every NetworkPolicy",
        ),
    ),
)

POLICIES: Final = (SHELLS,)
