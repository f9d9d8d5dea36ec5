"""What `verify` says of the sample tenants, and of what somebody adds to them."""

from collections.abc import Callable
from typing import Any

import pytest

from ringfence import names
from ringfence.model.kinds import TENANT, Ref
from ringfence.reach.kinds import Kind
from ringfence.reach.read import read
from ringfence.reach.verify import Report, verify
from tests import sample_world
from tests.laws.worlds import core

Object = dict[str, Any]
PLATFORM = [core("kube-system"), core("monitoring")]
DNS_NAMESPACE = {
    "matchLabels": {"kubernetes.io/metadata.name": "kube-system"},
    "matchExpressions": [{"key": names.TENANT_LABEL, "operator": "DoesNotExist"}],
}
DNS_PODS = {"matchLabels": {"k8s-app": "kube-dns"}}


def seen(*added: Object, without: Callable[[Object], bool] = lambda thing: False) -> Report:
    """The samples with their fences, two namespaces of the platform, and more; the last one of a name counts."""
    objects = {ref: thing for ref, thing in sample_world.settled().objects.items() if not without(thing)}
    found = read([*objects.values(), *PLATFORM, *added])
    return verify(found.world, found.declarations, found.unknown)


def policy(namespace: str, spec: Object, name: str = "mine") -> Object:
    """A NetworkPolicy of somebody's own."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def test_the_samples_have_no_way_across_a_fence() -> None:
    """And what they have is named: DNS, the gateway, and the one connection that both sides declare."""
    report = seen()
    assert (report.is_broken, report.unknown) == (False, ())
    assert {each.kind for each in report.connections} == {Kind.DNS, Kind.GATEWAY, Kind.PEERS}
    (peers,) = [each for each in report.connections if each.kind is Kind.PEERS]
    assert (str(peers.source), str(peers.target)) == ("acme-web", "acme-data")
    assert peers.policies == (f"acme-web/{names.ALLOW_PEERS}", f"acme-data/{names.ALLOW_PEERS}")
    assert set(report.tenants) == {"acme", "globex"}


def test_a_path_between_tenants_names_both_ends_the_port_and_both_policies() -> None:
    """It takes a policy on each side."""
    out = policy("acme-web", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": 5432}]}]})
    inward = policy("globex-dev", {"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [{}]})
    (path,) = [each for each in seen(out, inward).breaches if each.kind is Kind.OTHER_TENANT]
    assert (str(path.source), str(path.target)) == ("acme-web", "globex-dev (app=db)")
    assert [str(each) for each in path.ports] == ["TCP 5432"]
    assert path.policies == ("acme-web/mine", "globex-dev/mine")


def test_half_a_path_is_a_gap() -> None:
    """Only the other tenant's own fence is left: that is not how a fence holds."""
    other = {"namespaceSelector": {"matchLabels": {names.TENANT_LABEL: "globex"}}}
    report = seen(policy("acme-web", {"podSelector": {}, "ingress": [{"from": [other]}]}))
    assert report.breaches == ()
    (gap,) = report.gaps
    assert (gap.opening.policy, gap.admits) == ("acme-web/mine", (Kind.OTHER_TENANT,))
    assert report.is_broken


def test_a_policy_for_a_tenant_that_does_not_exist_yet_is_a_gap() -> None:
    """It is judged by whom it could ever let in."""
    other = {"namespaceSelector": {"matchLabels": {names.TENANT_LABEL: "initech"}}}
    (gap,) = seen(policy("acme-web", {"podSelector": {}, "ingress": [{"from": [other]}]})).gaps
    assert gap.admits == (Kind.OTHER_TENANT,)


def test_a_policy_for_the_tenants_own_environment_is_fine() -> None:
    """Tenants may have policies of their own for it; the owner's uid is not asked of them."""
    own = {"namespaceSelector": {"matchLabels": {names.TENANT_LABEL: "acme", names.ENVIRONMENT_LABEL: "dev"}}}
    assert not seen(policy("acme-web", {"podSelector": {}, "ingress": [{"from": [own]}]})).is_broken


def test_a_policy_for_another_environment_is_a_gap_and_a_path() -> None:
    """Of the same tenant, both ways open."""
    own = {"namespaceSelector": {"matchLabels": {names.TENANT_LABEL: "globex"}}}
    out = policy("globex-dev", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [own]}]})
    inward = policy("globex-prod", {"podSelector": {}, "ingress": [{"from": [own]}]})
    report = seen(out, inward)
    assert {gap.admits for gap in report.gaps} == {(Kind.OTHER_ENVIRONMENT,)}
    (path,) = report.breaches
    assert (path.kind, str(path.source), str(path.target)) == (Kind.OTHER_ENVIRONMENT, "globex-dev", "globex-prod")


def declaring(network: Object) -> Callable[[], Report]:
    """The samples after acme's platform team declared this."""

    def report() -> Report:
        world = sample_world.applied()
        sample_world.edit(Ref(TENANT, "", "acme"), {"network": network})(world)
        world.settle()
        found = read([*world.objects.values(), *PLATFORM])
        return verify(found.world, found.declarations, found.unknown)

    return report


def test_exceptions_are_shown_as_what_they_are() -> None:
    """What the Tenant declares is listed with the Tenant's word for it, and is no finding."""
    network = {
        "egress": [{"cidr": "203.0.113.0/24", "ports": [443]}],
        "ingressFrom": [{"namespace": "monitoring"}],
        "dns": {"cidrs": ["169.254.20.10/32"]},
    }
    report = declaring(network)()
    assert (report.gaps, report.breaches, report.unknown) == ((), (), ())
    found = {(each.kind, str(each.source), str(each.target)) for each in report.connections}
    assert (Kind.EGRESS_EXCEPTION, "acme-web", "203.0.113.0/24") in found
    assert (Kind.SHARED_INGRESS, "monitoring", "acme-web") in found
    assert (Kind.DNS, "acme-web", "169.254.20.10/32") in found


@pytest.mark.parametrize(
    "egress",
    [
        {"to": [{"ipBlock": {"cidr": "203.0.112.0/22"}}], "ports": [{"port": 443}]},
        {"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}], "ports": [{"port": 22}]},
        {"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]},
        {"to": [{"namespaceSelector": DNS_NAMESPACE}], "ports": [{"port": 53}]},
        {"to": [{"namespaceSelector": DNS_NAMESPACE, "podSelector": DNS_PODS}], "ports": [{"port": 53}, {"port": 80}]},
    ],
)
def test_more_than_is_declared_is_undeclared(egress: Object) -> None:
    """A wider network, another port, all ports; other pods than the DNS servers, other ports of theirs."""
    world = sample_world.applied()
    declared = {"egress": [{"cidr": "203.0.113.0/24", "ports": [443]}]}
    sample_world.edit(Ref(TENANT, "", "acme"), {"network": declared})(world)
    world.settle()
    added = policy("acme-web", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [egress]})
    found = read([*world.objects.values(), *PLATFORM, added])
    report = verify(found.world, found.declarations, found.unknown)
    assert [(gap.opening.policy, gap.admits[-1]) for gap in report.gaps] == [("acme-web/mine", Kind.UNDECLARED)]
    assert {each.policies for each in report.breaches} == {("acme-web/mine",)}


def test_a_tenant_that_is_not_there_leaves_its_exceptions_unknown() -> None:
    """They are no findings then, and nothing is called well."""
    report = seen(without=lambda thing: thing["kind"] == "Tenant" and thing["metadata"]["name"] == "acme")
    assert not report.is_broken
    assert {each.kind for each in report.connections if each.tenant == "acme"} >= {Kind.UNDECIDED}
    assert report.unknown == ("Tenant acme is not there to be asked which connections out of the tenant it declares",)


def test_a_new_tenant_of_an_old_name_declares_nothing_for_the_old_ones_namespaces() -> None:
    """Its uid is another."""

    def renew(thing: Object) -> Object:
        return {**thing, "metadata": {**thing["metadata"], "uid": "another"}} if thing["kind"] == "Tenant" else thing

    objects = [renew(thing) for thing in sample_world.settled().objects.values()]
    found = read([*objects, *PLATFORM])
    assert Kind.UNDECIDED in {each.kind for each in verify(found.world, found.declarations).connections}


@pytest.mark.parametrize(
    ("owner", "kind"),
    [
        ("another", Kind.OTHER_TENANT),
        (None, Kind.UNDECLARED),  # an orphan: the label of the tenant is there, its owner is not
    ],
)
def test_a_namespace_of_a_former_owner_is_not_the_tenants(owner: str | None, kind: Kind) -> None:
    """The name of a tenant alone makes no namespace its own."""
    labels = {names.TENANT_LABEL: "acme", **({names.OWNER_UID_LABEL: owner} if owner else {})}
    own = {"namespaceSelector": {"matchLabels": {names.TENANT_LABEL: "acme"}}}
    out = policy("acme-web", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [own]}]})
    report = seen(core("acme-old", labels), out)
    assert {each.kind for each in report.breaches if each.target.namespace == "acme-old"} == {kind}


def test_pods_that_no_policy_selects_are_unfenced() -> None:
    """All of them without any policy; without deny-all those that no other policy means."""

    def is_closing(thing: Object) -> bool:
        metadata = thing["metadata"]
        return (metadata.get("namespace"), metadata["name"]) == ("acme", names.DENY_ALL)

    (gap,) = seen(without=is_closing).gaps
    assert (gap.namespace, gap.opening.direction, gap.admits) == ("acme", "Ingress", (Kind.UNFENCED,))
    assert gap.pods == ""  # the gateway's pods are selected by the policy that opens them


def other(api_version: str, kind: str, name: str, spec: Object) -> Object:
    """Something else in acme-web."""
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "acme-web"}, "spec": spec}


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (other("v1", "Pod", "agent", {"hostNetwork": True}), "network of its node"),
        (other("cilium.io/v2", "CiliumNetworkPolicy", "wide", {}), "CiliumNetworkPolicy acme-web/wide"),
        (policy("acme-web", {"ingress": [{"from": [{}]}]}), "NetworkPolicy acme-web/mine can't be read"),
        (policy("elsewhere", {"podSelector": {}}), "namespace elsewhere has NetworkPolicies"),
        (policy("acme-web", {"podSelector": {}}, name=names.DENY_ALL), "there twice"),
    ],
)
def test_what_can_not_be_judged_is_said(thing: Object, said: str) -> None:
    """Nothing that would change the answer is passed over."""
    report = seen(thing)
    assert any(said in doubt for doubt in report.unknown), report.unknown


def test_a_world_without_tenants_proves_nothing() -> None:
    """An empty answer is no good answer."""
    assert verify(read(PLATFORM).world, {}).unknown


def test_a_gateway_has_its_tokens_counted_beside_the_operator_and_workloads_go_nowhere_there() -> None:
    """The same opening for whatever else runs there is a breach."""
    beside = {**DNS_NAMESPACE, "matchLabels": {"kubernetes.io/metadata.name": names.OPERATOR_NAMESPACE}}
    rule = {"to": [{"namespaceSelector": beside}], "ports": [{"port": 8081}]}
    everybody = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [rule]}
    gateway = {**everybody, "podSelector": {"matchLabels": {names.GATEWAY_LABEL: "true"}}}
    operators = core(names.OPERATOR_NAMESPACE)
    assert not seen(operators, policy("acme", gateway)).is_broken
    assert seen(operators, policy("acme", everybody)).is_broken
