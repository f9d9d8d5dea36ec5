"""Who is looked at again."""

import copy

from ringfence import names
from ringfence.model.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    MODEL_ROUTE,
    NAMESPACE,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    RETENTION_POLICY,
    SERVICE,
    SERVICE_ACCOUNT,
    TENANT,
    Ref,
)
from ringfence.plan.dependents import is_tenants_own, of_child, of_core_namespace, of_subject
from tests.sample_world import ACME, DATA, GLOBEX, WEB, Change, delete, edit
from tests.simulation import Simulation

HOOLI = Ref(TENANT, "", "hooli")
MODELS = Ref(NAMESPACE, "acme", "models")
CHAT = Ref(MODEL_ROUTE, "acme", "chat")
POLICY = Ref(RETENTION_POLICY, "acme", "default")
OURS = {names.MANAGED_BY_LABEL: names.MANAGED_BY}


def woken(world: Simulation, ref: Ref, change: Change) -> frozenset[Ref]:
    before = world.subject(ref)
    change(world)
    return of_subject(ref, before, world.subject(ref), world)


def ready(status: str, reason: str = "Reconciled") -> Change:
    def change(world: Simulation) -> None:
        for ref in (ACME, WEB):
            edited = copy.deepcopy(world.objects[ref])
            (condition,) = (each for each in edited["status"]["conditions"] if each["type"] == "Ready")
            condition |= {"status": status, "reason": reason}
            world.put(edited)

    return change


def test_a_tenant_wakes_everything_in_its_home_and_nothing_else(world: Simulation) -> None:
    """What it grants decides about all of them."""
    assert woken(world, ACME, edit(ACME, {"displayName": "A"})) == {WEB, DATA, MODELS, CHAT, POLICY}


def test_a_tenant_that_comes_or_goes_wakes_who_gives_rights_to_its_workloads(world: Simulation) -> None:
    """They get none from the moment on in which there is such a Tenant."""
    robot = {"serviceAccount": {"namespace": "hooli-ci", "name": "robot"}}
    edit(ACME, {"access": {"owners": [robot]}})(world)
    hooli = copy.deepcopy(world.objects[GLOBEX]) | {"metadata": {"name": "hooli"}}
    before = world.subject(HOOLI)
    world.put(hooli)
    assert of_subject(HOOLI, before, world.subject(HOOLI), world) == {ACME, WEB, DATA, MODELS}
    assert woken(world, HOOLI, delete(HOOLI)) == {ACME, WEB, DATA, MODELS}


def test_a_tenants_status_alone_wakes_nobody_unless_it_became_ready(world: Simulation) -> None:
    """Or every Namespace that gets ready would wake all the others."""

    def counts(each: Simulation) -> None:
        edited = copy.deepcopy(each.objects[ACME])
        edited["status"]["counts"]["namespaces"] = 99
        each.put(edited)

    assert woken(world, ACME, counts) == frozenset()
    assert WEB in woken(world, ACME, ready("False", "NameTaken"))
    assert WEB in woken(world, ACME, ready("False", "ProtectedRange"))


def test_a_namespace_wakes_its_tenant_its_peers_and_its_routes(world: Simulation) -> None:
    """Peers in both directions, but no sibling that has nothing to do with it."""
    assert woken(world, WEB, edit(WEB, {"network": {}})) == {ACME, DATA, CHAT, POLICY}
    assert woken(world, MODELS, edit(MODELS, {"quota": {"hard": {}}})) == {ACME, CHAT, POLICY}


def test_a_peer_is_woken_by_whoever_names_the_other(world: Simulation) -> None:
    """One word is enough to be interested."""
    edit(DATA, {"network": {}})(world)  # now only web names data
    assert DATA in woken(world, WEB, edit(WEB, {"labels": {"a": "b"}}))
    assert WEB in woken(world, DATA, edit(DATA, {"labels": {"a": "b"}}))


def test_a_namespace_that_got_ready_is_the_tenants_news_alone(world: Simulation) -> None:
    """Its status counts it."""
    assert woken(world, WEB, ready("False")) == {ACME}


def test_who_waits_for_budget_is_woken_when_there_may_be_some(world: Simulation) -> None:
    """By a sibling that goes, and by the Tenant's new division."""
    edit(DATA, {"quota": {"hard": {"pods": "1000"}}})(world)
    world.settle()
    assert DATA in of_subject(MODELS, world.subject(MODELS), None, world)

    def divide(each: Simulation) -> None:
        edited = copy.deepcopy(each.objects[ACME])
        edited["status"]["budget"]["allocated"]["pods"] = "1"
        each.put(edited)

    assert woken(world, ACME, divide) == {DATA}


def test_a_child_wakes_whoever_answers_for_its_namespace(world: Simulation) -> None:
    """A quota also wakes the Tenant, who divides anew."""
    assert of_child(Ref(NETWORK_POLICY, "acme-web", "x"), {}, world) == {WEB}
    assert of_child(Ref(NETWORK_POLICY, "acme", "x"), {}, world) == {ACME}
    assert of_child(Ref(RESOURCE_QUOTA, "acme-web", "ringfence"), OURS, world) == {WEB, ACME}


def test_what_a_home_tells_of_its_gateway_wakes_all_of_the_tenants_namespaces(world: Simulation) -> None:
    """Each of them tells its workloads the same; what a Namespace tells is nobody else's news."""
    told = names.GATEWAY_CONFIG_MAP
    assert of_child(Ref(CONFIG_MAP, "acme", told), OURS, world) == {ACME, WEB, DATA, MODELS}
    assert of_child(Ref(CONFIG_MAP, "acme-web", told), OURS, world) == {WEB}


def test_what_a_gateway_was_told_to_serve_wakes_routes_that_wait_to_be_seen(world: Simulation) -> None:
    """Also where it changes none of its files: a route whose environment has no callers yet waits, too."""
    routes = Ref(CONFIG_MAP, "acme", names.GATEWAY_ROUTES)
    assert of_child(routes, OURS, world) == {ACME, CHAT}
    served = {"environments": [{"name": "dev", "revision": "rev-1", "served": "True"}]}
    world.put({**world.objects[CHAT], "status": served})
    assert of_child(routes, OURS, world) == {ACME}


def test_a_freed_name_wakes_the_loser() -> None:
    """Whatever labels the namespace had."""
    assert WEB in of_core_namespace("acme-web", {})
    assert ACME in of_core_namespace("acme", {})
    assert ACME in of_core_namespace("elsewhere", {names.TENANT_LABEL: "acme"})


def test_a_revision_wakes_its_route_and_whose_gateway_serves_it(world: Simulation) -> None:
    """Somebody else's object of that type, or one without a route, wakes nobody but the owner of the namespace."""
    ref = Ref(CONTROLLER_REVISION, "acme", "chat-rev-0123456789abcdef")
    assert of_child(ref, {**OURS, names.ROUTE_LABEL: "chat"}, world) == {ACME, CHAT}
    assert of_child(ref, OURS, world) == {ACME}
    assert of_child(ref, {names.ROUTE_LABEL: "chat"}, world) == {ACME}


def test_a_keys_account_wakes_the_tenant_whose_gateway_knows_it(world: Simulation) -> None:
    """A key that is revoked, or made anew, is another gateway; other accounts are none of its business."""
    assert of_child(Ref(SERVICE_ACCOUNT, "acme-web", "ringfence-key-ci"), OURS, world) == {ACME, WEB}
    assert of_child(Ref(SERVICE_ACCOUNT, "acme-web", "default"), OURS, world) == {WEB}


def test_a_service_wakes_who_goes_by_the_port_that_it_leads_to(world: Simulation) -> None:
    """A model frontend's: the gateway, both ends of the way there, peers, and routes; any other one nobody."""
    assert of_child(Ref(SERVICE, "acme-models", "llama"), {}, world) == {ACME, WEB, DATA, MODELS, CHAT}
    assert of_child(Ref(SERVICE, "acme-web", "llama"), {}, world) == frozenset()
    assert of_child(Ref(SERVICE, "acme-models", "other"), {}, world) == frozenset()
    assert of_child(Ref(SERVICE, "acme", names.GATEWAY), {}, world) == {ACME}


def test_a_tenants_own_service_is_no_drift() -> None:
    """Its people change it as often as they like, and are followed at a measured pace; the gateway's is put right."""
    assert is_tenants_own(Ref(SERVICE, "acme-models", "llama"), {})
    assert not is_tenants_own(Ref(SERVICE, "acme", names.GATEWAY), {})
    assert not is_tenants_own(Ref(NETWORK_POLICY, "acme-models", "llama"), {})


def gateway(status: str, revision: str) -> Change:
    """The Tenant's status tells another configuration of its gateway, or another verdict on it."""

    def change(world: Simulation) -> None:
        edited = copy.deepcopy(world.objects[ACME])
        edited["status"]["gateway"] = {"configHash": revision}
        kept = [each for each in edited["status"]["conditions"] if each["type"] != "GatewayReady"]
        ready = {"type": "GatewayReady", "status": status, "reason": "GatewayServes", "message": ""}
        edited["status"]["conditions"] = [*kept, ready]
        world.put(edited)

    return change


def test_a_gateways_configuration_wakes_the_routes_that_wait_for_it(world: Simulation) -> None:
    """Not those that were seen to be served; all of them when the gateway fails, or serves again."""
    assert woken(world, ACME, gateway("True", "one")) == {CHAT}
    served = copy.deepcopy(world.objects[CHAT])
    served["status"]["environments"] = [{"name": "dev", "revision": "rev-0123456789abcdef", "served": "True"}]
    world.put(served)
    assert woken(world, ACME, gateway("True", "two")) == frozenset()
    assert woken(world, ACME, gateway("False", "two")) == {CHAT}
    assert woken(world, ACME, gateway("True", "two")) == {CHAT}
