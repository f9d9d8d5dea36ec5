"""What a gateway does for those who may: the same bytes to the right provider, with its own key, and back."""

import json
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import replace
from functools import partial
from typing import Any, Final

import pytest

from ringfence.gateway.served import Callers, Grant, Issuer, Target
from tests.gateway.asking import CHAT as PATH
from tests.gateway.asking import MODELS, Bearer, Request, body
from tests.gateway.provider import ANSWER, USAGE
from tests.gateway.rows_identity import key, of
from tests.gateway.tokens import URL, TokenIssuer
from tests.gateway.world import (
    ANYWHERE,
    GUARDED,
    HOSTS,
    KEYS,
    OPEN,
    PROBE,
    REPORTS,
    SPARE,
    TEST_KEY,
    UI,
    World,
    route,
)
from tests.waiting import eventually

OWN_HEADERS: Final = {"host", "content-length", "content-type", "user-agent"}


@pytest.fixture(autouse=True)
def rested(world: World) -> None:
    """Every provider answers, and remembers nothing."""
    for provider in world.providers.values():
        provider.status = 200
    world.received()


@pytest.mark.parametrize(
    "value",
    [
        *("0", "-0", "1.0", "1.10", "100000", "1e5", "1E-7", "9007199254740993", "12345678901234567890", "0.1"),
        *('"\\u00e9"', '"\u00e9"', '"\\ud83d\\ude00"', '"\\/"', '"\\\\\\""', '"\\u0000"', "[ 1 ,2]", "{}", "null"),
        *('{"model":"nope"}', '[{"model":"nope"}]', '"\\"model\\":\\"nope\\""', '"}{"', '"]["', '"\'"', '"/*"'),
    ],
)
def test_what_a_client_wrote_is_sent_on_to_the_byte(world: World, value: str) -> None:
    """Numbers keep their digits and texts their escapes; nothing but the outermost model is another one."""
    for text in (f'{{"prediction": {value}, "model" : "chat"}}', f'{{"model":"chat","prediction":{value} }}'):
        assert world.ask(Request(text.encode())).status == 200
        ((_, received),) = world.received()
        assert received.body.decode() == text.replace('"chat"', '"gpt-4o"', 1)


@pytest.mark.parametrize("model", ["chat", "llama", "plain"])
def test_a_provider_is_told_nothing_of_the_cluster(world: World, model: str) -> None:
    """No token, no address, no name; and its own key, where it has one."""
    assert world.ask(Request(body(model))).status == 200
    ((provider, received),) = world.received()
    key_of_it = {"authorization": f"Bearer {KEYS[provider]}"} if provider in KEYS else {}
    assert {name for name, _ in received.headers} == OWN_HEADERS | set(key_of_it)
    assert received.header("host") == HOSTS[provider]
    assert received.header("user-agent") == "ringfence"
    assert received.header("authorization") == key_of_it.get("authorization")


def test_a_client_is_told_nothing_of_the_provider(world: World) -> None:
    """What stands in an answer's head is the gateway's."""
    answer = world.ask(Request())
    assert answer.header("server") == "ringfence"
    assert not [name for name, _ in answer.headers if name.startswith(("x-envoy", "x-rf-"))]


def test_each_provider_has_its_own_path_and_name_of_the_model(world: World) -> None:
    """A caller knows neither."""
    asked = (("chat", PATH, "gpt-4o"), ("llama", PATH, "llama-3.3-70b"), ("plain", "/v1/embeddings", "tiny"))
    for model, path, there in asked:
        assert world.ask(Request(body(model), path)).status == 200
        ((_, received),) = world.received()
        assert (received.path, received.json["model"]) == (path, there)
    assert world.ask(Request(body("reports"), bearer=of("acme-prod"))).status == 200
    ((_, received),) = world.received()
    assert received.path == "/openai/v1/chat/completions"


@pytest.mark.parametrize(
    ("bearer", "expected"),
    [
        (of("acme-dev"), [each.model for each in OPEN]),
        (of("acme-dev", UI), [GUARDED.model, *(each.model for each in OPEN)]),
        (key(ANYWHERE.account), [each.model for each in OPEN]),
        (key(TEST_KEY.account, "rf_test_"), [each.model for each in OPEN]),
        (of("acme-prod"), [REPORTS.model]),
        (of("acme-empty"), []),
        (of(PROBE.namespace, PROBE.account), []),
    ],
)
def test_each_caller_is_listed_his_own_models(world: World, bearer: Bearer, expected: list[str]) -> None:
    """In the API's own shape; and nobody but the probe is told which configuration that is."""
    answer = world.ask(Request(b"", MODELS, "GET", bearer))
    assert answer.status == 200
    assert sorted(each["id"] for each in answer.json["data"]) == sorted(expected)
    assert bool(answer.header("x-ringfence-revision")) == (bearer(world.door.signers) == _probe(world))


def _probe(world: World) -> str:
    return world.door.signers.issuer.token(PROBE.namespace, PROBE.account)


def test_a_stream_comes_as_it_is_sent(world: World) -> None:
    """Event by event, and its tokens are counted all the same."""
    answer, line = world.logged(Request(body(stream=True)))
    events = [each.removeprefix("data: ") for each in answer.body.decode().split("\n\n") if each]
    assert events[-1] == "[DONE]"
    deltas = [json.loads(each)["choices"] for each in events[:-1]]
    assert "".join(choice["delta"]["content"] for choices in deltas for choice in choices).strip() == ANSWER
    assert {name: line[name] for name in USAGE} == USAGE


def test_a_line_of_the_log_says_who_asked_for_what_and_what_came_of_it(world: World) -> None:
    """By the verified token and the configuration that answered."""
    _, line = world.logged(Request())
    expected: dict[str, Any] = {
        "tenant": "acme",
        "namespace": "acme-dev",
        "service_account": "default",
        "route": "chat",
        "model": "chat",
        "revision": "rev-chat",
        "config_rev": world.revision(),
        "status": 200,
        **USAGE,
    }
    assert {name: line[name] for name in expected} == expected


# --- more than one provider


def test_when_a_provider_fails_the_next_one_answers(world: World) -> None:
    """With its own key, path and name of the model, and the very bytes that the first one was sent."""
    text = body(n=9007199254740993)
    for status in (500, 503, 429):
        world.providers["first"].status = status
        assert world.ask(Request(text)).status == 200
        (first, tried), (second, answered) = world.received()
        assert (first, second) == ("first", "second")
        assert answered.path == "/openai/v1/chat/completions"
        assert answered.header("authorization") == f"Bearer {KEYS['second']}"
        assert answered.body == tried.body.replace(b'"gpt-4o"', b'"gpt-x"')


def test_what_a_provider_refuses_is_not_tried_elsewhere(world: World) -> None:
    """A request that is wrong stays wrong, and is paid for once."""
    world.providers["first"].status = 400
    assert world.ask(Request()).status == 400
    assert [name for name, _ in world.received()] == ["first"]


def test_when_all_fail_it_is_said_in_the_apis_words(world: World) -> None:
    """The last one's answer, or that none could be reached."""
    for provider in ("first", "second"):
        world.providers[provider].status = 503
    assert world.ask(Request()).status == 503
    assert len(world.received()) == 2


def test_requests_are_shared_by_weight(world: World) -> None:
    """Four of five to one, and the rest to the other."""
    for _ in range(100):
        assert world.ask(Request(body("shared"))).status == 200
    shares = Counter(name for name, _ in world.received())
    assert 60 <= shares["first"] <= 95
    assert shares["first"] + shares["second"] == 100


def test_a_new_key_of_a_provider_is_used_without_a_restart(world: World) -> None:
    """Whoever rotates it changes the Secret and nothing else."""
    world.pod.mount_key("first", "sk-rotated")

    def used() -> bool:
        world.ask(Request())
        ((_, received),) = world.received()
        return received.header("authorization") == "Bearer sk-rotated"

    assert eventually(used)
    world.pod.mount_key("first", KEYS["first"])


# --- another format


def test_anthropic_is_asked_in_its_own_words_and_answers_in_openais(world: World) -> None:
    """Whole answers only."""
    answer, line = world.logged(Request(body("claude")))
    assert answer.json["choices"][0]["message"]["content"] == ANSWER
    assert answer.json["object"] == "chat.completion"
    ((_, received),) = world.received()
    assert received.path == "/v1/messages"
    assert received.header("x-api-key") == KEYS["claude"]
    assert received.header("authorization") is None
    assert received.header("anthropic-version")
    assert received.json["max_tokens"] > 0
    assert line["total_tokens"] == USAGE["total_tokens"]


@pytest.mark.parametrize("value", [True, "true", 1])
def test_a_stream_that_would_have_to_be_translated_is_refused(world: World, value: object) -> None:
    """Clearly, and before anything is sent; the same without it is served."""
    assert world.ask(Request(body("claude", stream=False))).status == 200
    world.received()
    answer = world.ask(Request(body("claude", stream=value)))
    assert (answer.status, answer.code) == (400, "streaming_not_supported")
    assert world.received() == []


# --- changes


def test_a_route_that_is_taken_away_is_refused_at_once(world: World) -> None:
    """And one that is new is served."""
    new = route("new", (SPARE,))
    changed = replace(world.gateway, callers={"acme-dev": Callers("dev", (Grant(new),))})
    world.serve(changed)
    assert world.ask(Request(body("new"))).status == 200
    assert world.ask(Request()).code == "model_not_allowed"
    world.serve(world.gateway)
    assert world.ask(Request()).status == 200


def test_a_name_of_a_model_may_have_any_letters(world: World) -> None:
    """It is put between quotes, and means nothing to scripts."""
    strange = 'org/model:7b-%1"\\{x}'
    odd = route("odd", (Target("first", strange),))
    world.serve(replace(world.gateway, callers={"acme-dev": Callers("dev", (Grant(odd),))}))
    assert world.ask(Request(body("odd"))).status == 200
    ((_, received),) = world.received()
    assert received.json["model"] == strange
    world.serve(world.gateway)


def test_a_revoked_key_is_refused_from_the_next_configuration_on(world: World) -> None:
    """Whatever its token says of how long it is valid; a workload of the same namespace goes on."""
    mine = key(ANYWHERE.account)
    assert world.ask(Request(bearer=mine)).status == 200
    callers = world.gateway.callers
    world.serve(replace(world.gateway, callers={**callers, "acme-dev": replace(callers["acme-dev"], keys=())}))
    assert world.ask(Request(bearer=mine)).code == "caller_unknown"
    assert world.ask(Request()).status == 200
    world.serve(world.gateway)
    assert world.ask(Request(bearer=mine)).status == 200


def test_the_clusters_signing_key_changes_and_nobody_notices(world: World) -> None:
    """Both count for a while; then the old one does not any more."""
    old, new = world.door.signers.issuer, TokenIssuer("two")
    tokens = {name: issuer.token("acme-dev") for name, issuer in (("old", old), ("new", new))}
    for keys, accepted in (((old,), {"old"}), ((old, new), {"old", "new"}), ((new,), {"new"})):
        issuer = Issuer(URL, json.dumps({"keys": [each.jwk for each in keys]}))
        world.pod.publish(replace(world.gateway, issuer=issuer))
        eventually(partial(_accepts_only, world, tokens, accepted))
    world.pod.publish(world.gateway)
    eventually(partial(_accepts_only, world, tokens, {"old"}))


def _accepts_only(world: World, tokens: Mapping[str, str], wanted: Set[str]) -> bool:
    """Whether exactly these tokens are answered."""
    return {name for name, token in tokens.items() if world.ask(Request(bearer=shown(token))).status == 200} == wanted


def shown(token: str) -> Bearer:
    """A token as it is."""
    return lambda _: token
