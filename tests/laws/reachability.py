"""What the objects of a simulated cluster grant: who may do what, who reaches whom. Only for comparisons of two worlds.

It reads NetworkPolicies as Kubernetes does, for pods without labels of note: policies only add, and where no policy
selects a pod in a direction, everything is allowed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence import names
from ringfence.model.kinds import CORE_NAMESPACE, NETWORK_POLICY, ROLE_BINDING
from tests.simulation import Simulation

Grant = tuple[str, ...]


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches; the operators are the ones that Ringfence writes."""
    for expression in selector.get("matchExpressions", ()):
        assert expression["operator"] == "DoesNotExist"
        if expression["key"] in labels:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def namespaces(world: Simulation) -> dict[str, Mapping[str, str]]:
    """Labels of every core namespace, by name."""
    return {
        ref.name: {**thing["metadata"].get("labels", {}), "kubernetes.io/metadata.name": ref.name}
        for ref, thing in world.objects.items()
        if ref.type == CORE_NAMESPACE
    }


def policies(world: Simulation) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every NetworkPolicy's namespace and spec."""
    for ref, thing in world.objects.items():
        if ref.type == NETWORK_POLICY:
            yield ref.namespace, thing["spec"]


def peers(world: Simulation) -> Iterator[tuple[str, str, Mapping[str, Any], tuple[int, ...]]]:
    """Every peer of every rule: the policy's namespace, the direction, the peer, the ports."""
    for namespace, spec in policies(world):
        for direction, side in (("ingress", "from"), ("egress", "to")):
            for rule in spec.get(direction, ()):
                numbers = tuple(port["port"] for port in rule.get("ports", ()))
                for peer in rule.get(side, ()):
                    yield namespace, direction, peer, numbers


def granted(world: Simulation) -> frozenset[Grant]:
    """All that is allowed: roles held, namespaces reached, networks reached, directions that nothing closes."""
    return frozenset((*_held(world), *_reached(world), *_open(world)))


def _held(world: Simulation) -> Iterator[Grant]:
    for ref, thing in world.objects.items():
        if ref.type == ROLE_BINDING:
            for subject in thing.get("subjects", ()):
                yield "role", ref.namespace, thing["roleRef"]["name"], subject["kind"], subject["name"]


def _reached(world: Simulation) -> Iterator[Grant]:
    labels = namespaces(world)
    for namespace, direction, peer, numbers in peers(world):
        for port in numbers or ("any",):
            if "ipBlock" in peer:
                yield direction, namespace, peer["ipBlock"]["cidr"], str(port)
                continue
            for other in labels:
                if matches(peer.get("namespaceSelector", {}), labels[other]):
                    yield direction, namespace, other, str(port)


def _open(world: Simulation) -> Iterator[Grant]:
    """Tenant namespaces in which pods are closed by no policy at all, by direction."""
    closed = {
        (namespace, direction)
        for namespace, spec in policies(world)
        if not spec["podSelector"]
        for direction in spec["policyTypes"]
    }
    for namespace, labels in namespaces(world).items():
        if names.OWNER_UID_LABEL in labels:
            yield from (("open", namespace, way) for way in ("Ingress", "Egress") if (namespace, way) not in closed)
