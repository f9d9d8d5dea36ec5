"""Who is looked at and when, and that only news wakes anybody."""

import asyncio
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from ringfence import names
from ringfence.engine import gateways
from ringfence.engine.cache import Cache
from ringfence.engine.children import Children
from ringfence.engine.endpoints import Endpoints
from ringfence.engine.gateways import Watch
from ringfence.engine.metrics import Metrics
from ringfence.engine.namespaces import CoreNamespaces
from ringfence.engine.subjects import Subjects
from ringfence.lineage.runs import Trigger
from ringfence.model.kinds import CONFIG_MAP, CORE_NAMESPACE, ENDPOINT_SLICE, MODEL_ROUTE, TENANT, Ref
from ringfence.plan.children import core_namespace
from ringfence.plan.gateway.sight import Sight
from ringfence.plan.place import Place
from tests.fakes.gateways import FakeGateways, refusing
from tests.unit.engine.conftest import tenant
from tests.waiting import eventually_async


@dataclass
class Clock:
    """Time that is set."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class World:
    """One tenant with a gateway, and everything that the watch looks into."""

    clock: Clock = field(default_factory=Clock)
    gateways: FakeGateways = field(default_factory=lambda: FakeGateways("aaaa"))
    woken: list[Ref] = field(default_factory=list)
    _versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.children = Children(keeps=lambda namespace: True, changed=lambda *_, **__: None)
        self.subjects = Subjects(changed=lambda *_, **__: None)
        self.namespaces = CoreNamespaces(changed=lambda *_, **__: None)
        self.cache = Cache(self.subjects, self.namespaces, self.children)
        self.endpoints = Endpoints(self.cache)
        self.watch = Watch(self.gateways, self.cache, self.endpoints, self.clock, Metrics(), wake=self._wake)
        self.serve("acme")
        self.run("pod-1", "pod-2")

    def _wake(self, refs: Iterable[Ref], trigger: Trigger) -> None:
        assert trigger is Trigger.DEPENDENCY
        self.woken.extend(refs)

    def serve(self, name: str) -> None:
        """Let there be a tenant with a home namespace and a configuration of its gateway."""
        self.subjects.seen(self._born(tenant(name)))
        self.namespace(Place.home(name, f"uid-{name}"))
        self.publish("aaaa", name)
        self._config_map(name, names.GATEWAY_CONFIG_MAP, data={"ca.crt": "PEM"})

    def namespace(self, place: Place) -> None:
        """Let there be a core namespace."""
        self.namespaces.seen(CORE_NAMESPACE, self._born(core_namespace.make(place, None).manifest))

    def _born(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        metadata = manifest["metadata"]
        given = {"uid": f"uid-{metadata['name']}", "generation": 1, "resourceVersion": str(next(self._versions))}
        return {**manifest, "metadata": {**given, **metadata}}

    def _config_map(self, home: str, name: str, **content: Any) -> None:
        metadata = {
            "namespace": home,
            "name": name,
            "labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY},
            "annotations": content.pop("annotations", {}),
        }
        self.children.seen(CONFIG_MAP, self._born({"kind": "ConfigMap", "metadata": metadata, **content}))

    def publish(self, revision: str, home: str = "acme") -> None:
        """Render another configuration."""
        self._config_map(home, names.GATEWAY_FILES, data={}, annotations={names.REVISION_ANNOTATION: revision})

    def run(self, *pods: str, ready: bool = True, home: str = "acme") -> None:
        """Let these be the replicas."""
        told = {"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}
        endpoints = [{**told, "targetRef": {"name": pod}} for pod in pods]
        ports = [{"name": name, "port": number} for number, name in enumerate(("https", "metrics", "usage"), 1)]
        metadata = {"namespace": home, "name": "slice", "uid": "1", "resourceVersion": "1"}
        self.endpoints.seen(ENDPOINT_SLICE, {"metadata": metadata, "endpoints": endpoints, "ports": ports})

    async def asks(self, pod: str, times: int) -> None:
        """Wait until a replica was asked so often."""
        await eventually_async(lambda: self.gateways.asked.count(pod) == times)

    async def after(self, seconds: float) -> list[str]:
        """Let time pass and look; which replicas were asked."""
        self.clock.seconds += seconds
        self.gateways.asked.clear()
        self.woken.clear()
        await self.watch.look()
        return sorted(self.gateways.asked)


@pytest.fixture
def world() -> World:
    """A gateway of two replicas that serve what is wanted."""
    return World()


BOTH = ["pod-1", "pod-2"]


async def test_what_is_found_wakes_the_tenant_once(world: World) -> None:
    """A later look that finds the same is no news."""
    assert await world.after(0) == BOTH
    assert world.woken == [Ref(TENANT, "", "acme")]
    first = world.cache.probed("acme")
    assert first is not None
    assert first.revision == "aaaa"
    assert await world.after(gateways.EVERY) == BOTH
    assert not world.woken
    assert world.cache.probed("acme") == first


async def test_the_tenants_routes_are_woken_too(world: World) -> None:
    """Each of them tells what its environments serve."""
    metadata = {"namespace": "acme", "name": "chat", "uid": "2", "generation": 1, "resourceVersion": "7"}
    manifest = {"apiVersion": MODEL_ROUTE.api_version, "kind": MODEL_ROUTE.kind, "metadata": metadata, "spec": {}}
    world.subjects.seen({**manifest, "spec": {"model": "chat", "backends": [{"provider": "p", "model": "m"}]}})
    await world.after(0)
    assert Ref(MODEL_ROUTE, "acme", "chat") in world.woken


async def test_a_gateway_that_serves_as_wanted_is_left_alone_for_a_minute(world: World) -> None:
    """Between two looks nobody is asked anything."""
    assert await world.after(0) == BOTH
    assert await world.after(gateways.EVERY - 1) == []
    assert await world.after(1) == BOTH


async def test_a_new_configuration_is_looked_for_at_once_and_often(world: World) -> None:
    """Until it is served; the pauses grow."""
    await world.after(0)
    world.publish("bbbb")
    looks = [bool(await world.after(gateways.TURN)) for _ in range(20)]
    assert looks[0]
    assert 5 < sum(looks) < 15
    world.gateways.revision = "bbbb"
    assert await world.after(gateways.SOON[-1]) == BOTH
    found = world.cache.probed("acme")
    assert found is not None
    assert found.revision == "bbbb"
    assert await world.after(gateways.SOON[-1]) == []


async def test_another_replica_is_looked_at_at_once(world: World) -> None:
    """Nothing that was found of the others holds for it."""
    await world.after(0)
    world.run("pod-1", "pod-2", "pod-3")
    assert await world.after(0) == [*BOTH, "pod-3"]


async def test_a_refused_update_is_told_although_the_header_says_otherwise(world: World) -> None:
    """And its end is news again."""
    world.gateways.otherwise["pod-2"] = refusing("pod-2", "aaaa", "lds", "9999")
    await world.after(0)
    found = world.cache.probed("acme")
    assert found is not None
    assert "pod-2" in found.problem
    world.gateways.otherwise.clear()
    await world.after(1)
    assert world.woken


async def test_a_replica_to_which_no_caller_is_led_does_not_serve(world: World) -> None:
    """It may answer already; nobody asks it."""
    world.run("pod-1", "pod-2", ready=False)
    assert await world.after(0) == BOTH
    found = world.cache.probed("acme")
    assert found is not None
    assert not found.reachable
    world.run("pod-1", "pod-2")
    assert await world.after(0) == BOTH


async def test_what_one_replica_refused_is_told_when_it_was_found_twice(world: World) -> None:
    """A swap that is under way looks like that for a moment; a replica that is not ready is heard, too."""
    world.publish("bbbb")
    world.gateways.revision = "bbbb"
    world.run("pod-1", "pod-2", ready=False)
    world.gateways.otherwise["pod-2"] = refusing("pod-2", "bbbb", "lds", "", rejected=True)
    await world.after(0)
    assert refused(world) == ""
    await world.after(1)
    assert refused(world) == "bbbb"
    assert world.woken == [Ref(TENANT, "", "acme")]


async def test_what_was_refused_before_another_was_published_says_nothing_of_it(world: World) -> None:
    """What was suspected is forgotten with what it was suspected of."""
    world.gateways.otherwise["pod-2"] = refusing("pod-2", "aaaa", "rds", "0000", rejected=True)
    await world.after(0)
    await world.after(1)
    assert refused(world) == "aaaa"
    world.publish("bbbb")
    await world.after(1)
    assert refused(world) == ""


def refused(world: World) -> str:
    found = world.cache.probed("acme")
    assert found is not None
    return found.refused


async def test_a_gateway_whose_replicas_are_gone_is_known_no_more(world: World) -> None:
    """What was seen of it holds no longer."""
    await world.after(0)
    world.run()
    await world.after(0)
    assert world.cache.probed("acme") is None
    assert world.woken == [Ref(TENANT, "", "acme")]


async def test_a_replica_that_cannot_be_reached_leaves_the_gateway_unknown(world: World) -> None:
    """It is asked again soon."""
    world.gateways.otherwise["pod-1"] = Sight("pod-1", unreachable="no route to host")
    await world.after(0)
    found = world.cache.probed("acme")
    assert found is not None
    assert not found.reachable
    assert await world.after(1) == BOTH


async def test_a_service_of_the_gateways_name_elsewhere_makes_nobody_look(world: World) -> None:
    """In a core namespace of his own, a tenant leads it to any pod he likes."""
    world.namespace(Place.of("acme", "uid-acme", "dev", "dev"))
    world.run("trap", home="acme-dev")
    assert await world.after(0) == BOTH
    assert world.cache.probed("acme-dev") is None


async def test_a_gateway_that_answers_nobody_delays_nobody_elses_look(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked once, and the others again and again; when it answers after all, it is seen."""
    monkeypatch.setattr(gateways, "TURN", 0.01)
    world.serve("globex")
    world.run("hole", home="globex")
    answering = world.gateways.silent["hole"] = asyncio.Event()
    running = asyncio.create_task(world.watch.run())
    for looks in range(1, 5):
        await world.asks("pod-1", looks)
        world.clock.seconds += gateways.EVERY
    assert world.gateways.asked.count("hole") == 1
    assert not world.watch.looked.is_set()
    answering.set()
    await eventually_async(world.watch.looked.is_set)
    assert world.cache.probed("globex")
    running.cancel()


async def test_a_gateway_that_goes_while_it_is_looked_at_is_known_no_more(world: World) -> None:
    """What is found of it comes too late."""
    answering = world.gateways.silent["pod-1"] = asyncio.Event()
    looking = asyncio.create_task(world.watch.look())
    await eventually_async(lambda: len(world.gateways.asked) == len(BOTH))
    world.run()
    await world.watch.look()
    answering.set()
    await looking
    assert world.cache.probed("acme") is None


async def test_a_defect_in_one_look_is_nobody_elses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And its own gateway is looked at again."""
    world.serve("globex")
    world.run("other", home="globex")
    seen, broken = world.cache.look_found, {"acme"}
    monkeypatch.setattr(world.cache, "look_found", lambda home, found: 1 / 0 if home in broken else seen(home, found))
    assert await world.after(0) == ["other", *BOTH]
    assert world.cache.probed("globex")
    broken.clear()
    await world.after(gateways.EVERY)
    assert world.cache.probed("acme")


async def test_what_cannot_be_read_of_one_gateway_hides_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does it end the looking."""
    world.serve("globex")
    world.run("other", home="globex")
    live = world.cache.live
    monkeypatch.setattr(world.cache, "live", lambda home: 1 / 0 if home == "acme" else live(home))
    assert await world.after(0) == ["other"]
    monkeypatch.setattr(world.cache, "live", live)
    assert await world.after(0) == BOTH
