"""Random sets of NetworkPolicies with pods and machines around them: small vocabularies, so that things meet.

What the API allows is all there: selectors with every operator, both selectors in one peer, blocks with exceptions,
empty and missing lists, ranges of ports, ports by name, and policies that leave their types to the API server.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from random import Random
from typing import Any, Final

from ringfence.reach.read import read
from ringfence.reach.world import NAME_LABEL, End, External, Pod, World

Object = dict[str, Any]

NAMESPACES: Final = ("red", "blue", "green")
_LABELS: Final = {"app": ("web", "db"), "tier": ("front", "back")}
_NAMED: Final = {("http", "TCP"): frozenset({8080}), ("dns", "UDP"): frozenset({53})}
_NUMBERS: Final = (53, 80, 8080, 8081)
_BLOCKS: Final = (
    {"cidr": "0.0.0.0/0"},
    {"cidr": "::/0"},
    {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "203.0.113.128/25"]},
    {"cidr": "10.0.0.0/8", "except": ["10.0.1.0/24"]},
    {"cidr": "10.0.1.9/24"},
    {"cidr": "203.0.113.0/24", "except": ["203.0.113.64/26"]},
    {"cidr": "2001:db8::/32", "except": ["2001:db8:1::/48"]},
)
_MACHINES: Final = ("203.0.113.7", "203.0.113.70", "203.0.113.200", "10.0.9.9", "2001:db8::7", "2001:db8:1::7")


@dataclass(frozen=True)
class PolicySet:
    """Namespaces, policies as somebody wrote them, and who connects."""

    namespaces: Mapping[str, Mapping[str, str]]
    """Labels by name."""
    policies: Sequence[Object]
    ends: Sequence[End]

    def world(self, policies: Sequence[Object] | None = None) -> World:
        """The world with these policies, or with others in their place."""
        cores = [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}
            for name, labels in self.namespaces.items()
        ]
        found = read([*cores, *(self.policies if policies is None else policies)])
        assert found.unknown == ()
        pods = [end for end in self.ends if isinstance(end, Pod)]
        return replace(found.world, pods={name: [pod for pod in pods if pod.namespace == name] for name in NAMESPACES})


def policy_set(random: Random, *, most: int = 5) -> PolicySet:
    """A set of up to ``most`` policies over three namespaces, five pods and two machines."""
    namespaces = {name: {NAME_LABEL: name, **labels(random)} for name in NAMESPACES}
    policies = [_policy(random, f"policy-{number}") for number in range(random.randint(1, most))]
    pods = [_pod(random, number) for number in range(5)]
    machines = [External(ip_address(address)) for address in random.sample(_MACHINES, 2)]
    return PolicySet(namespaces, policies, [*pods, *machines])


def labels(random: Random) -> dict[str, str]:
    """Some of the labels that selectors speak of."""
    return {key: random.choice(values) for key, values in _LABELS.items() if random.random() < 0.7}


def selector(random: Random) -> Object:
    """A label selector; often an empty one."""
    found: Object = {}
    if random.random() < 0.5:
        found["matchLabels"] = labels(random)
    if random.random() < 0.4:
        found["matchExpressions"] = [_expression(random) for _ in range(random.randint(1, 2))]
    return found


def question_ports(random: Random) -> tuple[str, int]:
    """A protocol and a number to ask for."""
    return random.choice(("TCP", "TCP", "UDP", "SCTP")), random.choice(_NUMBERS)


def _expression(random: Random) -> Object:
    key, values = random.choice(tuple(_LABELS.items()))
    operator = random.choice(("In", "NotIn", "Exists", "DoesNotExist"))
    listed = {"values": random.sample(values, random.randint(1, 2))} if operator in ("In", "NotIn") else {}
    return {"key": key, "operator": operator, **listed}


def _policy(random: Random, name: str) -> Object:
    spec: Object = {"podSelector": selector(random)}
    if random.random() < 0.8:
        spec["policyTypes"] = random.choice((["Ingress"], ["Egress"], ["Ingress", "Egress"]))
    for direction, side in (("ingress", "from"), ("egress", "to")):
        if random.random() < 0.7:
            spec[direction] = [_rule(random, side) for _ in range(random.choice((0, 1, 1, 2)))]
    metadata = {"name": name, "namespace": random.choice(NAMESPACES)}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def _rule(random: Random, side: str) -> Object:
    rule: Object = {}
    if random.random() < 0.8:
        rule[side] = [_peer(random) for _ in range(random.choice((0, 1, 1, 2)))]
    if random.random() < 0.7:
        rule["ports"] = [_port(random) for _ in range(random.choice((0, 1, 1, 2)))]
    return rule


def _peer(random: Random) -> Object:
    if random.random() < 0.3:
        return {"ipBlock": random.choice(_BLOCKS)}
    chosen = random.choice((("podSelector",), ("namespaceSelector",), ("podSelector", "namespaceSelector")))
    return {name: selector(random) for name in chosen}


def _port(random: Random) -> Object:
    port: Object = {}
    if random.random() < 0.7:
        port["protocol"] = random.choice(("TCP", "UDP", "SCTP"))
    if random.random() < 0.8:
        port["port"] = random.choice((*_NUMBERS, "http", "dns"))
        if isinstance(port["port"], int) and random.random() < 0.4:
            port["endPort"] = port["port"] + random.choice((0, 1, 100, 8000))
    return port


def _pod(random: Random, number: int) -> Pod:
    address = f"2001:db8::{number + 16}" if random.random() < 0.2 else f"10.0.{number % 3}.{number + 1}"
    ports = {key: numbers for key, numbers in _NAMED.items() if random.random() < 0.7}
    where = random.choice(NAMESPACES)
    return Pod(where, labels(random), name=f"pod-{number}", addresses=(ip_address(address),), ports=ports)
