"""The way to the tenant's own gateway, and from it to model frontends."""

from collections.abc import Collection

from ringfence import names
from ringfence.plan.children.network_policies import GATEWAY_PODS, policy, ports
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


def make(place: Place, *, frontends: Collection[int] = ()) -> Desired:
    """Egress of every pod to the gateway; where model frontends run, ingress from it to their ports."""
    home = Place.home(place.tenant, place.owner_uid)
    gateway = {"namespaceSelector": home.selector, "podSelector": GATEWAY_PODS}
    return policy(
        place,
        names.ALLOW_GATEWAY,
        egress=[{"to": [gateway], "ports": ports([names.GATEWAY_PORT])}],
        ingress=[{"from": [gateway], "ports": ports(frontends)}] if frontends else None,
    )


def make_home(place: Place) -> Desired:
    """Ingress of the gateway's pods from every namespace of the tenant that is not its home."""
    workloads = {
        "matchLabels": {names.TENANT_LABEL: place.tenant, names.OWNER_UID_LABEL: place.owner_uid},
        "matchExpressions": [{"key": names.HOME_LABEL, "operator": "DoesNotExist"}],
    }
    rule = {"from": [{"namespaceSelector": workloads}], "ports": ports([names.GATEWAY_PORT])}
    return policy(place, names.ALLOW_GATEWAY, ingress=[rule], pods=GATEWAY_PODS)
