"""The way to the tenant's own gateway, and from it to model frontends."""

from collections.abc import Collection

from ringfence import names
from ringfence.plan.children.network_policies import GATEWAY_PODS, PodPort, Rule, foreign_namespace, policy, ports
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


def make(place: Place, *, frontends: Collection[PodPort] = ()) -> Desired:
    """Egress of every pod to the gateway; where model frontends run, ingress from it to these ports of theirs."""
    home = Place.home(place.tenant, place.owner_uid)
    gateway = {"namespaceSelector": home.selector, "podSelector": GATEWAY_PODS}
    return policy(
        place,
        names.ALLOW_GATEWAY,
        egress=[{"to": [gateway], "ports": ports([names.GATEWAY_PORT])}],
        ingress=[{"from": [gateway], "ports": ports(frontends)}] if frontends else None,
    )


def make_home(place: Place, *, operator_namespace: str, shared: Collection[str] = ()) -> Desired:
    """Ingress of the gateway's pods.

    From every namespace of the tenant that is not its home; from the operator, which probes and collects; from the
    platform's ``shared`` namespaces, which lead callers from outside and read metrics.
    """
    workloads = {
        "matchLabels": {names.TENANT_LABEL: place.tenant, names.OWNER_UID_LABEL: place.owner_uid},
        "matchExpressions": [{"key": names.HOME_LABEL, "operator": "DoesNotExist"}],
    }
    operator = {
        "namespaceSelector": foreign_namespace(operator_namespace),
        "podSelector": {"matchLabels": names.OPERATOR_PODS},
    }
    everything = (names.GATEWAY_PORT, names.GATEWAY_METRICS_PORT, names.GATEWAY_USAGE_PORT)
    rules: list[Rule] = [
        {"from": [{"namespaceSelector": workloads}], "ports": ports([names.GATEWAY_PORT])},
        {"from": [operator], "ports": ports(everything)},
    ]
    if shared:
        sources = [{"namespaceSelector": foreign_namespace(name)} for name in sorted(shared)]
        rules.append({"from": sources, "ports": ports(everything)})
    return policy(place, names.ALLOW_GATEWAY, ingress=rules, pods=GATEWAY_PODS)
