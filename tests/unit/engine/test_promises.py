"""What is being written counts as written: a budget is never divided twice."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from ringfence import names
from ringfence.engine.budget import MOST_OF_ONE_TENANT
from ringfence.engine.promises import most
from ringfence.lineage.entry import Entry, LogId, Receipt
from ringfence.model import kinds
from ringfence.model.kinds import Ref
from tests.unit.engine.conftest import Bench, namespace, tenant

BUDGET = {"namespaces": 3, "hard": {"pods": "10"}}
FOUR_PODS = {"hard": {"pods": "4"}}
QUARANTINED = {"isolation": "Quarantined", "incident": {"id": "INC-1", "reason": "drill"}}
TEN = [f"n{number}" for number in range(10)]


@pytest.mark.parametrize("isolation", [{}, QUARANTINED])
async def test_namespaces_that_come_at_once_never_share_one_grant(bench: Bench, isolation: dict[str, Any]) -> None:
    """Of ten, as many as one tenant may are planned before any record is written, the youngest uid first.

    Of quarantined ones the first record is that of their incident.
    """
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant(budget=BUDGET))
        await bench.until(lambda: bench.ready(kinds.TENANT, "", "acme")[0] == "True")
        await bench.settled()
        waiting, go_on = _slow_records(bench)
        for number, name in enumerate(TEN):
            bench.cluster.put(kinds.NAMESPACE, _born_together(name, f"uid-{9 - number}", **isolation))
            await bench.until(partial(_reaches, waiting, min(number + 1, MOST_OF_ONE_TENANT)))
        go_on.set()
        await bench.until(lambda: all(bench.ready(kinds.NAMESPACE, "acme", name)[0] for name in TEN))
        await bench.settled()
    made = [name for name in TEN if bench.get(kinds.CORE_NAMESPACE, "", f"acme-{name}")]
    assert len(made) == BUDGET["namespaces"]
    assert sum(_pods(bench, name) for name in made) == 8


def _reaches(waiting: Sequence[LogId], count: int) -> bool:
    return len(waiting) >= count


def _born_together(name: str, uid: str, **isolation: Any) -> dict[str, Any]:
    born = namespace(name, quota=FOUR_PODS, **isolation)
    born["metadata"] |= {"uid": uid, "creationTimestamp": "2026-11-22T00:00:00Z"}
    return born


def _slow_records(bench: Bench) -> tuple[list[LogId], asyncio.Event]:
    """Let the ledger keep everybody waiting; answers who waits, and the event that ends it."""
    append, waiting, go_on = bench.ledger.append, list[LogId](), asyncio.Event()

    async def slow(log: LogId, entries: Sequence[Entry]) -> Receipt:
        waiting.append(log)
        await go_on.wait()
        return await append(log, entries)

    bench.ledger.append = slow  # type: ignore[method-assign]
    return waiting, go_on


async def test_what_failed_is_free_for_others(bench: Bench) -> None:
    """A promise ends with its run, whatever came of it."""
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant(budget=BUDGET))
        bench.cluster.put(kinds.NAMESPACE, namespace("n0", quota=FOUR_PODS))
        await bench.until(lambda: bench.is_ready("n0"))
        assert bench.engine.world.cache.quota("acme-n0") is not None
        assert bench.engine.world.cache._promises.quota("acme-n0") is None
        assert bench.engine.world.cache._promises.namespaces_of("acme") == ()


def test_a_grant_that_grows_counts_at_once_and_one_that_shrinks_until_it_has_shrunk() -> None:
    """Amounts are compared as quantities, not as text."""
    assert most({"cpu": "2", "pods": "9"}, {"cpu": "1500m", "pods": "10"}) == {"cpu": "2", "pods": "10"}
    assert most(None, {"pods": "1"}) == {"pods": "1"}
    assert most({"pods": "1"}, None) == {"pods": "1"}
    assert most(None, None) is None


def _pods(bench: Bench, name: str) -> int:
    quota = bench.cluster.objects[Ref(kinds.RESOURCE_QUOTA, f"acme-{name}", names.QUOTA)]
    return int(quota["spec"]["hard"]["pods"])
