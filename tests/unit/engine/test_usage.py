"""The operator asks collectors, keeps what they say, and records each hour once it is over."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import pytest

from ringfence import names
from ringfence.engine import usage
from ringfence.engine.endpoints import Endpoints
from ringfence.engine.metrics import Metrics
from ringfence.engine.record import Recorder
from ringfence.engine.usage import GRACE, Sources, Usage
from ringfence.lineage.entry import LogId
from ringfence.lineage.leaf import decode_leaf
from ringfence.lineage.usage import rows_digest
from ringfence.model import kinds
from ringfence.model.kinds import TENANT, Ref
from ringfence.plan.children import core_namespace
from ringfence.plan.place import Place
from ringfence.ports.ledger import ForkRefusedError, LedgerUnavailableError
from ringfence.usage.tally import HOUR
from tests.fakes.ledger import MemoryLedger
from tests.fakes.usage import MemoryCollectors, MemoryUsage, silent
from tests.lineage_samples import OPERATOR
from tests.simulation import Simulation
from tests.unit.engine.conftest import tenant
from tests.usage_samples import HOUR_OF_IT, INSTANCE, OTHER, hours_later, row
from tests.waiting import eventually_async

NOW: Final = HOUR_OF_IT + 60


@dataclass
class Wall:
    """A clock that stands until somebody sets it."""

    seconds: int = NOW

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass
class World:
    """Two tenants, each with a gateway of one replica, and an operator that counts."""

    view: Simulation = field(default_factory=Simulation)
    collectors: MemoryCollectors = field(default_factory=MemoryCollectors)
    store: MemoryUsage = field(default_factory=MemoryUsage)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    clock: Wall = field(default_factory=Wall)
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        self.endpoints = Endpoints(self.view)
        for name in ("acme", "globex"):
            self.view.put(tenant(name))
            self.view.put(core_namespace.make(Place.home(name, self.uid(name)), None).manifest)
            self.slice(name, f"{name}-0")
        self.collectors.instances |= {"acme-0": INSTANCE, "globex-0": OTHER}
        self.usage = self.operator()

    def operator(self, every: float = 60, ports: Sequence[Any] = ()) -> Usage:
        """An operator's process: it knows nothing but what is stored."""
        collectors, store, ledger = ports or (self.collectors, self.store, self.ledger)
        recorder = Recorder(
            ledger, self.clock, operator=lambda: OPERATOR, spec_digest=lambda _: "", metrics=self.metrics
        )
        return Usage(
            Sources(collectors, store, every),
            view=self.view,
            endpoints=self.endpoints,
            recorder=recorder,
            clock=self.clock,
            metrics=self.metrics,
        )

    def slice(self, home: str, *pods: str, ending: bool = False) -> None:
        """What the cluster says of a gateway's replicas."""
        conditions = {"ready": not ending, "terminating": ending}
        self.endpoints.seen(
            kinds.ENDPOINT_SLICE,
            {
                "metadata": {"namespace": home, "name": f"{names.GATEWAY}-x"},
                "endpoints": [
                    {"addresses": ["10.0.0.7"], "conditions": conditions, "targetRef": {"name": pod}} for pod in pods
                ],
                "ports": [{"name": "https", "port": 8443}, {"name": "usage", "port": 9902}],
            },
        )

    def uid(self, name: str) -> LogId:
        found = self.view.subject(Ref(TENANT, "", name))
        assert found
        return str(found.meta.uid)

    async def round(self) -> None:
        """Ask and record once."""
        await self.usage.round()

    def requests(self, name: str) -> int:
        return sum(each.numbers.requests for each in self.store.rows(self.uid(name), since=0, until=2**40))

    def records(self, name: str) -> list[dict[str, Any]]:
        """What the tenant's log says of usage."""
        if self.uid(name) not in self.ledger.logs():
            return []
        with self.ledger.open(self.uid(name)) as view:
            return [orjson.loads(each.body or b"")["run"]["facets"]["ringfence_usage"] for each in view.records()]


@pytest.fixture
def world() -> World:
    return World()


async def test_what_a_collector_has_counted_is_kept(world: World) -> None:
    world.collectors.changes["acme-0"] = [row(3), row(1, account="a"), row(2, account="b")]
    await world.round()
    assert world.requests("acme") == 6
    assert world.requests("globex") == 0


async def test_only_what_changed_is_asked_for_again_also_by_a_successor(world: World) -> None:
    world.collectors.changes["acme-0"] = [row(3)]
    await world.round()
    world.usage = world.operator()
    world.collectors.changes["acme-0"].append(row(5))
    await world.round()
    assert [after for pod, _, after in world.collectors.asked if pod == "acme-0"] == ["", f"{INSTANCE}.1"]
    assert world.requests("acme") == 5


async def test_one_collector_in_trouble_stops_nobody_elses(world: World) -> None:
    """Silent, talking nonsense, or speaking of another tenant: it is asked again, and the others are counted."""
    world.collectors.changes["acme-0"] = [row(3)]
    answers: list[Callable[[], bytes]] = [silent, lambda: b"<html>", lambda: b"[]"]
    for answer in answers:
        world.collectors.answer["globex-0"] = answer
        await world.round()
    assert (world.requests("acme"), world.requests("globex")) == (3, 0)
    del world.collectors.answer["globex-0"]
    world.collectors.changes["globex-0"] = [row(2, namespace="globex-dev")]
    await world.round()
    assert world.requests("globex") == 2


async def test_a_tenants_pod_cannot_speak_of_another_tenant(world: World) -> None:
    world.collectors.changes["globex-0"] = [row(2, namespace="globex-dev")]
    await world.round()
    world.collectors.changes["globex-0"] = [row(2, namespace="globex-dev"), row(9, namespace="acme-dev")]
    await world.round()
    assert (world.requests("acme"), world.requests("globex")) == (0, 2)


async def test_collectors_are_known_by_their_gateways_authority(world: World) -> None:
    await world.round()
    world.view.put(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "namespace": "acme",
                "name": names.GATEWAY_CONFIG_MAP,
                "labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY},
            },
            "data": {"ca.crt": "PEM"},
        }
    )
    await world.round()
    trusts = [trust for pod, trust, _ in world.collectors.asked if pod == "acme-0"]
    assert [trust.authority for trust in trusts] == ["", "PEM"]
    assert {trust.server_name for trust in trusts} == {"ringfence-gateway.acme.svc"}


async def test_an_hour_is_recorded_when_it_is_over_and_everybody_had_time_to_tell(world: World) -> None:
    world.collectors.changes["acme-0"] = [row(3), row(1, hour=hours_later(0), route="other")]
    await world.round()
    world.clock.seconds = hours_later(1) + GRACE - 1
    await world.round()
    assert world.records("acme") == []
    world.clock.seconds += 1
    await world.round()
    await world.round()
    (record,) = world.records("acme")
    assert (record["tenant"], record["hour"], record["requests"]) == ("acme", "2026-11-22T19:00:00.000Z", 4)
    assert record["outcomes"] == {"Served": 4}
    assert record["rowsDigest"] == rows_digest([row(3), row(1, route="other")])
    assert world.records("globex") == []


async def test_usage_is_recorded_under_its_own_retention_class(world: World) -> None:
    """And kept as long as the tenant's policy says; 90 days where none does."""
    policy = {
        "apiVersion": "ringfence.dev/v1alpha1",
        "kind": "RetentionPolicy",
        "metadata": {"namespace": "globex", "name": "default"},
        "spec": {"rules": [{"data": "GatewayUsage", "keep": "7d"}]},
    }
    world.view.put(policy)
    world.collectors.changes |= {"acme-0": [row(3)], "globex-0": [row(3, namespace="globex-dev")]}
    await world.round()
    world.clock.seconds = hours_later(2)
    await world.round()
    for name, days in (("acme", 90), ("globex", 7)):
        (entry,) = world.ledger.content[world.uid(name)].entries
        with world.ledger.open(world.uid(name)) as view:
            (record,) = view.records()
        assert decode_leaf(record.leaf or b"").retention == "GatewayUsage"
        assert entry.keep_until_ms == (HOUR_OF_IT + HOUR) * 1000 + timedelta(days=days) // timedelta(milliseconds=1)


async def test_an_hour_that_is_heard_of_late_is_recorded_anew(world: World) -> None:
    """The last record of an hour counts."""
    world.collectors.changes["acme-0"] = [row(3)]
    await world.round()
    world.clock.seconds = hours_later(2)
    await world.round()
    world.collectors.changes["acme-0"].append(row(5))
    await world.round()
    assert [record["requests"] for record in world.records("acme")] == [3, 5]


class PowerLostError(BaseException):
    """No handler of ours takes it for an error."""


@dataclass
class Mortal:
    """A port whose user dies at one of its calls: before it has an effect, or after."""

    port: Any
    calls: "Countdown"

    def __getattr__(self, name: str) -> Any:
        work = getattr(self.port, name)

        async def call(*given: Any, **named: Any) -> Any:
            self.calls.next(before=True)
            answer = await work(*given, **named)
            self.calls.next(before=False)
            return answer

        return call


@dataclass
class Countdown:
    """Calls of all ports together, until power is lost."""

    left: int
    before: bool

    def next(self, *, before: bool) -> None:
        if before is self.before:
            self.left -= 1
            if self.left == 0:
                raise PowerLostError


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
async def test_killed_at_any_call_it_counts_and_records_as_if_it_had_not_been(before: bool) -> None:
    """Whatever it asks of collectors, store and ledger: one after the other is its last."""
    for calls in range(1, 40):
        world = World()
        world.collectors.changes["acme-0"] = [row(3), row(1, account="a"), row(2, account="b", hour=hours_later(1))]
        world.clock.seconds = hours_later(1) + GRACE
        died = await _dies(world, Countdown(calls, before))
        await world.round()
        await world.round()
        assert world.requests("acme") == 6, f"killed at call {calls}"
        assert [record["requests"] for record in world.records("acme")] == [4], f"killed at call {calls}"
        if not died:
            break
    assert calls > 8


async def _dies(world: World, countdown: Countdown) -> bool:
    """Whether it came to that call at all."""
    mortal = [Mortal(port, countdown) for port in (world.collectors, world.store, world.ledger)]
    world.usage = world.operator(ports=mortal)
    try:
        await world.round()
    except (PowerLostError, BaseExceptionGroup):
        return True
    finally:
        world.usage = world.operator()
    return False


async def test_what_the_ledger_does_not_take_now_is_recorded_later(world: World) -> None:
    """One log's trouble is nobody else's."""
    world.collectors.changes |= {"acme-0": [row(3)], "globex-0": [row(3, namespace="globex-dev")]}
    await world.round()
    world.clock.seconds = hours_later(2)
    world.ledger.failures[world.uid("acme")] = LedgerUnavailableError("full")
    await world.round()
    assert (len(world.records("acme")), len(world.records("globex"))) == (0, 1)
    world.ledger.failures.clear()
    await world.round()
    assert len(world.records("acme")) == 1


async def test_who_no_longer_leads_stops_counting(world: World) -> None:
    world.collectors.changes["acme-0"] = [row(3)]
    await world.round()
    world.clock.seconds = hours_later(2)
    world.ledger.failures[world.uid("acme")] = ForkRefusedError("another process")
    with pytest.RaisesGroup(ForkRefusedError):
        await world.usage.run()


async def test_a_full_disk_loses_nothing(world: World) -> None:
    world.collectors.changes["acme-0"] = [row(3)]
    world.store.unavailable = True
    await world.round()
    world.store.unavailable = False
    assert world.requests("acme") == 0
    await world.round()
    assert world.requests("acme") == 3


async def test_a_replica_that_ends_is_asked_at_once_and_told_that_it_may_go(world: World) -> None:
    """It does not wait for the next round, and asks until nothing comes any more."""
    running = asyncio.create_task(world.operator(every=600).run())
    await eventually_async(lambda: len(world.collectors.asked) == 2)
    world.collectors.changes["acme-0"] = [row(3)]
    world.slice("acme", "acme-0", ending=True)
    await eventually_async(lambda: world.requests("acme") == 3)
    assert [after for pod, _, after in world.collectors.asked if pod == "acme-0"][:3] == [
        "",
        f"{INSTANCE}.0",
        f"{INSTANCE}.1",
    ]
    assert [pod for pod, _, _ in world.collectors.asked].count("globex-0") == 1
    running.cancel()


async def test_a_defect_in_one_round_does_not_end_the_operator(world: World) -> None:
    """Counting must not stop what it counts."""

    def broken() -> bytes:
        raise ZeroDivisionError

    world.collectors.answer["acme-0"] = broken
    world.collectors.changes["globex-0"] = [row(2, namespace="globex-dev")]
    running = asyncio.create_task(world.operator(every=0.01).run())
    await eventually_async(lambda: len(world.collectors.asked) > 3)
    assert world.requests("globex") == 2
    assert not running.done()
    del world.collectors.answer["acme-0"]
    world.collectors.changes["acme-0"] = [row(3)]
    await eventually_async(lambda: world.requests("acme") == 3)
    running.cancel()


def test_endpoints_that_are_gone_are_asked_no_more(world: World) -> None:
    assert [each.name for each in world.endpoints.of("acme")] == ["acme-0"]
    world.slice("acme", "acme-1", "acme-2")
    assert [each.name for each in world.endpoints.of("acme")] == ["acme-1", "acme-2"]
    world.endpoints.listed(kinds.ENDPOINT_SLICE, {("globex", f"{names.GATEWAY}-x")}, 9)
    assert world.endpoints.homes() == {"globex"}


async def test_a_service_of_the_gateways_name_elsewhere_is_asked_for_nothing(world: World) -> None:
    """A core namespace may be called as another tenant's home would be; whose it is, its owner's uid says."""
    world.view.put(core_namespace.make(Place.of("acme", world.uid("acme"), "dev", "dev"), None).manifest)
    world.slice("acme-dev", "trap")
    await world.round()
    assert {pod for pod, _, _ in world.collectors.asked} == {"acme-0", "globex-0"}


async def test_a_collector_that_answers_nobody_delays_nobody_elses(world: World) -> None:
    """Neither another tenant's nor another replica of its own."""
    world.slice("acme", "acme-0", "acme-1")
    world.collectors.instances["acme-1"] = INSTANCE
    world.collectors.changes |= {"acme-1": [row(4)], "globex-0": [row(2, namespace="globex-dev")]}
    answering = world.collectors.silent["acme-0"] = asyncio.Event()
    running = asyncio.create_task(world.operator(every=0.01).run())
    await eventually_async(lambda: (world.requests("acme"), world.requests("globex")) == (4, 2))
    world.collectors.changes["globex-0"].append(row(7, namespace="globex-dev"))
    await eventually_async(lambda: world.requests("globex") == 7)
    assert [pod for pod, _, _ in world.collectors.asked].count("acme-0") == 1
    world.collectors.changes["acme-0"] = [row(1, account="a")]
    answering.set()
    await eventually_async(lambda: world.requests("acme") == 5)
    running.cancel()


async def test_a_replica_with_much_to_tell_is_heard_for_so_long_in_a_round(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest comes in the next one."""
    monkeypatch.setattr(usage, "LONGEST", -1.0)
    world.collectors.changes["acme-0"] = [row(1), row(1, account="a"), row(1, account="b")]
    await world.round()
    assert world.requests("acme") == world.collectors.page_size
    await world.round()
    assert world.requests("acme") == 3


async def test_hours_of_a_tenant_whose_gateway_is_gone_are_recorded(world: World) -> None:
    """Nobody is asked for them any more."""
    world.collectors.changes["acme-0"] = [row(3)]
    await world.round()
    world.slice("acme")
    world.clock.seconds = hours_later(2)
    await world.round()
    assert [record["requests"] for record in world.records("acme")] == [3]


async def test_a_folder_that_cannot_be_listed_ends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is asked, is asked; the rest is tried again."""

    async def unreadable() -> Sequence[LogId]:
        raise PermissionError("usage")

    monkeypatch.setattr(world.store, "logs", unreadable)
    world.collectors.changes["acme-0"] = [row(3)]
    running = asyncio.create_task(world.operator(every=0.01).run())
    await eventually_async(lambda: world.requests("acme") == 3)
    world.collectors.changes["acme-0"].append(row(5))
    await eventually_async(lambda: world.requests("acme") == 5)
    assert not running.done()
    running.cancel()
