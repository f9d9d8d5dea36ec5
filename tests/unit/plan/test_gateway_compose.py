"""What a tenant's gateway serves, and to whom."""

from dataclasses import replace

import pytest

from ringfence import names
from ringfence.gateway.served import Callers, Encryption, Route, Schema
from ringfence.model.kinds import CORE_NAMESPACE, MODEL_ROUTE, NAMESPACE, SERVICE_ACCOUNT, Ref
from tests.gateway_world import (
    ACME,
    CHAT,
    LLAMA,
    OPENAI,
    ROUTE_SPEC,
    TENANT_SPEC,
    Json,
    change,
    composed,
    manifest,
    promote,
    revision,
    settle,
    world,
)
from tests.objects import GONE, edited
from tests.simulation import AUTHORITY, Simulation
from tests.told import message, told

WEB = Ref(NAMESPACE, "acme", "web")
STAGE = Ref(NAMESPACE, "acme", "stage")
LIVE = Ref(NAMESPACE, "acme", "live")
OTHER = Ref(MODEL_ROUTE, "acme", "other")


@pytest.fixture(scope="module")
def settled() -> Simulation:
    return world()


@pytest.fixture
def cluster(settled: Simulation) -> Simulation:
    """Four namespaces in three environments, and a route that serves in the first of them."""
    return settled.fork()


def callers(made: Simulation) -> dict[str, Callers]:
    return dict(composed(made).gateway.callers)


def models(made: Simulation, core: str = "acme-web") -> set[str]:
    return {grant.route.model for grant in callers(made)[core].grants}


def route(made: Simulation) -> Route:
    (found,) = composed(made).gateway.routes
    return found


def targets(made: Simulation) -> list[list[str]]:
    """Pools as provider and model, of the one route that there is."""
    return [[f"{target.upstream}/{target.model}" for target in pool] for pool in route(made).pools]


def test_a_route_serves_where_its_revision_is(cluster: Simulation) -> None:
    """Every namespace of the tenant is known; those of other environments may call nothing yet."""
    assert {core: len(each.grants) for core, each in callers(cluster).items()} == {
        "acme-live": 0,
        "acme-models": 1,
        "acme-stage": 0,
        "acme-web": 1,
    }
    promote(cluster, "staging", revision(cluster))
    assert models(cluster, "acme-stage") == {"chat"}
    assert models(cluster, "acme-live") == set()


def test_backends_are_pools_by_priority(cluster: Simulation) -> None:
    """With their weights; the lowest number is tried first."""
    more = [
        {"provider": "llama", "model": "llama-3.3-70b", "priority": 3},
        {"provider": "openai", "model": "gpt-4o", "weight": 9},
        {"provider": "openai", "model": "gpt-4o-mini"},
    ]
    change(cluster, CHAT, {"backends": more})
    assert targets(cluster) == [["openai/gpt-4o", "openai/gpt-4o-mini"], ["llama/llama-3.3-70b"]]
    assert [target.weight for target in route(cluster).targets] == [9, 1, 1]


def test_upstreams_are_spoken_to_as_the_tenant_says(cluster: Simulation) -> None:
    """Public ones by name on 443, private ones in their namespace with their own authority."""
    llama, openai = composed(cluster).gateway.upstreams
    assert (openai.host, openai.port, openai.encryption) == ("api.openai.com", 443, Encryption.PUBLIC)
    assert (openai.has_key, openai.key, openai.region) == (True, "openai", "eu-central-1")
    assert (llama.host, llama.port, llama.encryption) == ("llama.acme-models.svc", 8000, Encryption.PRIVATE)
    assert (llama.authority, llama.has_key) == (AUTHORITY, False)


@pytest.mark.parametrize(
    ("consumers", "expected"),
    [
        ({}, {"acme-web": frozenset(), "acme-models": frozenset()}),
        ({"namespaces": ["web"]}, {"acme-web": frozenset()}),
        ({"serviceAccounts": [{"namespace": "web", "name": "ui"}]}, {"acme-web": frozenset({"ui"})}),
        (
            {"namespaces": ["models"], "serviceAccounts": [{"namespace": "web", "name": "ui"}]},
            {"acme-web": frozenset({"ui"}), "acme-models": frozenset()},
        ),
        (
            {"namespaces": ["web"], "serviceAccounts": [{"namespace": "web", "name": "ui"}]},
            {"acme-web": frozenset()},
        ),
        ({"namespaces": ["stage"]}, {}),
    ],
)
def test_consumers_are_those_who_are_named(cluster: Simulation, consumers: Json, expected: Json) -> None:
    """Down to ServiceAccounts; all namespaces of an environment where nobody is named; never another environment."""
    change(cluster, CHAT, {"consumers": consumers})
    found = {core: grant.accounts for core, each in callers(cluster).items() for grant in each.grants}
    assert found == expected


def test_a_closed_namespace_calls_nothing(cluster: Simulation) -> None:
    """An incident ends its calls, from a pod or with a key from outside."""
    assert "acme-web" in callers(cluster)
    change(cluster, WEB, {"isolation": "Quarantined"})
    assert "acme-web" not in callers(cluster)
    assert "acme-models" in callers(cluster)
    change(cluster, ACME, {"isolation": "Quarantined", "incident": {"id": "INC-7", "reason": "leak"}})
    assert callers(cluster) == {}


def test_a_namespace_of_somebody_elses_is_no_caller(cluster: Simulation) -> None:
    """Whatever its name: the uid of the owner says whose it is."""
    core = Ref(CORE_NAMESPACE, "", "acme-web")
    labels = cluster.objects[core]["metadata"]["labels"]
    cluster.put(edited(cluster.objects[core], {"metadata.labels": {**labels, names.OWNER_UID_LABEL: "another"}}))
    assert "acme-web" not in callers(cluster)
    cluster.put(edited(cluster.objects[core], {"metadata.labels": labels}))
    assert "acme-web" in callers(cluster)


def test_a_namespace_that_goes_is_no_caller(cluster: Simulation) -> None:
    cluster.delete(WEB)
    assert "acme-web" not in callers(cluster)


def test_a_private_frontend_in_a_namespace_that_is_not_there_gets_nothing(cluster: Simulation) -> None:
    """A prompt goes to no namespace that merely bears the name."""
    cluster.delete(Ref(NAMESPACE, "acme", "models"))
    settle(cluster)
    assert targets(cluster) == [["openai/gpt-4o"]]
    assert told(cluster, CHAT, "Accepted") == ("False", "UnknownNamespace")


KEYS = [{"name": "ci", "mode": "Live", "allowCIDRs": ["203.0.113.0/24"]}, {"name": "try"}]


def test_keys_are_their_accounts_uids(cluster: Simulation) -> None:
    """With mode and networks; one that is made anew is another key, one that is not there is none."""
    change(cluster, WEB, {"gatewayKeys": KEYS})
    account = Ref(SERVICE_ACCOUNT, "acme-web", "ringfence-key-ci")
    ci, trial = callers(cluster)["acme-web"].keys
    assert (ci.name, ci.account, ci.uid) == ("ci", account.name, cluster.objects[account]["metadata"]["uid"])
    assert (ci.live, ci.cidrs, trial.live, trial.cidrs) == (True, ("203.0.113.0/24",), False, ())
    cluster.delete(account)
    assert [key.name for key in callers(cluster)["acme-web"].keys] == ["try"]
    settle(cluster)
    again = callers(cluster)["acme-web"].keys[0]
    assert (again.name, again.uid != ci.uid) == ("ci", True)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"pod_ranges": ("10.12.0.0/24",)}, "pods have addresses in 10.12.0.0/24"),
        ({"pod_ranges": ("10.12.0.4/32",)}, "pods have addresses in 10.12.0.4/32"),
        ({"unknown_ranges": ("pods",)}, "name their ranges in --pod-ranges"),
    ],
)
def test_keys_of_a_place_are_none_where_pods_could_be_taken_for_proxies(
    cluster: Simulation, changed: Json, why: str
) -> None:
    """They could claim any place; the object says what to do, and keys for anywhere go on."""
    change(cluster, WEB, {"gatewayKeys": KEYS})
    cluster.facts = replace(cluster.facts, trusted_proxies=("10.12.0.0/28",), pod_ranges=("10.244.0.0/16",))
    assert [key.name for key in callers(cluster)["acme-web"].keys] == ["ci", "try"]
    cluster.facts = replace(cluster.facts, **changed)
    settle(cluster)
    assert [key.name for key in callers(cluster)["acme-web"].keys] == ["try"]
    assert told(cluster, WEB) == ("False", "ProxyDoubted")
    assert "(ci)" in message(cluster, WEB)
    assert why in message(cluster, WEB)


def test_test_keys_are_none_in_a_protected_environment(cluster: Simulation) -> None:
    change(cluster, LIVE, {"gatewayKeys": KEYS})
    assert [key.name for key in callers(cluster)["acme-live"].keys] == ["ci"]
    change(cluster, STAGE, {"gatewayKeys": KEYS})
    assert [key.name for key in callers(cluster)["acme-stage"].keys] == ["ci", "try"]


def test_an_account_that_nobody_declared_is_no_key(cluster: Simulation) -> None:
    """Whoever may make ServiceAccounts in the namespace makes no keys."""
    metadata = {"name": "ringfence-key-mine", "namespace": "acme-web"}
    cluster.put({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    assert callers(cluster)["acme-web"].keys == ()


def test_one_model_has_one_route_in_an_environment(cluster: Simulation) -> None:
    """The older one's, by the revision that serves there; where that serves another model, the younger has it."""
    cluster.put(manifest(OTHER, {**ROUTE_SPEC, "limits": {"maxParallel": 3}}))
    settle(cluster)
    assert route(cluster).name == "chat"
    assert told(cluster, OTHER, "Accepted") == ("False", "ModelTaken")
    change(cluster, CHAT, {"model": "talk"})
    assert {each.name: each.model for each in composed(cluster).gateway.routes} == {"chat": "talk", "other": "chat"}
    assert told(cluster, OTHER, "Accepted") == ("True", "Resolved")


def test_a_model_is_the_older_routes_even_while_that_can_not_be_served(cluster: Simulation) -> None:
    """Nobody gets requests that were meant for another by waiting for its trouble."""
    cluster.put(manifest(OTHER, ROUTE_SPEC))
    change(cluster, CHAT, {"backends": [{"provider": "openai", "model": "unknown"}]})
    assert composed(cluster).gateway.routes == ()


@pytest.mark.parametrize(
    ("edits", "reason", "left"),
    [
        ({"providers.0.models": ["gpt-4o-mini"]}, "UnknownProvider", [["llama/llama-3.3-70b"]]),
        ({"providers": [LLAMA]}, "UnknownProvider", [["llama/llama-3.3-70b"]]),
        ({"providers.1.service.tls.caConfigMap": "none"}, "AuthorityMissing", [["openai/gpt-4o"]]),
    ],
)
def test_what_is_not_approved_any_more_gets_no_request(
    cluster: Simulation, edits: Json, reason: str, left: list[list[str]]
) -> None:
    """The rest of the route serves on, and says what is missing."""
    cluster.authorities["acme-models", "none"] = ""
    change(cluster, ACME, {"providers": edited(TENANT_SPEC, edits)["providers"]})
    assert targets(cluster) == left
    assert told(cluster, CHAT, "Accepted") == ("False", reason)
    change(cluster, ACME, {"providers": TENANT_SPEC["providers"]})
    assert len(targets(cluster)) == 2
    assert told(cluster, CHAT, "Accepted") == ("True", "Resolved")


def test_a_key_never_follows_an_older_revision_to_another_host(cluster: Simulation) -> None:
    """The provider moved: what was promoted before leads to where its key must not go."""
    first = revision(cluster)
    promote(cluster, "staging", first)
    moved = edited(OPENAI, {"endpoint.host": "eu.api.openai.com"})
    change(cluster, ACME, {"providers": [moved, LLAMA]})
    by_revision = {each.revision: each for each in composed(cluster).gateway.routes}
    assert [target.upstream for target in by_revision[first].targets] == ["llama"]
    assert [target.upstream for target in by_revision[revision(cluster)].targets] == ["openai", "llama"]
    assert {each.host for each in composed(cluster).gateway.upstreams} == {"eu.api.openai.com", "llama.acme-models.svc"}
    assert told(cluster, CHAT, "Accepted") == ("False", "ProviderMoved")
    assert "no longer at api.openai.com" in message(cluster, CHAT, "Accepted")


def test_an_older_revision_speaks_to_its_provider_as_it_did(cluster: Simulation) -> None:
    """Another path of the same host is another revision, with the same key; what was promoted keeps its own."""
    first = revision(cluster)
    promote(cluster, "staging", first)
    change(cluster, ACME, {"providers": [edited(OPENAI, {"endpoint.path": "/v2", "schema": "Anthropic"}), LLAMA]})
    found = {each.path: each for each in composed(cluster).gateway.upstreams if each.host == "api.openai.com"}
    assert {path: each.schema for path, each in found.items()} == {"/v1": Schema.OPENAI, "/v2": Schema.ANTHROPIC}
    assert {each.key for each in found.values()} == {"openai"}
    assert found["/v2"].name == "openai"
    assert found["/v1"].name != "openai"
    assert told(cluster, CHAT, "Accepted") == ("True", "Resolved")


def test_providers_serve_in_their_environments_only(cluster: Simulation) -> None:
    """A route that has another backend there says nothing; one that has none says so."""
    change(cluster, ACME, {"providers": [edited(OPENAI, {"environments": ["staging", "prod"]}), LLAMA]})
    assert targets(cluster) == [["llama/llama-3.3-70b"]]
    assert told(cluster, CHAT, "Accepted") == ("True", "Resolved")
    change(cluster, CHAT, {"backends": ROUTE_SPEC["backends"][:1]})
    assert composed(cluster).gateway.routes == ()
    assert told(cluster, CHAT, "Accepted") == ("False", "NothingToServe")


def test_one_revision_may_have_other_targets_in_another_environment(cluster: Simulation) -> None:
    """And stands in one order then, too: the same gateway gives the same files in every process."""
    promote(cluster, "staging", revision(cluster))
    change(cluster, ACME, {"providers": [edited(OPENAI, {"environments": ["dev"]}), LLAMA]})
    found = composed(cluster).gateway.routes
    assert [[target.upstream for target in each.targets] for each in found] == [["openai", "llama"], ["llama"]]
    assert [(each.environment, each.revision) for each in found] == [
        ("dev", revision(cluster)),
        ("staging", revision(cluster)),
    ]


def test_plain_text_is_told(cluster: Simulation) -> None:
    """It is inside the cluster, and whoever reads the Tenant shall know."""
    assert composed(cluster).refused == ()
    change(cluster, ACME, {"providers": [edited(LLAMA, {"service.tls": GONE})]})
    (finding,) = composed(cluster).refused
    assert finding.reason == "PlaintextUpstream"
    assert composed(cluster).gateway.upstreams[0].encryption is Encryption.NONE


def test_a_route_narrows_what_the_tenant_allows(cluster: Simulation) -> None:
    """And widens nothing."""
    gateway = {"maxRequestBytes": "64Ki", "requestsPerMinute": 100, "replicas": 3}
    change(cluster, ACME, {"gateway": gateway})
    change(cluster, CHAT, {"limits": {"maxRequestBytes": "1Mi", "timeout": "2m", "tokensPerMinute": 9}})
    found = composed(cluster).gateway
    assert (found.max_request_bytes, found.requests_per_minute, found.replicas) == (65536, 100, 3)
    limits = route(cluster).limits
    assert (limits.max_request_bytes, limits.timeout, limits.tokens_per_minute) == (65536, 120, 9)


def test_nobody_is_let_in_while_nobody_vouches_for_callers(cluster: Simulation) -> None:
    """No issuer, no keys: no token is a good one."""
    assert composed(cluster).gateway.issuer.url
    cluster.facts = replace(cluster.facts, issuer=None)
    assert (composed(cluster).gateway.issuer.url, composed(cluster).gateway.issuer.jwks) == ("", '{"keys":[]}')


def test_the_probe_is_the_operators(cluster: Simulation) -> None:
    probe = composed(cluster).gateway.probe
    assert probe is not None
    assert (probe.namespace, probe.account) == ("ringfence-system", "ringfence-probe")
