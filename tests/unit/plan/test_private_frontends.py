"""Model frontends in the tenant's own Namespaces: which environments they serve, with what, and where they lead to."""

from typing import Any, Final

import pytest

from ringfence import names
from ringfence.gateway.files import configuration
from ringfence.model.kinds import CORE_NAMESPACE, NAMESPACE, NETWORK_POLICY, SERVICE, Ref
from tests.gateway_world import (
    ACME,
    CHAT,
    LLAMA,
    OPENAI,
    Json,
    approve,
    change,
    composed,
    promote,
    revision,
    settle,
    world,
)
from tests.objects import GONE, edited, service
from tests.simulation import Object, Simulation
from tests.told import message, told

MODELS: Final = Ref(NAMESPACE, "acme", "models")
THERE: Final = Ref(SERVICE, "acme-models", "llama")
WAY_OUT: Final = Ref(NETWORK_POLICY, "acme", names.ALLOW_PROVIDERS)
WAY_IN: Final = Ref(NETWORK_POLICY, "acme-models", names.ALLOW_GATEWAY)
EVERYWHERE: Final = edited(LLAMA, {"environments": GONE})
PLAIN: Final = edited(LLAMA, {"service.tls": GONE})
KEY: Final = {"secretRef": {"name": "model-llama", "key": "key"}}


@pytest.fixture(scope="module")
def settled() -> Simulation:
    return world()


@pytest.fixture
def cluster(settled: Simulation) -> Simulation:
    """A frontend in an unprotected environment, and a route that leads to it after another provider."""
    return settled.fork()


def targets(made: Simulation, core: str) -> set[str]:
    """Upstreams that somebody in a namespace is led to."""
    callers = composed(made).gateway.callers[core]
    return {target.upstream for grant in callers.grants for target in grant.route.targets}


def providers(made: Simulation, *wanted: Json) -> None:
    change(made, ACME, {"providers": [OPENAI, *wanted]})


def everywhere(made: Simulation) -> None:
    """Let one revision serve in all three environments."""
    promote(made, "staging", revision(made))
    promote(made, "prod", revision(made))
    approve(made, "prod", revision(made))


def put(made: Simulation, **spec: Any) -> None:
    made.put(service("acme-models", "llama", 8000, 8080, **spec))
    settle(made)


def rules(made: Simulation, policy: Ref, way: str) -> list[Object]:
    """What is open between the gateway and the frontend."""
    found = made.objects[policy]["spec"].get(way, [])
    return [each for each in found if "ipBlock" not in str(each)]


def ports(made: Simulation) -> list[list[int | str]]:
    """At the gateway's end, and at the frontend's."""
    both = (rules(made, WAY_OUT, "egress"), rules(made, WAY_IN, "ingress"))
    return [[port["port"] for rule in found for port in rule["ports"]] for found in both]


def test_a_frontend_serves_no_environment_that_is_more_protected_than_its_own(cluster: Simulation) -> None:
    """Whoever may change Services in dev would read what prod sends; the other environments go on being served."""
    providers(cluster, EVERYWHERE)
    everywhere(cluster)
    assert targets(cluster, "acme-web") == {"openai", "llama"}
    assert targets(cluster, "acme-stage") == {"openai", "llama"}
    assert targets(cluster, "acme-live") == {"openai"}
    assert told(cluster, CHAT, "Accepted") == ("False", "LessProtected")
    said = message(cluster, CHAT, "Accepted")
    assert "provider llama runs in Namespace models, whose environment dev is less protected than prod" in said
    assert "leave prod out of the provider's environments" in said


def test_a_frontend_in_a_protected_environment_serves_all_of_them(cluster: Simulation) -> None:
    """Where the same people decide, or fewer."""
    moved = world({"providers": [OPENAI, EVERYWHERE]}, namespaces={"web": "dev", "models": "prod", "live": "prod"})
    everywhere(moved)
    assert targets(moved, "acme-web") == targets(moved, "acme-live") == {"openai", "llama"}
    assert told(moved, CHAT, "Accepted") == ("True", "Resolved")


def test_who_does_not_want_it_there_is_told_nothing(cluster: Simulation) -> None:
    """A provider that is not for prod keeps nobody in prod from anything."""
    everywhere(cluster)
    assert targets(cluster, "acme-live") == {"openai"}
    assert told(cluster, CHAT, "Accepted") == ("True", "Resolved")


def test_an_environment_that_becomes_protected_is_left_at_once(cluster: Simulation) -> None:
    """By the Tenant's word alone, whatever was approved before."""
    change(cluster, ACME, {"providers": [OPENAI, EVERYWHERE], "environments.1.protected": True})
    promote(cluster, "staging", revision(cluster))
    approve(cluster, "staging", revision(cluster))
    assert targets(cluster, "acme-stage") == {"openai"}
    change(cluster, ACME, {"environments.0.protected": True})
    assert targets(cluster, "acme-stage") == {"openai", "llama"}


@pytest.mark.parametrize("how", ["deleted", "closed", "core deleted"])
def test_nothing_is_sent_to_a_namespace_that_goes_or_is_closed(cluster: Simulation, how: str) -> None:
    """Neither while it is being removed, nor while somebody looks into an incident there."""
    assert targets(cluster, "acme-web") == {"openai", "llama"}
    if how == "closed":
        change(cluster, MODELS, {"isolation": "Quarantined"})
    else:
        cluster.delete(MODELS if how == "deleted" else Ref(CORE_NAMESPACE, "", "acme-models"))
    assert targets(cluster, "acme-web") == {"openai"}
    if how == "closed":
        assert told(cluster, CHAT, "Accepted") == ("False", "WaitingForNamespace")


def test_a_key_is_not_sent_in_plain_text(cluster: Simulation) -> None:
    """Prompts are, and are told; for a key the provider is closed, on the Tenant and on the route."""
    providers(cluster, PLAIN)
    assert targets(cluster, "acme-web") == {"openai", "llama"}
    assert [each.reason for each in composed(cluster).refused] == ["PlaintextUpstream"]
    providers(cluster, {**PLAIN, "credential": KEY})
    assert targets(cluster, "acme-web") == {"openai"}
    assert told(cluster, ACME, "Accepted") == ("False", "PlaintextCredential")
    assert told(cluster, CHAT, "Accepted") == ("False", "PlaintextCredential")
    assert "provider llama" in message(cluster, CHAT, "Accepted")
    providers(cluster, {**LLAMA, "credential": KEY})
    assert targets(cluster, "acme-web") == {"openai", "llama"}
    assert told(cluster, ACME, "Accepted") == ("True", "Resolved")


@pytest.mark.parametrize(
    ("spec", "port"),
    [
        ({}, 8080),
        ({"ports": [{"port": 8000, "targetPort": "http"}]}, "http"),
        ({"ports": [{"port": 8000}]}, 8000),
        ({"ports": [{"port": 8000, "targetPort": 9, "protocol": "UDP"}, {"port": 8000, "targetPort": 7}]}, 7),
        ({"clusterIP": "None"}, 8000),
    ],
    ids=["number", "name", "same", "of TCP", "headless"],
)
def test_policies_are_about_the_ports_of_pods(cluster: Simulation, spec: Json, port: int | str) -> None:
    """A connection is judged where it arrives; at both ends it is the same, and Envoy goes by the Service's."""
    put(cluster, **spec)
    assert ports(cluster) == [[port], [port]]
    assert {each.port for each in composed(cluster).gateway.upstreams} == {443, 8000}
    assert told(cluster, CHAT, "Accepted") == ("True", "Resolved")


@pytest.mark.parametrize(
    ("spec", "reason", "said"),
    [
        (None, "ServiceMissing", "there is no Service/acme-models/llama"),
        ({"ports": [{"port": 80, "targetPort": 8000}]}, "ServiceMissing", "has no TCP port 8000"),
        ({"ports": [{"port": 8000, "protocol": "UDP"}]}, "ServiceMissing", "has no TCP port 8000"),
        ({"selector": {}}, "ServiceRefused", "must be of type ClusterIP and select pods"),
        ({"selector": None, "clusterIP": "None"}, "ServiceRefused", "must be of type ClusterIP and select pods"),
        ({"type": "ExternalName", "externalName": "tap.example"}, "ServiceRefused", "must be of type ClusterIP"),
        ({"type": "LoadBalancer"}, "ServiceRefused", "must be of type ClusterIP"),
    ],
    ids=["gone", "no port", "no TCP", "no selector", "headless without selector", "out of the cluster", "open"],
)
def test_a_service_that_may_lead_anywhere_gets_nothing(
    cluster: Simulation, spec: Json | None, reason: str, said: str
) -> None:
    """Neither a request nor a way there; once it is right, both."""
    assert ports(cluster) == [[8080], [8080]]
    if spec is None:
        cluster.delete(THERE)
        settle(cluster)
    else:
        put(cluster, **spec)
    assert ports(cluster) == [[], []]
    assert targets(cluster, "acme-web") == {"openai"}
    assert b"llama.acme-models" not in b"".join(configuration(composed(cluster).gateway).files.values())
    assert told(cluster, CHAT, "Accepted") == ("False", reason)
    assert f"provider llama: {'' if spec is None else 'Service/acme-models/llama '}{said}" in message(
        cluster, CHAT, "Accepted"
    )
    put(cluster)
    assert ports(cluster) == [[8080], [8080]]
    assert targets(cluster, "acme-web") == {"openai", "llama"}
    assert told(cluster, CHAT, "Accepted") == ("True", "Resolved")


def test_whatever_endpoints_a_service_is_given_the_gateway_reaches_the_tenants_pods_only(cluster: Simulation) -> None:
    """The way out is to one namespace, by the owner's uid, and never to addresses that somebody writes."""
    (rule,) = rules(cluster, WAY_OUT, "egress")
    (peer,) = rule["to"]
    assert set(peer) == {"namespaceSelector"}
    labels = peer["namespaceSelector"]["matchLabels"]
    assert labels[names.OWNER_UID_LABEL] == cluster.objects[ACME]["metadata"]["uid"]
    assert (labels[names.TENANT_LABEL], labels[names.NAMESPACE_LABEL]) == ("acme", "models")
