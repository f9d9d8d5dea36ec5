"""Every limit is seen to refuse: none is only counted.

Law: what is refused reaches no provider, and says in the API's own words why.
"""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Final

import orjson

from ringfence.gateway.files import configuration
from ringfence.gateway.served import Callers, Grant
from tests.gateway.asking import Answer, Request, body, exchange
from tests.gateway.pod import free_port
from tests.gateway.provider import USAGE
from tests.gateway.rate_limits import RateLimits
from tests.gateway.rows_identity import of
from tests.gateway.world import CHAT, FEW, GPT, World, route, serving
from tests.waiting import eventually

LIMITED: Final = (429, "rate_limit_exceeded")
FREE: Final = route("free", (GPT,))
NARROW: Final = route("narrow", (GPT,), max_parallel=1)
DEAR: Final = route("dear", (GPT,), tokens_per_minute=1000)
HASTY: Final = route("hasty", (GPT,), timeout=1)
SILENT: Final = route("silent", (GPT,), idle_timeout=1)


def said(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.code


def test_a_route_takes_so_many_requests_a_minute(world: World) -> None:
    """Of all its callers together; others go on, and who is refused is told when to come again."""
    with serving(world, FEW, FREE):
        told = [said(world.ask(Request(body("few")))) for _ in range(5)]
        assert told == [(200, "")] * 3 + [LIMITED] * 2
        assert said(world.ask(Request(body("few"), bearer=of("acme-prod")))) == LIMITED
        assert world.ask(Request(body("few"))).header("retry-after").isdigit()
        assert said(world.ask(Request(body("free")))) == (200, "")
        assert len(world.received()) == 4


def test_an_environment_leaves_the_limit_of_another_alone(world: World) -> None:
    """Though one revision serves in both: a flood where it is tried takes nothing from where it is needed."""
    callers = {f"acme-{each}": Callers(each, (Grant(replace(FEW, environment=each)),)) for each in ("dev", "prod")}
    with serving(world, callers=callers):
        told = [said(world.ask(Request(body("few")))) for _ in range(4)]
        assert told == [(200, "")] * 3 + [LIMITED]
        assert said(world.ask(Request(body("few"), bearer=of("acme-prod")))) == (200, "")


def test_a_tenant_takes_so_many_requests_a_minute(world: World) -> None:
    """Whatever they are for, refused ones as well: a flood of them must cost somebody nothing."""
    with serving(world, FREE, requests_per_minute=6):
        # The probe that saw the change has had one, or more.
        told = [said(world.ask(Request(body(each)))) for each in ("free", "nope") * 4]
        assert told[-1] == LIMITED
        assert (200, "") in told


def test_each_replica_takes_its_part(world: World) -> None:
    """Nobody counts for all of them."""
    with serving(world, FEW, replicas=3):
        assert [said(world.ask(Request(body("few")))) for _ in range(2)] == [(200, ""), LIMITED]


def test_tokens_are_estimated_by_what_a_client_sends(world: World) -> None:
    """Long requests take more of them than short ones, and one beyond the limit is refused however often it comes."""
    with serving(world, DEAR):
        assert said(world.ask(Request(body("dear")))) == (200, "")
        long = Request(body("dear", user="x" * 20_000))
        told = [said(world.ask(long)) for _ in range(3)]
        assert told[-1] == LIMITED


def test_tokens_are_counted_exactly_by_a_service(world: World) -> None:
    """By what the provider says that it used, streamed or not; the request that passes the limit is the last one."""
    service = RateLimits(limit=3 * USAGE["total_tokens"])
    world.pod.addresses["limits.example"] = service.port
    try:
        with serving(world, DEAR, FREE, rate_limit_service="limits.example:8081"):
            for number, stream in enumerate((False, True, False), 1):
                asked = body("dear", stream=stream, stream_options={"include_usage": True})
                assert said(world.ask(Request(asked))) == (200, "")
                eventually(counted(service, number * USAGE["total_tokens"]))
            assert said(world.ask(Request(body("dear")))) == LIMITED
            assert said(world.ask(Request(body("free")))) == (200, "")
            assert len(world.received()) == 4
            assert said(world.ask(Request(body("dear", stream=True)))) == (400, "usage_required")
    finally:
        service.stop()


def counted(service: RateLimits, tokens: int) -> Callable[[], bool]:
    """Whether the service was told of so many by now."""
    return lambda: service.counted == tokens


def test_a_service_that_is_silent_closes_its_routes(world: World) -> None:
    """And no others: what can't be counted is not spent."""
    world.pod.addresses["limits.example"] = free_port()
    with serving(world, DEAR, FREE, rate_limit_service="limits.example:8081"):
        answer = world.ask(Request(body("dear")))
        assert answer.status >= 429
        assert answer.is_json
        assert said(world.ask(Request(body("free")))) == (200, "")


def test_so_many_requests_at_once(world: World) -> None:
    """The next one waits for nobody: it is refused, and served when there is room again."""
    with serving(world, NARROW, FREE), ThreadPoolExecutor(1) as pool:
        provider = world.providers["first"]
        provider.answering.clear()
        held = pool.submit(world.ask, Request(body("narrow")))
        eventually(lambda: provider.received)
        for _ in range(5):
            assert said(world.ask(Request(body("narrow")))) == (429, "too_many_parallel_requests")
        provider.answering.set()
        assert held.result().status == 200
        assert said(world.ask(Request(body("narrow")))) == (200, "")
        assert said(world.ask(Request(body("free")))) == (200, "")


def test_an_answer_that_takes_too_long(world: World) -> None:
    """It is given up, and the provider with it."""
    with serving(world, HASTY, SILENT), _late(world.providers["first"].answering):
        for model in ("hasty", "silent"):
            answer = world.ask(Request(body(model)))
            assert answer.status in {408, 504}
            assert answer.code in {"request_timeout", "provider_timeout"}


@contextmanager
def _late(answering: threading.Event) -> Iterator[None]:
    answering.clear()
    try:
        yield
    finally:
        answering.set()


# --- who sends slowly


def test_slow_senders_are_sent_away(world: World) -> None:
    """Whether it is the head or the body that does not come; the shipped times are made short, and nothing else."""
    rendered = configuration(replace(world.gateway, callers={"acme-dev": Callers("dev", (Grant(CHAT),))}))
    listeners = rendered.files["lds.json"]
    head, whole = (
        orjson.loads(listeners)["resources"][0]["filter_chains"][0]["filters"][0]["typed_config"][name]
        for name in ("request_headers_timeout", "request_timeout")
    )
    assert (head, whole) == ("10s", "60s")
    short = re.sub(rb'"(request_headers_timeout|request_timeout)":"\d+s"', rb'"\1":"0.3s"', listeners)
    updated = world.pod.counters("listener_manager")["listener_manager.lds.update_success"]
    world.pod.mount({**rendered.files, "lds.json": short})
    eventually(lambda: world.pod.counters("listener_manager")["listener_manager.lds.update_success"] > updated)
    assert _stalled(world, b"\r\nx-a: b\r\n") == (
        408,
        "request_timeout",
    )
    assert _stalled(world, b"\r\n\r\n" + body()[:5]) == (408, "request_timeout")
    assert said(world.ask(Request())) == (200, "")
    world.serve(world.gateway)


def _stalled(world: World, end: bytes) -> tuple[int, str]:
    """What is said to somebody who stops there."""
    begun, _, _ = Request().wire(world.door.signers).partition(b"\r\n\r\n")
    with closing(world.door.connect()) as connection:
        return said(exchange(connection, begun + end))
