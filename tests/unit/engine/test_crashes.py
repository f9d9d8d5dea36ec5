"""Killed at any write and started again, the result is that of an undisturbed run, and everything is on record."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ringfence.admission.drift import shipped
from ringfence.engine.policies import TYPES
from ringfence.model import kinds
from ringfence.model.kinds import Ref
from tests.fakes.canary import FakeCanary
from tests.unit.engine.conftest import Bench, namespace, tenant

Change = Callable[[Bench], None]


def nothing(bench: Bench) -> None:
    pass


def create(bench: Bench) -> None:
    bench.cluster.put(kinds.TENANT, tenant())
    bench.cluster.put(kinds.NAMESPACE, namespace())


def create_guarded(bench: Bench) -> None:
    """With policies that somebody has to be asked about first, in namespaces that are made for it."""
    bench.canary = FakeCanary()
    for kind in TYPES:
        for key, spec in shipped().items():
            if key.kind == kind.kind:
                policy = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": key.name}}
                bench.cluster.put(kind, {**policy, "spec": spec})
    create(bench)


def update(bench: Bench) -> None:
    bench.cluster.put(kinds.NAMESPACE, namespace(quota={"hard": {"requests.cpu": "2", "requests.memory": "2Gi"}}))
    bench.cluster.put(kinds.TENANT, tenant(access={"owners": [{"group": "oidc:others"}]}))


def delete(bench: Bench) -> None:
    bench.cluster.remove(Ref(kinds.NAMESPACE, "acme", "web"))


@pytest.mark.parametrize(
    ("before", "change"), [(nothing, create), (nothing, create_guarded), (create, update), (create, delete)]
)
async def test_killed_after_any_write_it_converges_and_closes_what_was_open(before: Change, change: Change) -> None:
    """Whatever the number of writes that took effect, the next process ends where an undisturbed one would have."""
    expected, writes = await _undisturbed(before, change)
    assert writes > 2
    for after in range(writes):
        bench = await _prepared(before)
        change(bench)
        assert await bench.run_until_power_fails(after)
        open_runs = len(await bench.ledger.open_runs())
        async with bench.running():
            await bench.settled()
        assert _state(bench) == expected, f"killed after write {after}"
        assert not await bench.ledger.open_runs()
        assert open_runs == sum(event["eventType"] == "ABORT" for event in bench.records())
        _every_write_is_on_record_once(bench)


async def _undisturbed(before: Change, change: Change) -> tuple[dict[str, Any], int]:
    bench = await _prepared(before)
    change(bench)
    async with bench.running():
        await bench.settled()
    return _state(bench), len(bench.writes())


async def _prepared(before: Change) -> Bench:
    """A cluster in which an engine has done what ``before`` asks for."""
    bench = Bench()
    before(bench)
    async with bench.running():
        await bench.settled()
    bench.cluster.sent.clear()
    return bench


def _state(bench: Bench) -> dict[str, Any]:
    """Everything that the cluster has, but for names and times that differ from run to run."""
    return {str(ref): _content(thing) for ref, thing in bench.cluster.objects.items() if ref.type != kinds.LEASE}


def _content(thing: dict[str, Any]) -> dict[str, Any]:
    content = copy.deepcopy(thing)
    for name in ("uid", "creationTimestamp", "resourceVersion", "managedFields", "generation"):
        content["metadata"].pop(name)
    content["metadata"].get("labels", {}).pop("ringfence.dev/owner-uid", None)
    for condition in content.get("status", {}).get("conditions", ()):
        condition.pop("lastTransitionTime")
    content.get("status", {}).pop("lineage", None)  # an interrupted run has more to record
    return content


def _every_write_is_on_record_once(bench: Bench) -> None:
    """Each write that was asked for has one line in one START: the join of the API server's log with ours."""
    planned = bench.planned()
    ids = [write.audit_id for write in bench.writes()]
    assert len(ids) == len(set(ids))
    assert set(ids) <= set(planned)
