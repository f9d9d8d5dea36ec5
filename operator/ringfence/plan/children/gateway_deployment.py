"""The Deployment of a tenant's gateway."""

from ringfence import names
from ringfence.model.kinds import DEPLOYMENT
from ringfence.plan.children import gateway_pod
from ringfence.plan.children.network_policies import GATEWAY_PODS
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


def make(place: Place, pod: gateway_pod.Pod, replicas: int) -> Desired:
    """As many pods as asked; a new one is ready before an old one is asked to end."""
    spec = {
        "replicas": replicas,
        "revisionHistoryLimit": 2,
        "selector": GATEWAY_PODS,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": gateway_pod.template(place, pod),
    }
    return place.child(DEPLOYMENT, names.GATEWAY, {"spec": spec})
