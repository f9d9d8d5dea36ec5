"""What holds for who reaches whom, whatever policies there are, and for every fence that Ringfence plans."""

import copy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence import names
from ringfence.model.kinds import NETWORK_POLICY
from ringfence.reach.decide import Answer, Verdict, decide
from ringfence.reach.kinds import Kind
from ringfence.reach.paths import paths
from ringfence.reach.policies import Direction, Policy
from ringfence.reach.ports import Ports, covers
from ringfence.reach.verify import Report
from ringfence.reach.world import Pod, World
from tests.laws.reachability import namespaces, report
from tests.laws.worlds import Object, build, manifests
from tests.policy_sets import NAMESPACES, PolicySet, policy_set
from tests.simulation import Simulation

law = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
planned = settings(law, max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

sets = st.randoms(use_true_random=False).map(policy_set)


@law
@given(sets)
def test_what_is_allowed_runs_along_a_path(asked: PolicySet) -> None:
    """No connection of any two pods is missed by the search that never looks at pods."""
    world = asked.world()
    for source, target in _pairs(asked):
        open_ports = decide(world, source, target).ports
        found = [path.ports for path in paths(world, source.namespace, target.namespace)]
        for each in open_ports:
            assert any(each.overlap(span) for ports in found for span in ports)


@law
@given(sets)
def test_every_path_has_pods_that_can_take_it(asked: PolicySet) -> None:
    """No path is invented: pods with the labels that it names are not denied it."""
    world = asked.world()
    for source in NAMESPACES:
        for target in NAMESPACES:
            for path in paths(world, source, target):
                ends = Pod(source, path.source_labels), Pod(target, path.target_labels)
                assert decide(world, *ends).answer() is not Answer.DENIED


@law
@given(sets, st.data())
def test_adding_a_policy_narrows_only_pods_that_it_is_the_first_to_close(asked: PolicySet, data: st.DataObject) -> None:
    """Policies add up: whoever was closed before in its directions loses nothing by one more."""
    added = data.draw(st.integers(0, len(asked.policies) - 1))
    policy = Policy.parse(asked.policies[added])
    before = asked.world([each for index, each in enumerate(asked.policies) if index != added])
    after = asked.world()
    for source, target in _pairs(asked):
        if not _is_first_to_close(before, policy, source, target):
            assert covers(_ports(after, source, target), _ports(before, source, target))


@law
@given(sets, st.data())
def test_taking_a_rule_away_never_widens(asked: PolicySet, data: st.DataObject) -> None:
    """A policy without one of its rules still closes what it closed, and opens less."""
    rules = [
        (index, side, number)
        for index, policy in enumerate(asked.policies)
        if "policyTypes" in policy["spec"]
        for side in ("ingress", "egress")
        for number in range(len(policy["spec"].get(side, ())))
    ]
    if not rules:
        return
    index, side, number = data.draw(st.sampled_from(rules))
    poorer = copy.deepcopy(list(asked.policies))
    del poorer[index]["spec"][side][number]
    for source, target in _pairs(asked):
        assert covers(_ports(asked.world(), source, target), _ports(asked.world(poorer), source, target))


@planned
@given(manifests())
def test_no_planned_fence_has_a_gap(written: list[Object]) -> None:
    """Whatever people write, no policy is for another tenant, another environment, or what no Tenant declares.

    The policies alone are judged, by whom they could ever let through; and nothing about them is left unknown.
    """
    found = report(_settled(written))
    assert found.gaps == ()
    assert found.breaches == ()
    assert [doubt for doubt in found.unknown if "nothing to judge" not in doubt] == []


@planned
@given(manifests(), st.data())
def test_every_policy_that_opens_a_fence_is_found_and_named(written: list[Object], data: st.DataObject) -> None:
    """One planted policy, in any namespace of a tenant, for any of its pods, and `verify` says its name."""
    world = _settled(written)
    owned = sorted(name for name, labels in namespaces(world).items() if names.OWNER_UID_LABEL in labels)
    if not owned:
        return
    where = data.draw(st.sampled_from(owned))
    world.put(data.draw(planted(where)))
    found = report(world)
    assert [gap.opening.policy for gap in found.gaps] == [f"{where}/planted"]
    assert {policy for each in found.breaches for policy in each.policies} >= _outward(found)


@planned
@given(manifests(), st.data())
def test_a_namespace_without_its_closing_policies_is_unfenced(written: list[Object], data: st.DataObject) -> None:
    """Deny-all gone and every other policy with it: both directions are told, and nothing of other namespaces."""
    world = _settled(written)
    owned = sorted(name for name, labels in namespaces(world).items() if names.OWNER_UID_LABEL in labels)
    if not owned:
        return
    where = data.draw(st.sampled_from(owned))
    for ref in [ref for ref in world.objects if ref.type == NETWORK_POLICY and ref.namespace == where]:
        world.delete(ref)
    found = report(world)
    assert {(gap.namespace, gap.opening.direction, gap.admits) for gap in found.gaps} == {
        (where, direction, (Kind.UNFENCED,)) for direction in Direction
    }


def planted(where: str) -> st.SearchStrategy[Object]:
    """An open policy: everybody, other tenants, other namespaces, or every address; for all pods or for some."""
    strangers: list[Object] = [
        {},
        {"from": [{"namespaceSelector": {}}]},
        {"from": [{"namespaceSelector": {"matchExpressions": [{"key": names.TENANT_LABEL, "operator": "Exists"}]}}]},
        {"from": [{"namespaceSelector": {"matchLabels": {names.TENANT_LABEL: "initech"}}}]},
        {"from": [{"namespaceSelector": {"matchLabels": {"team": "search"}}, "podSelector": {}}]},
        {"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]},
        {"from": [{"podSelector": {}}, {"ipBlock": {"cidr": "198.51.100.0/24"}}]},
    ]
    return st.builds(
        _planted,
        st.just(where),
        st.sampled_from(strangers),
        st.sampled_from([{}, {"matchLabels": {"app": "db"}}]),
        st.sampled_from(["ingress", "egress"]),
        st.sampled_from([[], [{"port": 5432}], [{"port": "http"}], [{"protocol": "UDP", "port": 1, "endPort": 99}]]),
    )


def _planted(where: str, rule: Object, pods: Object, direction: str, ports: list[Object]) -> Object:
    side = "from" if direction == "ingress" else "to"
    turned = {**({side: rule["from"]} if rule else {}), **({"ports": ports} if ports else {})}
    spec = {"podSelector": pods, "policyTypes": [direction.capitalize()], direction: [turned]}
    metadata = {"name": "planted", "namespace": where}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def _outward(found: Report) -> set[str]:
    """Policies whose opening reaches beyond the cluster, where no other side is left to refuse."""
    return {gap.opening.policy for gap in found.gaps if not hasattr(gap.opening.peer, "namespaces")}


def _settled(written: list[Object]) -> Simulation:
    world = build(written)
    world.settle()
    return world


def _pairs(asked: PolicySet) -> list[tuple[Pod, Pod]]:
    pods = [end for end in asked.ends if isinstance(end, Pod)]
    return [(source, target) for source in pods for target in pods if source != target]


def _ports(world: World, source: Pod, target: Pod) -> Ports:
    return decide(world, source, target).ports


def _is_first_to_close(before: World, policy: Policy, source: Pod, target: Pod) -> bool:
    verdict: Verdict = decide(before, source, target)
    sides = ((verdict.egress, source), (verdict.ingress, target))
    return any(
        side.is_open
        and side.direction in policy.closes
        and policy.namespace == pod.namespace
        and policy.pods.matches(pod.labels)
        for side, pod in sides
    )
