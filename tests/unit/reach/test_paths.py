"""Which openings fit each other, one reason at a time; the laws compare the whole with `decide`."""

from typing import Any

import pytest

from ringfence.reach.paths import Path, paths
from ringfence.reach.ports import in_words
from ringfence.reach.read import read

Object = dict[str, Any]
WEB: Object = {"matchLabels": {"app": "web"}}
DATABASE: Object = {"matchLabels": {"app": "db"}}


def found(*policies: tuple[str, Object], also: tuple[Object, ...] = ()) -> list[Path]:
    """The paths from red to blue under these policies."""
    cores: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in ("red", "blue")
    ]
    written: list[Object] = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"policy-{number}", "namespace": namespace},
            "spec": spec,
        }
        for number, (namespace, spec) in enumerate(policies)
    ]
    return list(paths(read([*cores, *written, *also]).world, "red", "blue"))


def into(rule: Object, pods: Object | None = None) -> tuple[str, Object]:
    """A policy of blue with one way in."""
    return "blue", {"podSelector": pods or {}, "ingress": [rule]}


def out(rule: Object, pods: Object | None = None) -> tuple[str, Object]:
    """A policy of red with one way out."""
    return "red", {"podSelector": pods or {}, "policyTypes": ["Egress"], "egress": [rule]}


def test_without_policies_everything_is_one_path() -> None:
    """No policy opens it: none closes it."""
    (path,) = found()
    assert (path.policies, in_words(path.ports)) == ((), "all ports")


def test_pods_that_no_policy_selects_keep_their_path() -> None:
    """The policy is for some pods, the path for the others: those with other labels, or with none."""
    (path,) = found(out({"to": [{"podSelector": {}}]}, pods=WEB))
    assert path.source_labels == {}
    nameless = {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}
    (path,) = found(out({"to": [{"podSelector": {}}]}, pods=nameless))
    assert path.source_labels == {"app": "any0"}


def test_both_openings_must_mean_the_same_pods() -> None:
    """Egress to databases and ingress of web servers make no path."""
    closed: tuple[str, Object] = ("blue", {"podSelector": {}})
    to_databases = out({"to": [{"namespaceSelector": {}, "podSelector": DATABASE}]})
    assert found(closed, to_databases, into({}, pods=WEB)) == []
    assert len(found(closed, to_databases, into({}, pods=DATABASE))) == 1
    from_web = {"from": [{"namespaceSelector": {}, "podSelector": WEB}]}
    assert found(("red", {"podSelector": {}, "policyTypes": ["Egress"]}), out({}, pods=DATABASE), into(from_web)) == []


def test_a_pod_selector_alone_means_the_policys_own_namespace() -> None:
    """Of another namespace no pod is meant."""
    assert found(out({"to": [{"podSelector": {}}]})) == []
    assert found(into({"from": [{"podSelector": {}}]})) == []


def test_the_ports_of_a_path_are_those_of_both_sides() -> None:
    """A name stands for any number."""
    (path,) = found(out({"ports": [{"port": 1, "endPort": 100}]}), into({"ports": [{"port": 80}, {"port": 443}]}))
    assert in_words(path.ports) == "TCP 80"
    (path,) = found(out({"ports": [{"port": 80}]}), into({"ports": [{"port": "http"}]}))
    assert in_words(path.ports) == "TCP http"
    assert found(out({"ports": [{"port": 80}]}), into({"ports": [{"port": 80, "protocol": "UDP"}]})) == []


@pytest.mark.parametrize(
    ("block", "addresses", "nodes", "expected"),
    [
        ({"cidr": "0.0.0.0/0"}, [], [], 1),
        ({"cidr": "10.0.0.0/8"}, [], [], 0),  # nothing says that pods have such addresses
        ({"cidr": "10.0.0.0/8"}, ["10.0.0.7"], [], 1),
        ({"cidr": "10.0.0.0/8", "except": ["10.0.0.0/24"]}, ["10.0.0.7"], [], 0),
        ({"cidr": "10.0.0.0/8"}, [], ["10.0.1.0/24"], 1),
        ({"cidr": "10.0.0.0/8", "except": ["10.0.0.0/16"]}, [], ["10.0.1.0/24"], 0),
    ],
)
@pytest.mark.parametrize("phase", ["Running", "Succeeded"])
def test_a_block_means_pods_that_have_such_addresses(
    block: Object, addresses: list[str], nodes: list[str], expected: int, phase: str
) -> None:
    """As far as is known: of pods that run, and of what nodes give to pods; one that has ended has none any more."""
    pods: list[Object] = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"pod-{address}", "namespace": "blue"},
            "status": {"phase": phase, "podIPs": [{"ip": address}]},
        }
        for address in addresses
    ]
    machines: list[Object] = [
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": cidr}, "spec": {"podCIDRs": [cidr]}} for cidr in nodes
    ]
    running = expected if phase == "Running" or not addresses else 0
    assert len(found(out({"to": [{"ipBlock": block}]}), also=(*pods, *machines))) == running
