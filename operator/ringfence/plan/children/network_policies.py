"""The pieces that all NetworkPolicies are made of.

Law: a peer is a namespace of the same tenant, a namespace that is no tenant's, or addresses outside the cluster.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from ringfence import names
from ringfence.model.kinds import NETWORK_POLICY
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired

Rule: TypeAlias = dict[str, Any]
Peer: TypeAlias = dict[str, Any]
PodPort: TypeAlias = int | str
"""A number, or the name that each pod has for one of its own (NetworkPolicyPort, networking.k8s.io/v1)."""

GATEWAY_PODS = {"matchLabels": {names.GATEWAY_LABEL: "true"}}


def policy(
    place: Place,
    name: str,
    *,
    ingress: Sequence[Rule] | None = None,
    egress: Sequence[Rule] | None = None,
    pods: Mapping[str, Any] | None = None,
) -> Desired:
    """A NetworkPolicy for ``pods`` (all of the namespace where left out); a direction that is None is not judged."""
    directions: list[Literal["Ingress", "Egress"]] = []
    spec: dict[str, Any] = {"podSelector": dict(pods or {}), "policyTypes": directions}
    if ingress is not None:
        directions.append("Ingress")
        if ingress:
            spec["ingress"] = list(ingress)
    if egress is not None:
        directions.append("Egress")
        if egress:
            spec["egress"] = list(egress)
    return place.child(NETWORK_POLICY, name, {"spec": spec})


def ports(asked: Collection[PodPort], protocols: Sequence[str] = ("TCP",)) -> list[dict[str, Any]]:
    """The ports of a rule, in order: numbers before names."""
    numbers = sorted({each for each in asked if isinstance(each, int)})
    known_by_name = sorted({each for each in asked if isinstance(each, str)})
    in_order: tuple[PodPort, ...] = (*numbers, *known_by_name)
    return [{"protocol": protocol, "port": port} for port in in_order for protocol in protocols]


def foreign_namespace(name: str) -> dict[str, Any]:
    """The selector of a namespace of the platform; it stops matching should the namespace ever become a tenant's."""
    return {
        "matchLabels": {"kubernetes.io/metadata.name": name},
        "matchExpressions": [{"key": names.TENANT_LABEL, "operator": "DoesNotExist"}],
    }
