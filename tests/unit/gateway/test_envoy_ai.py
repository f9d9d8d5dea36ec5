"""What the second data plane is told, and what it is not asked to promise."""

import json
import re
from dataclasses import replace
from typing import Any, Final

import pytest

from ringfence import names
from ringfence.gateway.envoy_ai import callers, engine, refusals
from ringfence.gateway.envoy_ai.differences import DIFFERENCES, Verdict
from ringfence.gateway.envoy_ai.engine import Engine, SecretKey, seconds
from ringfence.gateway.envoy_ai.refusals import Refusal
from ringfence.gateway.envoy_ai.render import render
from ringfence.gateway.served import (
    Callers,
    Encryption,
    Gateway,
    Grant,
    Issuer,
    Key,
    Limits,
    Probe,
    Route,
    Schema,
    Target,
    Upstream,
)

FIRST: Final = Upstream("first", "api.first.example", 443, region="eu-central-1")
CLAUDE: Final = Upstream("claude", "api.claude.example", 443, schema=Schema.ANTHROPIC)
LLAMA: Final = Upstream(
    "llama", "llama.acme-models.svc", 8000, encryption=Encryption.PRIVATE, authority="PEM", has_key=False
)
PLAIN: Final = Upstream("plain", "plain.acme-models.svc", 8000, encryption=Encryption.NONE, has_key=False)
UNUSED: Final = Upstream("unused", "api.unused.example", 443)

LIMITS: Final = Limits(requests_per_minute=600, max_request_bytes=4096, timeout=3700, idle_timeout=60, max_parallel=9)
CHAT: Final = Route(
    "chat",
    "chat",
    "rev-6f1c0a9d2b417e55",
    ((Target("first", "gpt-4o", 90), Target("claude", "haiku", 10)), (Target("llama", "llama-3.3"),)),
    LIMITS,
)
TINY: Final = Route("tiny", "tiny", "rev-0000000000000001", ((Target("plain", "t1"),),))
ENGINE: Final = Engine(
    "envoy-ai",
    "gateway-tls-1",
    {name: SecretKey(f"model-{name}", refusals.KEY) for name in ("first", "claude", "unused")},
)
GATEWAY: Final = Gateway(
    "acme",
    Issuer("https://kubernetes.default.svc", '{"keys":[]}'),
    (FIRST, CLAUDE, LLAMA, PLAIN, UNUSED),
    {
        "acme-dev": Callers("dev", (Grant(CHAT), Grant(TINY))),
        "acme-prod": Callers("prod", (Grant(CHAT, frozenset({"ui.v1"})),)),
        "acme-lab": Callers("dev"),
    },
    probe=Probe("ringfence-system", "ringfence-probe"),
    replicas=3,
)


def found(gateway: Gateway = GATEWAY, told: Engine = ENGINE) -> dict[tuple[str, str], dict[str, Any]]:
    """Bodies by kind and name."""
    return {(each.type.kind, each.name): dict(each.body) for each in render(gateway, told).resources}


def spec(kind: str, name: str = names.GATEWAY, gateway: Gateway = GATEWAY, told: Engine = ENGINE) -> Any:
    return found(gateway, told)[kind, name]["spec"]


CHAT_NAME: Final = "ringfence-chat-6f1c0a9d2b417e55"


def limited(**limits: int) -> Gateway:
    """The gateway with one route that has these limits."""
    route = replace(TINY, limits=Limits(**limits))
    return replace(GATEWAY, callers={"acme-dev": Callers("dev", (Grant(route),))})


def matching(text: str) -> re.Pattern[str]:
    """An expression as the engine takes it: of the whole header. Of RE2, all that is used here is Python's, too."""
    return re.compile(rf"\A(?:{text})\Z")


# --- who may call what


@pytest.mark.parametrize(
    ("caller", "calls"),
    [
        ("acme-dev:default", True),
        ("acme-prod:ui.v1", True),
        ("acme-prod:ui-v1", False),
        ("acme-prod:other", False),
        ("acme-lab:default", False),
        ("acme-dev-2:default", False),
        ("globex-dev:default", False),
    ],
)
def test_a_route_matches_its_callers_and_nobody_else(caller: str, calls: bool) -> None:
    """By the whole subject of the verified token: the namespace, and the account where only some may."""
    assert bool(matching(callers.of_route(GATEWAY, CHAT)).match(f"system:serviceaccount:{caller}")) is calls


def test_a_route_wants_the_model_and_the_caller_together() -> None:
    """In one match of one rule, so that neither does alone, and what is counted is counted once."""
    (rule,) = spec("AIGatewayRoute", CHAT_NAME)["rules"]
    (match,) = rule["matches"]
    assert [(each["name"], each["type"]) for each in match["headers"]] == [
        ("x-ai-eg-model", "Exact"),
        (callers.HEADER, "RegularExpression"),
    ]
    assert match["headers"][0]["value"] == "chat"


def test_nobody_comes_in_by_default() -> None:
    """Deny, but for callers of the tenant on the endpoints that the engine reads; accounts of keys never."""
    authorization = spec("SecurityPolicy")["authorization"]
    assert authorization["defaultAction"] == "Deny"
    denied, *allowed = authorization["rules"]
    assert (denied["action"], names.gateway_key("") in denied["cel"]) == ("Deny", True)
    assert [(each["action"], each["operation"]["methods"]) for each in allowed] == [
        ("Allow", ["POST"]),
        ("Allow", ["GET"]),
    ]
    assert all(callers.of_gateway(GATEWAY) in each["cel"] for each in allowed)


def test_the_caller_is_what_the_token_says() -> None:
    """Signed by the cluster for this gateway, taken from one header and from no query of a URL."""
    (provider,) = spec("SecurityPolicy")["jwt"]["providers"]
    assert provider["audiences"] == [names.GATEWAY_AUDIENCE]
    assert provider["claimToHeaders"] == [{"claim": "sub", "header": callers.HEADER}]
    assert provider["extractFrom"] == {"headers": [{"name": "Authorization", "valuePrefix": "Bearer "}]}
    assert provider["recomputeRoute"] is True


# --- where requests go


def test_only_what_a_served_route_needs_is_rendered() -> None:
    """An approved provider that no route asks is told to nobody."""
    assert "unused" not in json.dumps([each.body for each in render(GATEWAY, ENGINE).resources], default=str)


def test_a_key_is_shown_to_its_own_host_and_the_clients_token_to_none() -> None:
    """The engine writes the key over the token; where it writes none, or elsewhere, the token is taken off."""
    assert spec("BackendSecurityPolicy", "ringfence-first")["apiKey"]["secretRef"]["name"] == "model-first"
    assert spec("BackendSecurityPolicy", "ringfence-claude")["type"] == "AnthropicAPIKey"
    assert ("BackendSecurityPolicy", "ringfence-llama") not in found()
    removed = {
        name: spec("AIServiceBackend", f"ringfence-{name}")["headerMutation"]["remove"]
        for name in ("first", "claude", "llama")
    }
    assert "authorization" not in removed["first"]
    assert "authorization" in removed["claude"]
    assert "x-api-key" not in removed["claude"]
    assert {"authorization", "x-api-key"} <= set(removed["llama"])
    assert all(callers.HEADER in each for each in removed.values())


def test_every_host_but_a_plain_one_is_verified_by_its_name() -> None:
    """By public authorities, or by the frontend's own."""
    assert spec("BackendTLSPolicy", "ringfence-first")["validation"] == {
        "hostname": "api.first.example",
        "wellKnownCACertificates": "System",
    }
    private = spec("BackendTLSPolicy", "ringfence-llama")["validation"]
    assert private["hostname"] == "llama.acme-models.svc"
    authority = private["caCertificateRefs"][0]["name"]
    assert found()["ConfigMap", authority] == {"data": {"ca.crt": "PEM"}}
    assert spec("Backend", "ringfence-llama")["tls"] == {"minVersion": "1.2"}
    assert ("BackendTLSPolicy", "ringfence-plain") not in found()
    assert "tls" not in spec("Backend", "ringfence-plain")


def test_pools_are_priorities() -> None:
    """Each is asked once, the next after it failed."""
    (rule,) = spec("AIGatewayRoute", CHAT_NAME)["rules"]
    assert [
        (each["name"], each["modelNameOverride"], each["weight"], each["priority"]) for each in rule["backendRefs"]
    ] == [
        ("ringfence-first", "gpt-4o", 90, 0),
        ("ringfence-claude", "haiku", 10, 0),
        ("ringfence-llama", "llama-3.3", 1, 1),
    ]
    retry = spec("BackendTrafficPolicy", CHAT_NAME)["retry"]
    assert (retry["numAttemptsPerPriority"], retry["numRetries"]) == (1, 1)
    assert "retriable-status-codes" in retry["retryOn"]["triggers"]
    assert "retry" not in spec("BackendTrafficPolicy", "ringfence-tiny-0000000000000001")


# --- limits


def test_each_replica_has_its_part_of_a_limit() -> None:
    """They count by themselves, and there are as many as is said here."""
    policy = spec("BackendTrafficPolicy", CHAT_NAME)
    assert policy["rateLimit"] == {"local": {"rules": [{"limit": {"requests": 200, "unit": "Minute"}}]}}
    assert policy["circuitBreaker"] == {"maxParallelRequests": 3}
    assert spec("EnvoyProxy")["provider"]["kubernetes"]["envoyDeployment"] == {"replicas": 3}


def test_an_environment_with_other_providers_has_a_route_of_its_own() -> None:
    """Of one revision: under one name, one of them would take the place of the other."""
    served = {
        environment: replace(CHAT, pools=pools, environment=environment)
        for environment, pools in (("dev", CHAT.pools), ("prod", CHAT.pools[1:]))
    }
    callers = {f"acme-{each}": Callers(each, (Grant(route),)) for each, route in served.items()}
    gateway = replace(GATEWAY, callers=callers)
    backends = {
        each: len(spec("AIGatewayRoute", f"{CHAT_NAME}-{each}", gateway)["rules"][0]["backendRefs"]) for each in served
    }
    assert backends == {"dev": 3, "prod": 1}


def test_a_service_counts_requests_and_tokens_for_all_replicas() -> None:
    """Tokens by what the engine notes of the answer."""
    told = replace(ENGINE, counts_globally=True)
    gateway = limited(requests_per_minute=600, tokens_per_minute=9000)
    requests, tokens = spec("BackendTrafficPolicy", "ringfence-tiny-0000000000000001", gateway, told)["rateLimit"][
        "global"
    ]["rules"]
    assert requests == {"limit": {"requests": 600, "unit": "Minute"}}
    assert tokens["limit"]["requests"] == 9000
    assert tokens["cost"]["request"]["number"] == 0
    (noted,) = spec("AIGatewayRoute", "ringfence-tiny-0000000000000001", gateway, told)["llmRequestCosts"]
    assert noted["metadataKey"] == tokens["cost"]["response"]["metadata"]["key"]


def test_the_smaller_of_two_sizes_holds() -> None:
    """The route's, or the tenant's."""
    assert spec("BackendTrafficPolicy", CHAT_NAME)["requestBuffer"] == {"limit": "4096"}
    smaller = replace(GATEWAY, max_request_bytes=1024)
    assert spec("BackendTrafficPolicy", CHAT_NAME, smaller)["requestBuffer"] == {"limit": "1024"}


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0s"), (59, "59s"), (60, "1m"), (3700, "1h1m40s"), (100_000, "27h46m40s")]
)
def test_durations_have_no_more_than_five_digits_of_a_unit(number: int, text: str) -> None:
    """The Gateway API takes no more."""
    assert seconds(number) == text


# --- what is refused


def refused(gateway: Gateway, told: Engine = ENGINE) -> set[tuple[str, Refusal]]:
    return {(each.subject, each.refusal) for each in render(gateway, told).refused}


KEY: Final = Key("ci", names.gateway_key("ci"), "uid", live=True)
CROWD: Final = frozenset(f"account-{number}" for number in range(300))


@pytest.mark.parametrize(
    ("gateway", "told", "refusal"),
    [
        (replace(GATEWAY, callers={"acme-dev": Callers("dev", (Grant(CHAT),), (KEY,))}), ENGINE, Refusal.GATEWAY_KEYS),
        (replace(GATEWAY, requests_per_minute=10), ENGINE, Refusal.TENANT_LIMIT),
        (
            replace(GATEWAY, callers={f"acme-{number}": Callers("dev") for number in range(300)}),
            ENGINE,
            Refusal.TOO_MANY_CALLERS,
        ),
    ],
    ids=["keys", "limit of the tenant", "callers"],
)
def test_what_holds_for_every_route_and_cant_be_promised_stops_everything(
    gateway: Gateway, told: Engine, refusal: Refusal
) -> None:
    """Half a gateway would be a weaker one. Without it, everything is rendered."""
    assert render(GATEWAY, ENGINE).refused == ()
    assert refused(gateway, told) == {("", refusal)}
    assert render(gateway, told).resources == ()


@pytest.mark.parametrize(
    ("gateway", "told", "refusal"),
    [
        (limited(tokens_per_minute=10), ENGINE, ("tiny", Refusal.TOKEN_LIMIT)),
        (GATEWAY, replace(ENGINE, secrets={}), ("chat", Refusal.SECRET_KEY)),
        (
            GATEWAY,
            replace(ENGINE, secrets={**ENGINE.secrets, "first": SecretKey("model-first", "api-key")}),
            ("chat", Refusal.SECRET_KEY),
        ),
        (
            replace(GATEWAY, callers={"acme-dev": Callers("dev", (Grant(CHAT, CROWD), Grant(TINY)))}),
            ENGINE,
            ("chat", Refusal.TOO_MANY_CALLERS),
        ),
    ],
    ids=["tokens", "no secret", "another key of the secret", "callers"],
)
def test_a_route_that_cant_be_promised_is_left_out(
    gateway: Gateway, told: Engine, refusal: tuple[str, Refusal]
) -> None:
    """With its reason; the others are served."""
    rendered = render(gateway, told)
    assert refusal in refused(gateway, told)
    assert not [each for each in rendered.resources if each.name.startswith(f"ringfence-{refusal[0]}-")]
    assert [each for each in rendered.resources if each.type == engine.GATEWAY]
    assert all(refusal[1].value in each.message for each in rendered.refused)


def test_the_same_gateway_gives_the_same_resources_in_any_order() -> None:
    """Whoever compares them with what is there finds no difference that is none."""
    turned = replace(
        GATEWAY,
        upstreams=GATEWAY.upstreams[::-1],
        callers=dict(reversed([*GATEWAY.callers.items()])),
    )
    assert render(turned, ENGINE) == render(GATEWAY, ENGINE)


def test_every_refusal_is_in_the_table_of_differences() -> None:
    """And what is in the table as refused has a reason."""
    told = {each.refusal for each in DIFFERENCES if each.verdict is Verdict.REFUSED}
    assert told == set(Refusal)
    assert all((each.refusal is None) is (each.verdict is not Verdict.REFUSED) for each in DIFFERENCES)


def test_no_resource_leaves_the_tenants_namespace() -> None:
    """No reference names another one: a key or an authority of somebody else's can't be meant."""
    assert '"namespace"' not in json.dumps([each.body for each in render(GATEWAY, ENGINE).resources], default=str)
