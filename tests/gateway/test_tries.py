"""What a provider is sent does not depend on who was tried before: tries share their headers in Envoy."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pytest

from ringfence.gateway.served import Callers, Grant, Target, Upstream
from tests.gateway.asking import Request, body
from tests.gateway.provider import Received
from tests.gateway.world import GPT, HOSTS, KEYS, SPARE, World, route

HAIKU: Final = Target("claude", "claude-haiku")
MINI: Final = Target("first", "a-much-longer-name-of-a-model")
KEYLESS: Final = Upstream("keyless", HOSTS["first"], 443)
"""Its Secret is not there."""
ROUTES: Final = {
    "back": (SPARE, GPT),
    "from-translated": (HAIKU, SPARE),
    "to-translated": (SPARE, HAIKU),
    "three": (SPARE, GPT, MINI),
    "no-key": (Target("keyless", "any"), GPT),
}
PATHS: Final = {"first": "/v1/chat/completions", "second": "/openai/v1/chat/completions", "claude": "/v1/messages"}
CREDENTIALS: Final = ("authorization", "x-api-key")


@pytest.fixture
def chained(world: World) -> Iterator[World]:
    """A gateway with these routes, each target in a pool of its own."""
    grants = tuple(Grant(route(name, *((target,) for target in targets))) for name, targets in ROUTES.items())
    changed = replace(world.gateway, callers={"acme-dev": Callers("dev", grants)})
    world.pod.mount_nothing("keyless")
    world.serve(replace(changed, upstreams=(*world.gateway.upstreams, KEYLESS)))
    world.received()
    yield world
    for provider in world.providers.values():
        provider.status = 200
    world.serve(world.gateway)


@pytest.mark.parametrize("name", ["back", "from-translated", "to-translated", "three"])
def test_each_try_has_its_own_key_path_and_model(chained: World, name: str) -> None:
    """And none of what an earlier one had."""
    for target in ROUTES[name]:
        chained.providers[target.upstream].status = 503
    assert chained.ask(Request(body(name))).status == 503
    tried = chained.received()
    assert sorted(each.json["model"] for _, each in tried) == sorted(target.model for target in ROUTES[name])
    for provider, each in tried:
        assert each.path == PATHS[provider]
        assert secrets(each) == [KEYS[provider]]
        assert ("anthropic-version" in dict(each.headers)) == (provider == "claude")


def secrets(each: Received) -> list[str]:
    """Every credential that a request carries."""
    found = (each.header(name) for name in CREDENTIALS)
    return [value.removeprefix("Bearer ") for value in found if value]


def test_without_its_key_a_provider_is_sent_nothing(chained: World) -> None:
    """And neither is another one: a key that is missing must be seen. As soon as it is there, it is used."""
    answer = chained.ask(Request(body("no-key")))
    assert (answer.status, answer.code) == (503, "provider_key_missing")
    assert chained.received() == []
