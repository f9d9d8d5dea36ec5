"""What holds for every plan, whatever people write and in whichever order things happen."""

import copy
import json
from ipaddress import ip_network
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence import names
from ringfence.model.addresses import PROTECTED_NETWORKS
from ringfence.model.kinds import CORE_NAMESPACE, NETWORK_POLICY, RESOURCE_QUOTA, SECRET, TENANT, Ref
from ringfence.model.quantity import Quantity
from ringfence.plan.make import make_plan
from ringfence.reach.addresses import Block
from ringfence.reach.world import NAME_LABEL
from tests.laws.reachability import chosen, namespaces, openings, roles, selects, widened
from tests.laws.worlds import (
    CANARY,
    NAMESPACES,
    TENANTS,
    Object,
    amounts,
    build,
    core,
    manifests,
    models_come_up,
    open_policy,
    peerings,
)
from tests.simulation import FACTS, Simulation, ref_of, unfenced_access

law = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def settled(written: list[Object]) -> Simulation:
    """The cluster after Ringfence did all its work."""
    world = build(written)
    world.settle()
    if models_come_up(world):
        world.settle()
    return world


def owner(world: Simulation, namespace: str) -> str:
    """The uid of the Tenant that a core namespace belongs to; empty where it is nobody's."""
    return namespaces(world)[namespace].get(names.OWNER_UID_LABEL, "")


@law
@given(manifests(), st.randoms(use_true_random=False))
def test_nobody_ever_has_access_to_a_namespace_without_its_fence(written: list[Object], random: Random) -> None:
    """After each single write, in any order of objects, access implies the whole fence."""
    world = build(written)
    for _ in range(3):
        refs = world.primaries()
        random.shuffle(refs)
        for ref in refs:
            for _write in world.writes(ref):
                assert unfenced_access(world) == []


@law
@given(manifests())
def test_no_two_tenants_share_a_name_or_a_label_value(written: list[Object]) -> None:
    """Namespaces of two tenants differ in name, tenant label and owner."""
    world = settled(written)
    owned = {name: labels for name, labels in namespaces(world).items() if names.OWNER_UID_LABEL in labels}
    for name, labels in owned.items():
        assert names.split_core_namespace(name)[0] == labels[names.TENANT_LABEL]
        tenant = world.objects[Ref(TENANT, "", labels[names.TENANT_LABEL])]
        assert tenant["metadata"]["uid"] == labels[names.OWNER_UID_LABEL]


@law
@given(manifests())
def test_every_policy_selects_peers_of_its_own_tenant_only(written: list[Object]) -> None:
    """Judged by labels alone: a selector that could choose another tenant's namespace would choose one here.

    There are namespaces of two tenants, of a former one, and some that only bear a tenant's label.
    """
    world = settled(written)
    for home in TENANTS:
        world.put(core(f"{home}-forged", {names.TENANT_LABEL: home, names.HOME_LABEL: "true"}))
    every = namespaces(world)
    for ref, peer in chosen(world):
        own = owner(world, ref.namespace)
        for name in (name for name, labels in every.items() if selects(peer, {**labels, NAME_LABEL: name})):
            assert owner(world, name) == own or names.TENANT_LABEL not in every[name], f"{ref} chooses {name}"


@law
@given(manifests())
def test_everybody_with_access_is_named_by_that_very_tenant(written: list[Object]) -> None:
    """A role in a namespace is held by those whom its own Tenant names, whoever else is known in the cluster."""
    world = settled(written)
    labels = namespaces(world)
    for namespace, _, kind, name in roles(world):
        tenant = labels[namespace][names.TENANT_LABEL]
        spec = world.objects[Ref(TENANT, "", tenant)]["spec"]
        lists = [*spec["access"].values(), *(each.get("approvers", ()) for each in spec["environments"])]
        assert (kind, name) in {known(subject) for subjects in lists for subject in subjects}


@law
@given(manifests(), st.randoms(use_true_random=False))
def test_the_order_of_looks_does_not_matter(written: list[Object], random: Random) -> None:
    """Whichever object is looked at first, second and third, all end the same."""
    straight, shuffled = build(written), build(written)
    straight.settle()
    for _ in range(3):
        refs = shuffled.primaries()
        random.shuffle(refs)
        for ref in refs:
            shuffled.reconcile(ref)
    shuffled.settle()
    assert shuffled.snapshot() == straight.snapshot()


@law
@given(manifests(), st.sampled_from(TENANTS))
def test_a_tenant_is_served_as_if_it_were_alone(written: list[Object], alone: str) -> None:
    """Nothing of what one tenant gets depends on what another one wrote."""
    (other,) = set(TENANTS) - {alone}
    together, apart = settled(written), settled([each for each in written if not is_of(each, other)])
    assert made_for(together, alone) == made_for(apart, alone)


@law
@given(manifests())
def test_no_opening_reaches_a_protected_address(written: list[Object]) -> None:
    """What the platform team opens never overlaps the cluster's ranges or a metadata service."""
    protected = [ip_network(text) for text in (*PROTECTED_NETWORKS, *FACTS.protected_ranges)]
    for opening in openings(settled(written)):
        if isinstance(opening.peer, Block):
            assert not any(opening.peer.touches(each) for each in protected)


@law
@given(manifests())
def test_foreign_namespaces_are_left_alone(written: list[Object]) -> None:
    """Nothing is written into a namespace that is not a tenant's, nor to the namespace itself."""
    world = build(written)
    before = {ref: thing for ref, thing in world.objects.items() if ref.type == CORE_NAMESPACE}
    world.settle()
    foreign = [ref for ref, thing in before.items() if not thing["metadata"]["annotations"].get(names.ADOPT_ANNOTATION)]
    assert all(world.objects[ref] == before[ref] for ref in foreign)
    assert not [ref for ref in world.applied if ref.namespace in {each.name for each in foreign}]


@law
@given(manifests())
def test_a_settled_world_is_not_written_to(written: list[Object]) -> None:
    """Looking at everything again, as after a restart, writes nothing at all."""
    world = settled(written)
    assert world.settle() == []


@law
@given(manifests())
def test_planning_twice_gives_the_same_plan(written: list[Object]) -> None:
    """A plan is a value of what was seen."""
    world = settled(written)
    for ref in world.primaries():
        subject, seen = world.look(ref)
        assert subject is not None
        assert make_plan(subject, seen) == make_plan(subject, seen)


@law
@given(manifests())
def test_the_order_of_what_is_read_does_not_matter(written: list[Object]) -> None:
    """Sets that are written in another order, and caches that answer in another, give the same objects."""
    straight, turned = settled(written), settled([_turned(manifest) for manifest in written])
    assert straight.applied == turned.applied


@law
@given(manifests(), st.data())
def test_a_killed_operator_leaves_nothing_different(written: list[Object], data: st.DataObject) -> None:
    """Killed after any write and started again, the cluster ends as if nothing had happened."""
    world = settled(written)
    ref = data.draw(st.sampled_from(world.primaries()))
    change = data.draw(st.sampled_from(("delete", "quarantine", "touch")))
    _change(world, ref, change)
    disturbed = world.fork()
    world.settle()
    killed_after = data.draw(st.integers(0, 16))
    disturbed.reconcile(ref, stop_after=killed_after)
    assert unfenced_access(disturbed) == []
    disturbed.settle()
    assert disturbed.snapshot() == world.snapshot()


@law
@given(manifests(), st.integers(0, 60))
def test_a_beginning_may_be_interrupted_anywhere(written: list[Object], killed_after: int) -> None:
    """Killed while a cluster is first brought up, the end is the same, and on the way nothing is ever unfenced."""
    undisturbed, killed = build(written), build(written)
    undisturbed.settle()
    left = killed_after
    for ref in killed.primaries():
        left -= len(killed.reconcile(ref, stop_after=max(left, 0)))
        assert unfenced_access(killed) == []
    killed.settle()
    assert killed.snapshot() == undisturbed.snapshot()


@settings(law, max_examples=50)
@given(st.one_of(manifests(), peerings()), st.data())
def test_removing_a_grant_never_widens(written: list[Object], data: st.DataObject) -> None:
    """With one grant less, nobody can do or reach anything that was not there before."""
    places = [(index, path) for index, manifest in enumerate(written) for path in _grants(manifest)]
    if not places:
        return
    index, path = data.draw(st.sampled_from(places))
    poorer = copy.deepcopy(written)
    part: Any = poorer[index]
    for step in path[:-1]:
        part = part[step]
    del part[path[-1]]
    assert widened(settled(written), settled(poorer)) == []


@law
@given(
    manifests(),
    st.lists(st.tuples(st.sampled_from(TENANTS), st.sampled_from(NAMESPACES), amounts(6)), min_size=2, max_size=6),
)
def test_the_sum_of_quotas_never_exceeds_the_budget(
    written: list[Object], changes: list[tuple[str, str, Object]]
) -> None:
    """At no moment, whoever grows or shrinks, is more granted than the tenant has.

    All are planned from one view before any of them is carried out, as when many come at once.
    """
    world = build(written)
    for home, name, hard in changes:
        found = [ref for ref in world.primaries() if (ref.namespace, ref.name) == (home, name)]
        for ref in found:
            changed = copy.deepcopy(world.objects[ref])
            changed["spec"]["quota"] = {"hard": hard}
            world.put(changed)
        plans = [planned for planned in map(world.plan, world.primaries()) if planned is not None]
        for planned in plans:
            for _write in world.carry_out(planned):
                assert _overdrawn(world) == []


@law
@given(manifests())
def test_quarantine_closes_everything_and_leaves_readers_only(written: list[Object]) -> None:
    """In an incident no policy but the closed one remains, whoever made it, and nobody has more than viewer."""
    world = settled(written)
    for ref in [ref for ref in world.primaries() if ref.type == TENANT]:
        _change(world, ref, "quarantine")
    for name in namespaces(world):
        world.put(open_policy(name))
    world.settle()
    owned = {name for name in namespaces(world) if owner(world, name)}
    assert {ref.name for ref in world.objects if ref.type == NETWORK_POLICY and ref.namespace in owned} <= {
        names.DENY_ALL
    }
    held = {role for namespace, role, *_ in roles(world) if namespace in owned}
    assert held <= {names.tenant_role("viewer"), names.home_role("viewer")}


@law
@given(manifests())
def test_no_secret_is_touched_and_nothing_is_copied_from_tools(written: list[Object]) -> None:
    """No plan makes a Secret but a gateway's certificate; labels and annotations of other tools stay where they are."""
    world = settled(written)
    made = {
        (ref.namespace, ref.name.startswith(names.GATEWAY_TLS_PREFIX)) for ref in world.applied if ref.type == SECRET
    }
    assert made <= {(tenant, True) for tenant in TENANTS}
    assert CANARY not in json.dumps(list(world.applied.values()))


@law
@given(manifests())
def test_nobody_is_named_in_what_is_told(written: list[Object]) -> None:
    """Status, and what records and Events take from it, speaks of places and never of people."""
    world = settled(written)
    for ref in world.primaries():
        planned = world.plan(ref)
        assert planned is not None
        assert "oidc:" not in json.dumps(world.objects[ref]["status"])
        assert not [finding for finding in planned[1].findings if "oidc:" in finding.message]


def made_for(world: Simulation, tenant: str) -> dict[str, str]:
    """Everything that was made in a tenant's namespaces, with the tenant's uid by its name."""
    uid = world.objects[Ref(TENANT, "", tenant)]["metadata"]["uid"]
    mine = {name for name in namespaces(world) if owner(world, name) == uid}
    return {
        str(ref): json.dumps(manifest, sort_keys=True).replace(f'"{uid}"', f'"uid of {tenant}"')
        for ref, manifest in world.applied.items()
        if (ref.namespace or ref.name) in mine
    }


def known(subject: Object) -> tuple[str, str]:
    """Kind and name of somebody whom a Tenant lists, as a RoleBinding spells them."""
    ((field, who),) = subject.items()
    return (field[0].upper() + field[1:], who["name"] if isinstance(who, dict) else who)


def is_of(manifest: Object, tenant: str) -> bool:
    """Whether somebody wrote this for that tenant."""
    metadata = manifest["metadata"]
    return tenant in (metadata["name"], metadata.get("namespace"))


def _change(world: Simulation, ref: Ref, change: str) -> None:
    if change == "delete":
        world.delete(ref)
        return
    changed = copy.deepcopy(world.objects[ref])
    if change == "quarantine":
        changed["spec"]["isolation"] = "Quarantined"
        if ref.type == TENANT:
            changed["spec"]["incident"] = {"id": "INC-8", "reason": "drill"}
    elif ref.type == TENANT:
        changed["spec"]["access"] = {"viewers": [{"group": "oidc:auditors"}]}
    else:
        changed["spec"]["access"] = {}
        changed["spec"]["network"] = {}
    world.put(changed)


def _overdrawn(world: Simulation) -> list[str]:
    """Tenants of whose budget more is granted than there is."""
    found = []
    for ref in [ref for ref in world.objects if ref.type == TENANT]:
        hard = world.objects[ref]["spec"]["budget"]["hard"]
        uid = world.objects[ref]["metadata"]["uid"]
        quotas = [
            thing["spec"]["hard"]
            for child, thing in world.objects.items()
            if child.type == RESOURCE_QUOTA and child.namespace != ref.name and owner(world, child.namespace) == uid
        ]
        for name, most in hard.items():
            if Quantity.total(Quantity.parse(quota[name]) for quota in quotas) > Quantity.parse(most):
                found.append(f"{ref.name}: {name}")
    return found


def _turned(manifest: Object) -> Object:
    """The same object with every list reversed whose order means nothing."""
    turned = copy.deepcopy(manifest)
    spec = turned.get("spec", {})
    for lists in (spec.get("access", {}), spec.get("network", {})):
        for name, value in lists.items():
            lists[name] = value[::-1]
    for rule in (rule for rules in spec.get("network", {}).values() for rule in rules):
        if "ports" in rule:
            rule["ports"] = rule["ports"][::-1]
    if "storageClasses" in spec:
        spec["storageClasses"] = spec["storageClasses"][::-1]
    if "quota" in spec:
        spec["quota"]["hard"] = dict(reversed(spec["quota"]["hard"].items()))
    return turned


def _grants(manifest: Object) -> list[tuple[str | int, ...]]:
    """Paths of everything that gives somebody something."""
    spec = manifest.get("spec", {})
    found: list[tuple[str | int, ...]] = []
    for part in ("access", "network"):
        for name, entries in spec.get(part, {}).items():
            found += [("spec", part, name, index) for index in range(len(entries))]
    return found


def test_references_name_objects() -> None:
    """The simulation finds its own objects: a check of the tests, not of the planner."""
    assert ref_of(open_policy("acme")) == Ref(NETWORK_POLICY, "acme", "mine")
