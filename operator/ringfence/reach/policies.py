"""A NetworkPolicy as a set of openings.

Law: policies only add. A policy closes a direction for the pods that it selects, and each peer of each of its rules
opens it again for somebody; a rule without peers opens it for everybody, one without ports on every port.
(networking.k8s.io/v1 NetworkPolicySpec; defaults as in the API server's SetDefaults_NetworkPolicy.)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ringfence.reach.addresses import Block
from ringfence.reach.ports import Ports, parse_ports
from ringfence.reach.selectors import EVERYTHING, Selector


class Direction(StrEnum):
    """Which way connections go, seen from the pods that a policy selects."""

    INGRESS = "Ingress"
    EGRESS = "Egress"


@dataclass(frozen=True, slots=True)
class Anyone:
    """Every pod and every address."""

    def __str__(self) -> str:
        return "everybody"


@dataclass(frozen=True, slots=True)
class Pods:
    """Pods of the namespaces that are selected; of the policy's own namespace where no selector is given."""

    namespaces: Selector | None
    pods: Selector = EVERYTHING


Peer = Anyone | Pods | Block
ANYONE: Final = Anyone()


@dataclass(frozen=True, slots=True)
class Opening:
    """One way in or out: for which pods of a namespace, for whom on the other side, on which ports.

    Without a ``policy`` it is what no policy closes: the pods that none of ``avoided`` selects.
    """

    direction: Direction
    policy: str
    pods: Selector
    peer: Peer
    ports: Ports
    avoided: tuple[Selector, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """One NetworkPolicy; ``name`` has its namespace in front."""

    namespace: str
    name: str
    pods: Selector
    closes: frozenset[Direction]
    openings: tuple[Opening, ...]

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> "Policy":
        """The policy that a manifest says. Raises ValueError and its like for one that the API server would refuse."""
        metadata, spec = manifest["metadata"], manifest.get("spec") or {}
        namespace = metadata.get("namespace") or "default"
        name = f"{namespace}/{metadata['name']}"
        pods, closes = Selector.parse(spec.get("podSelector") or {}), frozenset(_directions(spec))
        return cls(namespace, name, pods, closes, tuple(_openings(spec, closes, name, pods)))


def _directions(spec: Mapping[str, Any]) -> Iterator[Direction]:
    if types := spec.get("policyTypes"):
        yield from map(Direction, types)
        return
    yield Direction.INGRESS
    if spec.get("egress"):
        yield Direction.EGRESS


def _openings(spec: Mapping[str, Any], closes: frozenset[Direction], policy: str, pods: Selector) -> Iterator[Opening]:
    for direction, rules, side in ((Direction.INGRESS, "ingress", "from"), (Direction.EGRESS, "egress", "to")):
        for rule in (spec.get(rules) or ()) if direction in closes else ():
            ports = parse_ports(rule.get("ports"))
            for peer in map(_peer, rule[side]) if rule.get(side) else (ANYONE,):
                yield Opening(direction, policy, pods, peer, ports)


def _peer(raw: Mapping[str, Any]) -> Peer:
    namespaces, pods, block = (raw.get(name) for name in ("namespaceSelector", "podSelector", "ipBlock"))
    if block is not None:
        if namespaces is not None or pods is not None:
            raise ValueError("a peer with an ipBlock has no selectors")
        return Block.parse(block)
    if namespaces is None and pods is None:
        raise ValueError("a peer needs a podSelector, a namespaceSelector or an ipBlock")
    return Pods(None if namespaces is None else Selector.parse(namespaces), Selector.parse(pods or {}))
