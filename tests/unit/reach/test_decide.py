"""NetworkPolicy's rules one by one, where a reader looks for them; random sets are compared in tests/interop."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import pytest

from ringfence.reach.decide import Answer, Verdict, decide
from ringfence.reach.policies import Policy
from ringfence.reach.ports import Port, in_words
from ringfence.reach.read import read
from ringfence.reach.world import End, External, Pod, World

Object = dict[str, Any]

HTTP = {("http", "TCP"): frozenset({8080})}
WEB = Pod("red", {"app": "web"}, name="web", addresses=(ip_address("10.0.0.1"),), ports=HTTP)
DATABASE = Pod("blue", {"app": "db"}, name="db", addresses=(ip_address("10.0.0.2"),))
MACHINE = External(ip_address("203.0.113.7"))
TCP_80 = Port("TCP", 80)


def world(*specs: Mapping[str, Any], namespace: str = "red", nodes: tuple[str, ...] = ()) -> World:
    """Two namespaces, with policies in one of them."""
    cores: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"color": name}}}
        for name in ("red", "blue")
    ]
    policies = [policy(spec, f"policy-{number}", namespace) for number, spec in enumerate(specs)]
    machines: list[Object] = [
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": cidr}, "spec": {"podCIDRs": [cidr]}} for cidr in nodes
    ]
    found = read([*cores, *policies, *machines])
    assert found.unknown == ()
    return found.world


def policy(spec: Mapping[str, Any], name: str = "policy", namespace: str = "red") -> Object:
    """A NetworkPolicy."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": dict(spec)}


def into(rule: Object, source: End = DATABASE, target: End = WEB) -> Verdict:
    """What one ingress rule for all pods of red says of a connection to them."""
    return decide(world({"podSelector": {}, "ingress": [rule]}), source, target)


def test_a_pod_that_no_policy_selects_is_open() -> None:
    """Kubernetes closes nothing by itself."""
    verdict = decide(world({"podSelector": {"matchLabels": {"app": "other"}}}), DATABASE, WEB)
    assert verdict.answer(TCP_80) is Answer.ALLOWED
    assert verdict.ingress.isolating == ()


def test_a_policy_without_rules_closes_what_it_selects() -> None:
    """The verdict names the policy that closes."""
    verdict = decide(world({"podSelector": {}}), DATABASE, WEB)
    assert verdict.answer(TCP_80) is Answer.DENIED
    assert verdict.ingress.isolating == ("red/policy-0",)
    assert verdict.egress.is_open


def test_policies_add_up() -> None:
    """One that opens wins over one that does not, and only it is named as the reason."""
    opening: Object = {"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}]}]}
    verdict = decide(world({"podSelector": {}}, opening), DATABASE, WEB)
    assert verdict.answer(TCP_80) is Answer.ALLOWED
    assert [grant.policy for grant in verdict.ingress.allowing(TCP_80)] == ["red/policy-1"]


def test_both_sides_must_allow() -> None:
    """An open target is of no use to a pod that may not leave."""
    closed = {"podSelector": {}, "policyTypes": ["Egress"]}
    assert decide(world(closed, namespace="blue"), DATABASE, WEB).answer(TCP_80) is Answer.DENIED
    assert decide(world(closed, namespace="blue"), WEB, DATABASE).answer(TCP_80) is Answer.ALLOWED


@pytest.mark.parametrize(
    ("spec", "closed"),
    [
        ({}, {"Ingress"}),
        ({"egress": []}, {"Ingress"}),
        ({"egress": [{}]}, {"Ingress", "Egress"}),
        ({"ingress": [{}]}, {"Ingress"}),
        ({"policyTypes": ["Egress"]}, {"Egress"}),
        ({"policyTypes": ["Egress"], "ingress": [{}]}, {"Egress"}),
    ],
)
def test_types_that_are_left_out_follow_from_the_rules(spec: Object, closed: set[str]) -> None:
    """Ingress always, Egress if there is an egress rule: as the API server fills them in."""
    assert Policy.parse(policy({"podSelector": {}, **spec})).closes == closed


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ({"podSelector": {}}, Answer.DENIED),  # pods of red only
        ({"podSelector": {"matchLabels": {"app": "db"}}}, Answer.DENIED),
        ({"namespaceSelector": {}}, Answer.ALLOWED),
        ({"namespaceSelector": {"matchLabels": {"color": "blue"}}}, Answer.ALLOWED),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "blue"}}}, Answer.ALLOWED),
        ({"namespaceSelector": {"matchLabels": {"color": "red"}}}, Answer.DENIED),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "db"}}}, Answer.ALLOWED),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}}, Answer.DENIED),
        ({"ipBlock": {"cidr": "10.0.0.0/24"}}, Answer.ALLOWED),
        ({"ipBlock": {"cidr": "10.0.0.0/24", "except": ["10.0.0.2/32"]}}, Answer.DENIED),
        ({"ipBlock": {"cidr": "203.0.113.0/24"}}, Answer.DENIED),
    ],
)
def test_a_peer_means_pods_of_namespaces_or_addresses(peer: Object, expected: Answer) -> None:
    """Two selectors in one peer must both match; one alone means the policy's own namespace, or all of its pods."""
    assert into({"from": [peer]}).answer(TCP_80) is expected


@pytest.mark.parametrize("rule", [{}, {"from": []}, {"from": None}, {"ports": []}])
def test_a_rule_without_peers_is_for_everybody(rule: Object) -> None:
    """Machines outside the cluster too."""
    assert into(rule).answer(TCP_80) is Answer.ALLOWED
    assert into(rule, MACHINE).answer(TCP_80) is Answer.ALLOWED


def test_selectors_never_mean_machines_outside() -> None:
    """Not even the empty one."""
    assert into({"from": [{"namespaceSelector": {}}]}, MACHINE).answer(TCP_80) is Answer.DENIED


@pytest.mark.parametrize(
    ("ports", "opened"),
    [
        (None, "all ports"),
        ([], "all ports"),
        ([{"port": 80}], "TCP 80"),
        ([{"protocol": "UDP"}], "UDP all ports"),
        ([{"protocol": "SCTP", "port": 7}], "SCTP 7"),
        ([{"port": 8000, "endPort": 8080}, {"port": 8081}], "TCP 8000-8081"),
        ([{"port": "http"}], "TCP 8080"),  # as the pod calls it
        ([{"port": "http", "protocol": "UDP"}], ""),
        ([{"port": "metrics"}], ""),
    ],
)
def test_ports_are_numbers_ranges_or_names_of_the_target(ports: list[Object] | None, opened: str) -> None:
    """TCP where no protocol is said."""
    assert in_words(into({"ports": ports}).ports) == opened


def test_a_pod_always_reaches_itself() -> None:
    """No policy stands between a pod and itself."""
    closed = world({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
    assert decide(closed, WEB, WEB).answer(TCP_80) is Answer.ALLOWED
    assert decide(closed, WEB, Pod("red", WEB.labels, name="other")).answer(TCP_80) is Answer.DENIED


@pytest.mark.parametrize("host", [0, 1])
def test_a_pod_on_its_nodes_network_is_unknown(host: int) -> None:
    """Kubernetes leaves it undefined, at either end."""
    ends: list[End] = [DATABASE, WEB]
    ends[host] = Pod("red", {"app": "agent"}, name="agent", host_network=True)
    verdict = decide(world({"podSelector": {}}), *ends)
    assert verdict.answer(TCP_80) is Answer.UNKNOWN
    assert "network of its node" in verdict.ingress.doubt


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ((), Answer.UNKNOWN),
        (("10.0.0.0/24",), Answer.ALLOWED),
        (("10.0.0.0/24", "10.1.0.0/24"), Answer.UNKNOWN),
        (("10.0.0.0/16",), Answer.UNKNOWN),
        (("10.1.0.0/24",), Answer.DENIED),
    ],
)
def test_whether_a_pod_that_is_not_there_yet_has_an_address_depends_on_the_nodes(
    nodes: tuple[str, ...], expected: Answer
) -> None:
    """A block that covers all that nodes give to pods, part of it, nothing of it, or who knows."""
    rule = {"from": [{"ipBlock": {"cidr": "10.0.0.0/24"}}]}
    found = world({"podSelector": {}, "ingress": [rule]}, nodes=nodes)
    assert decide(found, Pod("blue", {"app": "db"}), WEB).answer(TCP_80) is expected


def test_a_block_with_exceptions_covers_only_what_it_leaves() -> None:
    """Half of what nodes give to pods is no answer for a pod that is not there yet."""
    rule = {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.128/25"]}}]}
    found = world({"podSelector": {}, "ingress": [rule]}, nodes=("10.0.0.0/24",))
    assert decide(found, Pod("blue"), WEB).answer(TCP_80) is Answer.UNKNOWN


def test_a_name_of_a_port_is_unknown_of_a_pod_that_is_not_there_yet() -> None:
    """Whoever makes the pod chooses the number; a refusal on the other side decides nevertheless."""
    rule = {"ports": [{"port": "http"}]}
    found = world({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]})
    verdict = decide(found, DATABASE, Pod("red"))
    assert verdict.answer(TCP_80) is Answer.UNKNOWN
    assert verdict.answer(Port("UDP", 80)) is Answer.DENIED
    assert verdict.answer() is Answer.UNKNOWN
