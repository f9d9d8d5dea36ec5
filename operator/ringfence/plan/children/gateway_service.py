"""How callers reach the gateway's pods, and how few of those may be away at once."""

from ringfence import names
from ringfence.model.kinds import DISRUPTION_BUDGET, SERVICE
from ringfence.plan.children.network_policies import GATEWAY_PODS
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


def make(place: Place) -> Desired:
    """The Service. Callers need one port; by its EndpointSlices, each replica is asked at the others."""
    ports = [
        _port("https", names.GATEWAY_PORT),
        _port("metrics", names.GATEWAY_METRICS_PORT),
        _port("usage", names.GATEWAY_USAGE_PORT),
    ]
    spec = {"type": "ClusterIP", "selector": GATEWAY_PODS["matchLabels"], "ports": ports}
    return place.child(SERVICE, names.GATEWAY, {"spec": spec})


def _port(name: str, number: int) -> dict[str, object]:
    return {"name": name, "port": number, "protocol": "TCP", "targetPort": name}


def make_budget(place: Place) -> Desired:
    """One at a time: a node can be drained also where there is a single replica."""
    return place.child(DISRUPTION_BUDGET, names.GATEWAY, {"spec": {"maxUnavailable": 1, "selector": GATEWAY_PODS}})
