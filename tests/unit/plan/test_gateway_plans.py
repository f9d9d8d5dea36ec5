"""What a home namespace has of its gateway, and when that changes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from ringfence import names
from ringfence.gateway.files import TooLargeError
from ringfence.model.kinds import CONFIG_MAP, DEPLOYMENT, NETWORK_POLICY, SECRET, Ref
from ringfence.plan.gateway import rendering
from ringfence.plan.gateway.certificates import ANNOUNCED_FOR, RENEWED_AFTER, TRUSTED_FOR
from ringfence.plan.images import Images
from ringfence.plan.seen import Probed, RateLimitService
from tests.sample_world import ACME, annotate, delete, edit
from tests.simulation import Object, Simulation
from tests.told import message, told

GATEWAY: Final = Ref(DEPLOYMENT, "acme", names.GATEWAY)
FILES: Final = Ref(CONFIG_MAP, "acme", names.GATEWAY_FILES)
TOLD: Final = Ref(CONFIG_MAP, "acme", names.GATEWAY_CONFIG_MAP)
WAY_OUT: Final = Ref(NETWORK_POLICY, "acme", names.ALLOW_PROVIDERS)
OUTSIDE: Final = {
    "name": "openai",
    "schema": "OpenAI",
    "endpoint": {"host": "api.openai.com"},
    "region": "eu-central-1",
    "models": ["gpt-4o"],
    "credential": {"secretRef": {"name": "model-openai", "key": "api-key"}},
}
STORED: Final = {
    **OUTSIDE,
    "credential": {"externalSecret": {"store": {"kind": "ClusterSecretStore", "name": "vault"}, "key": "acme/openai"}},
}
GRANTED: Final = {"kind": "ClusterSecretStore", "name": "vault", "keyPrefix": "acme/"}


def pod(world: Simulation) -> Object:
    found: Object = world.objects[GATEWAY]["spec"]["template"]["spec"]
    return found


def certificates(world: Simulation) -> list[str]:
    """Names of the certificates that are kept."""
    prefix = names.GATEWAY_TLS_PREFIX
    return sorted(ref.name for ref in world.objects if ref.namespace == "acme" and ref.name.startswith(prefix))


def shown(world: Simulation) -> str:
    (name,) = (volume["secret"]["secretName"] for volume in pod(world)["volumes"] if volume["name"] == "tls")
    return str(name)


def later(world: Simulation, after: timedelta) -> None:
    world.now += after
    world.settle()


def find(value: Any, key: str) -> Iterator[Any]:
    """Every value under ``key``, however deep."""
    if isinstance(value, dict):
        yield from (found for name, each in value.items() for found in ([each] if name == key else find(each, key)))
    elif isinstance(value, list):
        yield from (found for each in value for found in find(each, key))


def test_who_has_no_provider_has_no_gateway(world: Simulation) -> None:
    """Nothing of it, and no word about it: there is nothing that it could serve."""
    edit(ACME, {"providers": []})(world)
    world.settle()
    assert GATEWAY not in world.objects
    assert FILES not in world.objects
    assert certificates(world) == []
    assert told(world, ACME, "GatewayReady") is None
    assert world.objects[TOLD.__class__(CONFIG_MAP, "acme-web", TOLD.name)]["data"]["served"] == "false"


def test_images_are_the_installations(world: Simulation) -> None:
    """What admission pins, the operator runs."""
    world.facts = replace(world.facts, images=Images("registry.example:5000/envoy@sha256:0", "registry.example/op:1"))
    world.settle()
    assert list(find(pod(world), "image")) == ["registry.example:5000/envoy@sha256:0", "registry.example/op:1"]
    assert world.facts.images.repositories == ("registry.example:5000/envoy", "registry.example/op")


def test_a_key_is_mounted_by_name_and_may_be_missing(world: Simulation) -> None:
    """One provider's missing key is no other provider's trouble."""
    edit(ACME, {"providers": [OUTSIDE]})(world)
    world.settle()
    (secret,) = (volume["secret"] for volume in pod(world)["volumes"] if volume["name"] == "key-openai")
    assert secret["secretName"] == "model-openai"
    assert secret["items"] == [{"key": "api-key", "path": "key"}]
    assert secret["optional"]


def test_a_key_in_a_store_is_ordered_where_somebody_takes_orders(world: Simulation) -> None:
    """Where nobody does, the Tenant says what has to be installed."""
    served, world.facts = world.facts, replace(world.facts, served=frozenset())
    edit(ACME, {"providers": [STORED], "secretStores": [GRANTED]})(world)
    world.settle()
    assert told(world, ACME) == ("False", "ExternalSecretsNotServed")
    world.facts = served
    world.settle()
    (order,) = (
        thing for ref, thing in world.objects.items() if ref.type.kind == "ExternalSecret" and ref.namespace == "acme"
    )
    assert order["spec"]["target"]["name"] == "model-openai"
    assert order["spec"]["data"] == [{"secretKey": "key", "remoteRef": {"key": "acme/openai"}}]


def test_outside_of_the_cluster_is_what_is_not_protected(world: Simulation) -> None:
    """By port 443 only; and nothing at all, with a reason, while a range of the cluster is unknown."""
    edit(ACME, {"providers": [OUTSIDE]})(world)
    world.settle()
    first, *_ = world.objects[WAY_OUT]["spec"]["egress"]
    assert [port["port"] for port in first["ports"]] == [443]
    block = first["to"][0]["ipBlock"]
    assert block["cidr"] == "0.0.0.0/0"
    assert {"10.0.0.0/8", "169.254.0.0/16", "192.0.2.0/24"} <= set(block["except"])
    world.facts = replace(world.facts, unknown_ranges=("pods",))
    world.settle()
    assert "egress" not in world.objects[WAY_OUT]["spec"]
    assert told(world, ACME) == ("False", "ProtectedRange")


def test_who_counts_tokens_is_reached_beside_the_operator_and_by_its_port_only(world: Simulation) -> None:
    """Where the installation names a rate limit service; without one there is no way there."""
    edit(ACME, {"providers": [OUTSIDE]})(world)
    world.settle()
    outside = world.objects[WAY_OUT]["spec"]["egress"]
    assert "rate-limit" not in world.objects[FILES]["data"]["cds.json"]
    world.facts = replace(world.facts, rate_limit_service=RateLimitService("limits", 8081))
    world.settle()
    *others, counting = world.objects[WAY_OUT]["spec"]["egress"]
    assert others == outside
    assert counting["ports"] == [{"protocol": "TCP", "port": 8081}]
    (peer,) = counting["to"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": names.OPERATOR_NAMESPACE}
    assert "limits.ringfence-system.svc" in world.objects[FILES]["data"]["cds.json"]


def test_only_proxies_that_the_installation_names_say_where_a_client_is(world: Simulation) -> None:
    """Nobody does where it names none."""
    world.settle()
    assert "xff_trusted_cidrs" not in world.objects[FILES]["data"]["lds.json"]
    world.facts = replace(world.facts, trusted_proxies=("192.0.2.0/24",))
    world.settle()
    trusted = '"xff_trusted_cidrs":{"cidrs":[{"address_prefix":"192.0.2.0","prefix_len":24}]}'
    assert trusted in world.objects[FILES]["data"]["lds.json"]


@pytest.mark.parametrize("why", ["too large", "leaks"])
def test_what_can_not_be_served_replaces_nothing(world: Simulation, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    """The last configuration goes on serving, in every byte, and the Tenant says why it is not the newest."""
    before = world.objects[FILES]

    def refuse(_: object) -> Any:
        if why == "too large":
            raise TooLargeError(1 << 21)
        return ("a prompt would be logged",)

    monkeypatch.setattr(
        rendering, "judged", rendering.judged.__wrapped__
    )  # of this very gateway, nothing is remembered
    monkeypatch.setattr(rendering, "configuration" if why == "too large" else "lint", refuse)
    edit(ACME, {"gateway": {"requestsPerMinute": 7}})(world)
    world.settle()
    assert world.objects[FILES] == before
    assert told(world, ACME) == ("False", "ConfigurationRefused")
    assert told(world, ACME, "GatewayReady") == ("False", "ConfigurationRefused")
    assert before["metadata"]["annotations"][names.REVISION_ANNOTATION] in message(world, ACME, "GatewayReady")
    monkeypatch.undo()
    world.settle()
    assert world.objects[FILES] != before
    assert told(world, ACME) == ("True", "Reconciled")


def test_too_many_routes_leave_out_the_newest_and_hold_up_nothing_else(world: Simulation) -> None:
    """What was taken away meanwhile is taken away."""
    accounts = [{"namespace": "web", "name": f"a{number}"} for number in range(64)]
    for number in range(6):
        mine = [{**each, "name": f"{each['name']}-{number}"} for each in accounts]
        spec = {
            "model": f"flood-{number}",
            "backends": [{"provider": "local-llama", "model": "llama-3.3-70b"}],
            "consumers": {"serviceAccounts": mine},
        }
        world.put(_route(f"flood{number}", spec))
    world.settle()
    routes = world.objects[FILES]["data"]["rds.json"]
    assert ("flood-0" in routes, "flood-5" in routes) == (True, False)
    assert told(world, ACME) == ("False", "TooManyRoutes")
    before = world.objects[FILES]
    edit(ACME, {"gateway": {"requestsPerMinute": 7}})(world)
    world.settle()
    assert world.objects[FILES] != before


def _route(name: str, spec: Object) -> Object:
    kind = {"apiVersion": "ringfence.dev/v1alpha1", "kind": "ModelRoute"}
    return {**kind, "metadata": {"name": name, "namespace": "acme"}, "spec": spec}


def test_while_nobody_vouches_for_callers_nothing_new_is_published(world: Simulation) -> None:
    """What is there stays; where there is nothing, nobody is let in and no pod waits for files."""
    before = world.objects[FILES]
    world.facts = replace(world.facts, issuer=None)
    edit(ACME, {"gateway": {"requestsPerMinute": 7}})(world)
    world.settle()
    assert world.objects[FILES] == before
    fresh = Simulation(facts=world.facts)
    fresh.put(
        {key: world.objects[ACME][key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": "acme"}}
    )
    fresh.settle()
    assert GATEWAY not in fresh.objects
    assert told(fresh, ACME, "GatewayReady") == ("Unknown", "GatewayStarting")


def test_an_incident_stops_it_before_anything_else(world: Simulation) -> None:
    """Its first write says: no replica; everything else of it stays."""
    edit(ACME, {"isolation": "Quarantined", "incident": {"id": "INC-1", "reason": "leak"}})(world)
    first, *_ = world.reconcile(ACME)
    assert (first.ref, first.pointers) == (GATEWAY, ("/spec/replicas",))
    assert world.objects[GATEWAY]["spec"]["replicas"] == 0
    assert FILES in world.objects
    assert WAY_OUT not in world.objects
    assert told(world, ACME, "GatewayReady") == ("False", "Quarantined")


def test_a_tenant_that_goes_takes_its_gateway_with_it(world: Simulation) -> None:
    """Also where its namespaces are retained: a gateway gives access."""
    delete(ACME)(world)
    world.settle()
    assert GATEWAY not in world.objects


@pytest.mark.parametrize(
    ("probed", "expected"),
    [
        (None, ("Unknown", "GatewayUnseen")),
        ({"reachable": False, "problem": "no answer"}, ("Unknown", "GatewayUnseen")),
        ({"reachable": True, "problem": "ringfence-gateway-1 lets anybody in"}, ("False", "GatewayFails")),
        ({"reachable": True, "revision": "0" * 16}, ("False", "GatewayBehind")),
        ({"reachable": True, "revision": ""}, ("False", "GatewayBehind")),
        ({"reachable": True, "revision": "now"}, ("True", "GatewayServes")),
    ],
)
def test_ready_means_that_somebody_saw_it_serve(
    world: Simulation, monkeypatch: pytest.MonkeyPatch, probed: dict[str, Any] | None, expected: tuple[str, str]
) -> None:
    """What nobody saw is unknown, however well the objects stand."""
    revision = world.objects[FILES]["metadata"]["annotations"][names.REVISION_ANNOTATION]
    fields = {key: revision if value == "now" else value for key, value in (probed or {}).items()}
    found = Probed(at=world.now, **fields) if probed is not None else None
    monkeypatch.setattr(Simulation, "probed", lambda self, tenant: found)
    world.settle()
    assert told(world, ACME, "GatewayReady") == expected


def test_an_authority_is_announced_then_used_then_forgotten(world: Simulation) -> None:
    """At no moment does the gateway show a certificate of an authority that workloads were not told of."""
    (first,) = certificates(world)
    later(world, RENEWED_AFTER - timedelta(days=1))
    assert certificates(world) == [first]
    later(world, timedelta(days=1))
    (second,) = set(certificates(world)) - {first}
    assert shown(world) == first
    told_of = world.objects[Ref(CONFIG_MAP, "acme-web", TOLD.name)]["data"]["ca.crt"]
    assert told_of.count("BEGIN CERTIFICATE") == 2
    later(world, ANNOUNCED_FOR)
    assert shown(world) == second
    assert sorted(certificates(world)) == sorted((first, second))
    later(world, TRUSTED_FOR)
    assert certificates(world) == [second]
    assert ("acme", first) not in world.secrets


def test_time_is_data_for_certificates_too(world: Simulation) -> None:
    """Each change is looked at when it is due, though no event announces it."""
    planned = world.plan(ACME)
    assert planned is not None
    assert planned[1].look_again_at == moment(world) + RENEWED_AFTER


def moment(world: Simulation) -> datetime:
    (name,) = certificates(world)
    text = world.objects[Ref(CONFIG_MAP, "acme", name)]["data"]["notBefore"]
    return datetime.fromisoformat(text)


def test_a_certificate_whose_secret_is_gone_counts_for_nothing(world: Simulation) -> None:
    """Another one takes its place, and is shown at once."""
    (before,) = certificates(world)
    world.secrets.clear()
    later(world, timedelta(seconds=1))
    (after,) = certificates(world)
    assert after != before
    assert shown(world) == after
    assert ("acme", after) in world.secrets


def test_no_plan_holds_what_is_in_a_secret(world: Simulation) -> None:
    """What is written into it is known to nobody who plans or records."""
    (secret,) = (thing for ref, thing in world.applied.items() if ref.type == SECRET and ref.namespace == "acme")
    assert secret.keys() == {"apiVersion", "kind", "metadata", "type"}


def test_a_plan_says_which_configuration_follows_upon_which(world: Simulation) -> None:
    """Only where it changes: a request's line in the access log leads to the record of what served it."""
    before = world.objects[FILES]["metadata"]["annotations"][names.REVISION_ANNOTATION]
    planned = world.plan(ACME)
    assert planned is not None
    assert planned[1].configuration == (before, before)
    edit(ACME, {"gateway": {"requestsPerMinute": 7}})(world)
    planned = world.plan(ACME)
    assert planned is not None
    assert planned[1].configuration[0] == before
    assert planned[1].configuration[1] != before


def test_what_somebody_adds_to_the_pod_goes_before_the_rest_is_applied(world: Simulation) -> None:
    """An apply would keep the stranger in the list, and admission would refuse it for ever."""
    edited = {**world.objects[GATEWAY], "spec": {**world.objects[GATEWAY]["spec"]}}
    template = edited["spec"]["template"]
    containers = [*template["spec"]["containers"], {"name": "stranger", "image": "evil.example/tap"}]
    edited["spec"]["template"] = {**template, "spec": {**template["spec"], "containers": containers}}
    world.put(edited)
    first, second = (write for write in world.reconcile(ACME) if write.ref == GATEWAY)
    assert first.patch is not None
    assert first.patch["spec"]["template"]["spec"]["containers"][0]["name"] == "envoy"
    assert second.manifest is not None
    assert len(pod(world)["containers"]) == 1


def test_repair_that_is_suspended_leaves_the_gateway_alone(world: Simulation) -> None:
    """As everything else; what is missing is only said."""
    annotate(ACME, paused_until="2026-11-22T10:00:00Z")(world)
    edit(ACME, {"gateway": {"replicas": 5}})(world)
    world.settle()
    assert world.objects[GATEWAY]["spec"]["replicas"] == 2
    assert told(world, ACME, "Paused") == ("True", "Paused")
