"""The ResourceQuota: what was granted, and limits on objects that every tenant namespace has."""

from collections.abc import Mapping
from typing import Final

from ringfence import names
from ringfence.model.kinds import RESOURCE_QUOTA
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired

# Ports and addresses of the nodes are nobody's: what needs them goes through the platform's ingress.
_NEVER: Final = {"services.nodeports": "0", "services.loadbalancers": "0"}
# Against floods of etcd. Kinds that the fence consists of are left out: a tenant who used up such a count would keep
# the fence from being repaired. The operator's own ConfigMap is made before the quota.
_OBJECTS: Final = {
    "configmaps": "1k",
    "secrets": "500",
    "services": "200",
    "persistentvolumeclaims": "200",
    "count/cronjobs.batch": "200",
    "count/deployments.apps": "200",
    "count/jobs.batch": "1k",
    "count/replicasets.apps": "2k",
    "count/statefulsets.apps": "100",
}
# Nothing runs in a home namespace but the tenant's gateway, which the platform team sizes.
_HOME: Final = {"pods": "50", "persistentvolumeclaims": "0", "secrets": "200", "configmaps": "200", "services": "10"}


def make(place: Place, granted: Mapping[str, str]) -> Desired:
    """The quota of a core namespace; ``granted`` are canonical quantities by resource."""
    return _quota(place, {**_OBJECTS, **granted, **_NEVER})


def make_home(place: Place) -> Desired:
    """The quota of a home namespace."""
    return _quota(place, {**_OBJECTS, **_HOME, **_NEVER})


def _quota(place: Place, hard: Mapping[str, str]) -> Desired:
    return place.child(RESOURCE_QUOTA, names.QUOTA, {"spec": {"hard": dict(sorted(hard.items()))}})
