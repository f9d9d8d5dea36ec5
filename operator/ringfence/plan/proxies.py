"""Whom gateways may believe where a client is.

Law: pods reach gateways themselves, so a network that pods have addresses in is no proxy's. While the installation
trusts one, or while it can't be known, no key is served that is bound to a place.
"""

from ringfence.model.namespace import NamespaceSpec
from ringfence.plan.plan import Finding
from ringfence.plan.ranges import overlap
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Facts


def doubt(facts: Facts) -> str:
    """Why the word of trusted proxies can't be told from a pod's; empty where it can, or where none is trusted."""
    if not facts.trusted_proxies:
        return ""
    if "pods" in facts.unknown_ranges:
        return "it is not known which addresses pods have; name their ranges in --pod-ranges of the operator"
    for each in facts.trusted_proxies:
        if taken := overlap(each, facts.pod_ranges):
            return (
                f"--trusted-proxies of the operator has {each}, and pods have addresses in {taken}; "
                "give the proxies a network of their own, and name that"
            )
    return ""


def refused(namespace: NamespaceSpec, facts: Facts) -> Finding | None:
    """What is said where keys with networks are not served for that reason."""
    bound = sorted(key.name for key in namespace.gateway_keys if key.allow_cidrs)
    why = doubt(facts)
    if not bound or not why:
        return None
    message = f"gateway keys with allowCIDRs are not served ({', '.join(bound)}): {why}"
    return Finding(Reason.PROXY_DOUBTED, message, ConditionType.ACCEPTED)
