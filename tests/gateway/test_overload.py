"""Whoever holds the gateway's memory ends his own requests, and never the gateway."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

import orjson
import pytest

from ringfence.gateway.files import configuration
from tests.gateway.asking import Door, Request
from tests.gateway.world import MAX_REQUEST_BYTES, World
from tests.waiting import eventually

HEAP: Final = 48 << 20
"""Bytes: little, so that few bodies fill it. An idle Envoy has a quarter of that."""
MANY: Final = 200
"""Bodies; all of them are more than the heap."""


@pytest.fixture(scope="module")
def little(world: World) -> World:
    """The same gateway with less memory; nothing else of its configuration differs."""
    files = {name: bytes(content) for name, content in configuration(world.gateway).files.items()}
    bootstrap = orjson.loads(files["bootstrap.json"])
    (heap,) = (each for each in bootstrap["overload_manager"]["resource_monitors"] if "fixed_heap" in each["name"])
    heap["typed_config"]["max_heap_size_bytes"] = HEAP
    world.pod.mount({**files, "bootstrap.json": orjson.dumps(bootstrap)})
    world.pod.start_anew()
    eventually(lambda: world.pod.ready() == 200, 30)
    return world


@contextmanager
def holding(door: Door, bodies: int) -> Iterator[None]:
    """As many requests that want one more byte each."""
    whole = Request().wire(door.signers).partition(b"\r\n\r\n")[0]
    head = re.sub(rb"content-length: \d+", b"content-length: %d" % MAX_REQUEST_BYTES, whole)
    sent = head + b"\r\n\r\n" + b" " * (MAX_REQUEST_BYTES - 1)
    with ExitStack() as stack:
        for _ in range(bodies):
            connection = stack.enter_context(door.connect())
            with suppress(OSError):  # it was cut off meanwhile
                connection.sendall(sent)
        yield


def test_held_bodies_are_refused_before_memory_is_gone_and_service_is_back_after_them(little: World) -> None:
    """One workload holds more than there is: others are told so in JSON, the pod lives, and then serves as before."""
    assert little.ask(Request()).status == 200
    before = little.pod.counters("server.uptime")["server.uptime"]
    with holding(little.door, MANY):
        refused = eventually(lambda: answer if (answer := little.ask(Request())).status != 200 else None)
        assert (refused.status, refused.code, refused.is_json) == (503, "gateway_overloaded", True)
        assert little.pod.counters("server.memory_heap_size")["server.memory_heap_size"] < HEAP * 1.25
        assert little.pod.ready() == 200, "else no pod were left to say that it is overloaded"
    eventually(lambda: little.ask(Request()).status == 200, 20)
    assert little.pod.counters("server.uptime")["server.uptime"] >= before
