"""Shared services of the platform that may come in: ingress controllers, monitoring."""

from collections.abc import Collection

from ringfence import names
from ringfence.plan.children.network_policies import foreign_namespace, policy
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


def make(place: Place, sources: Collection[str]) -> Desired:
    """Ingress to every pod from these core namespaces."""
    peers = [{"namespaceSelector": foreign_namespace(source)} for source in sorted(sources)]
    return policy(place, names.ALLOW_INGRESS, ingress=[{"from": peers}])
