"""With a rate limit service tokens are counted by what providers say."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

import pytest

from ringfence.gateway.served import Callers, Grant
from tests.gateway.asking import Request, body
from tests.gateway.rate_limit_service import RateLimitService
from tests.gateway.world import CHAT, GPT, World, route
from tests.waiting import eventually

DEAR: Final = route("dear", (GPT,), tokens_per_minute=60)
"""The stand-in for a provider says 21 tokens an answer."""
HOST: Final = "ratelimit.infra.svc"
TOLD: Final = (("tenant", "acme"), ("route", "dear"), ("revision", "rev-dear"))


@pytest.fixture
def service(world: World) -> Iterator[RateLimitService]:
    """The service, and a gateway that asks it."""
    found = RateLimitService()
    world.pod.addresses = {**world.pod.addresses, HOST: found.port}
    callers = {"acme-dev": Callers("dev", (Grant(DEAR), Grant(CHAT)))}
    world.serve(replace(world.gateway, callers=callers, rate_limit_service=f"{HOST}:8081"))
    world.received()
    yield found
    world.serve(world.gateway)
    found.stop()


def dear(**more: Any) -> Request:
    """A request for the model whose tokens are counted."""
    return Request(body("dear", **more))


def counted(service: RateLimitService, requests: int) -> bool:
    """Whether the tokens of so many answers have come."""
    return service.used[TOLD] == 21 * requests


def test_tokens_are_counted_exactly(world: World, service: RateLimitService) -> None:
    """Three answers of 21 tokens pass a limit of 60; the next request is refused and reaches no provider."""
    for number in range(1, 4):
        assert world.ask(dear()).status == 200
        eventually(partial(counted, service, number))
    answer = world.ask(dear())
    assert (answer.status, answer.code) == (429, "rate_limit_exceeded")
    assert len(world.received()) == 3
    assert {(each.entries, each.limit) for each in service.asked} == {(TOLD, 60)}


def test_a_stream_is_counted_or_refused(world: World, service: RateLimitService) -> None:
    """One that would not say how many tokens it took would pass every limit."""
    assert world.ask(dear(stream=True, stream_options={"include_usage": True})).status == 200
    eventually(partial(counted, service, 1))
    untold: tuple[dict[str, Any], ...] = ({}, {"stream_options": {}}, {"stream_options": {"include_usage": False}})
    for options in untold:
        answer = world.ask(dear(stream=True, **options))
        assert (answer.status, answer.code) == (400, "usage_required")
    assert len(world.received()) == 1


def test_a_limit_that_cannot_be_counted_lets_nothing_through(world: World, service: RateLimitService) -> None:
    """Routes without one go on."""
    assert world.ask(dear()).status == 200
    service.silent = True
    answer = world.ask(dear())
    assert (answer.status, answer.code) == (503, "limits_unavailable")
    assert world.ask(Request()).status == 200
