"""What is said of ModelRoutes and RetentionPolicies."""

import pytest

from ringfence.model.kinds import MODEL_ROUTE, RETENTION_POLICY, Ref
from tests.objects import service
from tests.sample_world import ACME, edit
from tests.simulation import Object, Simulation
from tests.told import message, told

CHAT = Ref(MODEL_ROUTE, "acme", "chat")
POLICY = Ref(RETENTION_POLICY, "acme", "default")
BACKEND = {"provider": "local-llama", "model": "llama-3.3-70b"}


def route(name: str, **spec: object) -> Object:
    metadata = {"name": name, "namespace": "acme"}
    return {"apiVersion": "ringfence.dev/v1alpha1", "kind": "ModelRoute", "metadata": metadata, "spec": spec}


def test_a_good_route_is_accepted_and_served_only_when_that_was_seen(world: Simulation) -> None:
    """No finalizer, and no claim before somebody looked."""
    assert told(world, CHAT, "Accepted") == ("True", "Resolved")
    assert told(world, CHAT) == ("False", "NotServed")
    assert "finalizers" not in world.objects[CHAT]["metadata"]


@pytest.mark.parametrize(
    ("spec", "reason", "word"),
    [
        ({"backends": [{"provider": "openai", "model": "gpt-4o"}]}, "UnknownProvider", "openai"),
        ({"backends": [{"provider": "local-llama", "model": "gpt-4o"}]}, "UnknownProvider", "gpt-4o"),
        ({"promotions": {"staging": "rev-6f1c0a9d2b417e55"}}, "UnknownEnvironment", "staging"),
        ({"promotions": {"dev": "rev-6f1c0a9d2b417e55"}}, "UnknownEnvironment", "follows the spec"),
        ({"consumers": {"namespaces": ["shop"]}}, "UnknownNamespace", "shop"),
        ({"consumers": {"serviceAccounts": [{"namespace": "shop", "name": "x"}]}}, "UnknownNamespace", "shop"),
    ],
)
def test_a_reference_that_leads_nowhere_is_named(world: Simulation, spec: Object, reason: str, word: str) -> None:
    """Accepted is False with its reason; set right, it is accepted again."""
    good = world.objects[CHAT]["spec"]
    edit(CHAT, spec)(world)
    world.settle()
    assert told(world, CHAT, "Accepted") == ("False", reason)
    assert word in message(world, CHAT, "Accepted")
    edit(CHAT, {"promotions": {}, "consumers": {}} | good)(world)
    world.settle()
    assert told(world, CHAT, "Accepted") == ("True", "Resolved")


def test_one_model_has_one_route_in_an_environment(world: Simulation) -> None:
    """The older one keeps it; when it goes, the younger one has it."""
    younger = world.put(route("chat2", model="chat", backends=[BACKEND]))
    world.settle()
    assert told(world, younger, "Accepted") == ("False", "ModelTaken")
    assert told(world, CHAT, "Accepted") == ("True", "Resolved")
    world.delete(CHAT)
    world.settle()
    assert told(world, younger, "Accepted") == ("True", "Resolved")


def test_a_route_waits_for_what_the_platform_team_grants(world: Simulation) -> None:
    """A provider that comes later makes it good, once its Service is there."""
    ref = world.put(route("new", model="new", backends=[{"provider": "later", "model": "m"}]))
    world.settle()
    assert told(world, ref, "Accepted") == ("False", "UnknownProvider")
    frontend = {"namespace": "models", "name": "later", "port": 8001}
    later = {"name": "later", "schema": "OpenAI", "service": frontend, "models": ["m"]}
    edit(ACME, {"providers": [*world.objects[ACME]["spec"]["providers"], later]})(world)
    world.settle()
    assert told(world, ref, "Accepted") == ("False", "ServiceMissing")
    world.put(service("acme-models", "later", 8001, 8001))
    world.settle()
    assert told(world, ref, "Accepted") == ("True", "Resolved")


def test_a_policy_is_accepted_counts_its_holds_and_is_not_swept(world: Simulation) -> None:
    """A scope that the tenant does not have is named."""
    edit(POLICY, {"legalHolds": [{"name": "case", "reason": "litigation", "scope": {"namespaces": ["web"]}}]})(world)
    world.settle()
    assert world.objects[POLICY]["status"]["holds"] == 1
    assert told(world, POLICY, "Accepted") == ("True", "Resolved")
    assert told(world, POLICY) == ("False", "NotServedYet")
    edit(POLICY, {"legalHolds": [{"name": "case", "reason": "litigation", "scope": {"namespaces": ["gone"]}}]})(world)
    world.settle()
    assert told(world, POLICY, "Accepted") == ("False", "UnknownNamespace")


def test_without_a_tenant_both_wait(world: Simulation) -> None:
    """Order never matters."""
    lost = route("lost", model="m", backends=[BACKEND])
    lost["metadata"]["namespace"] = "initech"
    ref = world.put(lost)
    assert world.settle() == []
    assert told(world, ref, "Accepted") == ("False", "TenantNotFound")
    assert told(world, ref, "Reconciling") is not None
