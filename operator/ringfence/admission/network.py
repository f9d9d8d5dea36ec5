"""NetworkPolicies of tenants: they only add to the fence, so each must stay within it.

Law: what a tenant opens is open to peers of the same tenant and environment, and to nobody in an incident or beside a
private model.
"""

from typing import Final

from ringfence import names
from ringfence.admission.cel import GLASS_WHOLE, LIVING, NOT_OPERATOR, namespace_label
from ringfence.admission.policy import Expression, Policy, Resources, Validation
from ringfence.admission.threats import Threat

_RESOURCES: Final = (Resources("networking.k8s.io", ("networkpolicies",)),)
_UNLESS: Final = (NOT_OPERATOR, GLASS_WHOLE, LIVING)


def _names(label: str) -> str:
    chosen = f"p.namespaceSelector.?matchLabels[?'{label}'].orValue('')"
    return f"({chosen} != '' && {chosen} == {namespace_label(label)})"


NETWORK_POLICIES: Final = Policy(
    name="ringfence-network-policies",
    about="A tenant's NetworkPolicy opens nothing beyond the tenant and the environment.",
    resources=_RESOURCES,
    unless=_UNLESS,
    variables=(
        Expression(
            "sides",
            """
            object.spec.?ingress.orValue([]).map(r, r.?from.orValue([]))
              + object.spec.?egress.orValue([]).map(r, r.?to.orValue([]))
            """,
        ),
    ),
    validations=(
        Validation(
            "network-policy-home",
            (Threat.OPENED_NETWORK,),
            f"{namespace_label(names.HOME_LABEL)} == ''",
            "in a tenant's home namespace the operator's NetworkPolicies are the only ones",
        ),
        Validation(
            "network-policy-open",
            (Threat.OPENED_NETWORK,),
            "variables.sides.all(peers, peers.size() > 0)",
            "every rule names its peers: one without any is open to the whole world",
        ),
        Validation(
            "network-policy-addresses",
            (Threat.OPENED_NETWORK, Threat.EXFILTRATION),
            "variables.sides.all(peers, peers.all(p, !has(p.ipBlock)))",
            "no addresses: networks are opened in the Tenant's spec.network.egress",
        ),
        Validation(
            "network-policy-tenant",
            (Threat.OPENED_NETWORK,),
            f"""
            variables.sides.all(peers, peers.all(p, !has(p.namespaceSelector) || {_names(names.TENANT_LABEL)}))
            """,
            f"a namespaceSelector names the own tenant in matchLabels: {names.TENANT_LABEL}",
        ),
        Validation(
            "network-policy-environment",
            (Threat.OPENED_NETWORK,),
            f"""
            variables.sides.all(peers, peers.all(p, !has(p.namespaceSelector) || {_names(names.ENVIRONMENT_LABEL)}))
            """,
            f"a namespaceSelector names the own environment in matchLabels: {names.ENVIRONMENT_LABEL}",
        ),
    ),
)

NETWORK_RULES: Final = Policy(
    name="ringfence-network-rules",
    about="In an incident, and beside a private model, a tenant opens nothing at all.",
    resources=_RESOURCES,
    unless=(
        *_UNLESS,
        Expression(
            "quarantined-or-private", "params.spec.?quarantined.orValue(false) || params.spec.?private.orValue(false)"
        ),
    ),
    missing="Allow",
    validations=(
        Validation(
            "network-policy-quarantine",
            (Threat.OPENED_NETWORK,),
            "!params.spec.?quarantined.orValue(false)",
            "this namespace is quarantined",
        ),
        Validation(
            "network-policy-private",
            (Threat.OPENED_NETWORK,),
            """
            !params.spec.?private.orValue(false) || (object.spec.?ingress.orValue([]).size() == 0
              && (!has(object.spec.policyTypes) || !('Ingress' in object.spec.policyTypes)))
            """,
            "private models run here: nobody but the gateway comes in, so policies are for Egress only",
        ),
    ),
)

POLICIES: Final = (NETWORK_POLICIES, NETWORK_RULES)
