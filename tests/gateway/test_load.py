"""Many changes and many routes: none of which costs a request.

Law: a change of the configuration loses nothing, and what it grows to stays within what a ConfigMap holds.
"""

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import pytest

from ringfence.gateway.files import LARGEST, configuration
from ringfence.gateway.served import Callers, Gateway, Grant
from tests.gateway.asking import CHAT as PATH
from tests.gateway.asking import Request, body, workload
from tests.gateway.rows_identity import of
from tests.gateway.world import CHAT, GPT, SPARE, World, route
from tests.waiting import eventually

CHANGES: Final = 50
CALLERS: Final = 3
ROUTES: Final = 800
NAMESPACES: Final = 8


@dataclass
class Load:
    """Clients that ask all the time, on connections that they keep as long as they may."""

    world: World
    statuses: Counter[int] = field(default_factory=Counter)
    ended: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """For as long as the block runs."""
        with ThreadPoolExecutor(CALLERS) as pool:
            asking = [pool.submit(self._ask) for _ in range(CALLERS)]
            yield
            self.ended.set()
            for each in asking:
                each.result()

    def _ask(self) -> None:
        door = self.world.door
        headers = {"authorization": f"Bearer {workload(door.signers)}", "content-type": "application/json"}
        with closing(http.client.HTTPSConnection("localhost", door.port, context=door.tls, timeout=20)) as connection:
            while not self.ended.is_set():
                connection.request("POST", PATH, body(), headers)
                answer = connection.getresponse()
                answer.read()
                self.statuses[answer.status] += 1


def variants(gateway: Gateway) -> Iterator[Gateway]:
    """Changes of routes, of clusters and of the listener in turn."""
    for number in range(CHANGES):
        more = route(f"more-{number}", (GPT,), **({"max_parallel": 5} if number % 3 == 1 else {}))
        callers = {"acme-dev": Callers("dev", (Grant(CHAT), Grant(more)))}
        yield replace(gateway, callers=callers, max_request_bytes=(1 << 20) + number // 3)


def test_fifty_changes_under_load_lose_no_request(world: World) -> None:
    """Each is taken before the next one comes; requests that are on their way stay on it."""
    load = Load(world)
    with load.running():
        for gateway in variants(world.gateway):
            world.serve(gateway)
    assert set(load.statuses) == {200}
    assert load.statuses[200] > CHANGES
    assert world.pod.rejected() == 0
    world.serve(world.gateway)


@pytest.mark.parametrize(
    ("right", "wrong"), [(b'"domains":["*"]', b'"domains":[]'), (b'"virtual_hosts":', b'"virtual_hosts_":')]
)
def test_a_configuration_that_is_refused_changes_nothing(world: World, right: bytes, wrong: bytes) -> None:
    """What was served before is served on, and that it was refused is told; a field that nobody knows is refused."""
    before, rejected = world.revision(), world.pod.rejected()
    files = configuration(replace(world.gateway, requests_per_minute=10_000)).files
    assert right in files["rds.json"]
    world.pod.mount({**files, "rds.json": files["rds.json"].replace(right, wrong)})
    eventually(lambda: world.pod.rejected() > rejected)
    assert world.ask(Request()).status == 200
    assert world.revision() == before
    world.serve(world.gateway)


@pytest.fixture(scope="module")
def large(world: World) -> Iterator[Gateway]:
    """Eight hundred routes, each with a fallback, in eight namespaces."""
    callers = {}
    for number in range(NAMESPACES):
        mine = range(number, ROUTES, NAMESPACES)
        grants = tuple(Grant(route(f"model-{each:04}", (GPT,), (SPARE,), requests_per_minute=600)) for each in mine)
        callers[f"acme-team{number}"] = Callers("dev", grants)
    wanted = replace(world.gateway, callers=callers)
    world.serve(wanted)
    yield wanted
    world.serve(world.gateway)


def test_eight_hundred_routes_are_served(world: World, large: Gateway) -> None:
    """The first and the last one, each to its own namespace only; and they fit into a ConfigMap."""
    assert sum(len(name) + len(content) for name, content in configuration(large).files.items()) <= LARGEST
    for model, namespace in (("model-0000", "acme-team0"), ("model-0799", "acme-team7"), ("model-0400", "acme-team0")):
        assert world.ask(Request(body(model), bearer=of(namespace))).status == 200
        assert world.ask(Request(body(model), bearer=of("acme-team3"))).code == "model_not_allowed"
    assert len(world.ask(Request(b"", "/v1/models", "GET", of("acme-team5"))).json["data"]) == ROUTES // NAMESPACES
