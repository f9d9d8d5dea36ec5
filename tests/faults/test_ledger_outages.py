"""The ledger's volume is full or read-only: nothing changes but for what tightens, and no record is lost by it."""

import json
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence import names
from ringfence.controlplane import ControlPlane
from ringfence.model.kinds import LIMIT_RANGE, NETWORK_POLICY, Ref
from tests.breaking import delete_by_force
from tests.faults.volume import Volume, mounted
from tests.operating import USER, OperatorProcess, operating
from tests.tenancy import Tenancy
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

CHANGING = {"create", "update", "patch", "delete"}
UNRECORDED = {"selfsubjectreviews", "selfsubjectrulesreviews", "leases", "events"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("operator")


@pytest.fixture(scope="module")
def volume(folder: Path) -> Iterator[Volume]:
    """The volume that the operator's ledger is on."""
    with mounted(folder / "ledger") as volume:
        yield volume


@pytest.fixture(scope="module")
def operator(controlplane: ControlPlane, folder: Path, volume: Volume) -> Iterator[OperatorProcess]:
    assert volume.path.is_mount()
    with operating(controlplane, folder) as process:
        yield process


@pytest.fixture
def tenancy(operator: OperatorProcess, tenant_name: Callable[[], str]) -> Tenancy:
    """A tenant of the test's own with one Namespace, served and at rest."""
    tenancy = Tenancy(operator.plane.admin, tenant_name())
    tenancy.begin()
    eventually(tenancy.served, 90)
    tenancy.apply("before")
    eventually(lambda: tenancy.served("before"), 90)
    eventually(operator.settled, 60)
    return tenancy


def test_on_a_full_volume_only_what_tightens_goes_ahead(
    operator: OperatorProcess, volume: Volume, tenancy: Tenancy
) -> None:
    """A new Namespace waits and says what to do; the fence of an old one is repaired, its limits are not."""
    before = tenancy.children("before")
    policy, limits = _inside(tenancy, "before")
    volume.fill()
    tenancy.apply("during")
    recorded = eventually(lambda: _not_recorded(tenancy, "during"), 90)
    assert "the disk is full; make room, it goes on by itself" in recorded
    delete_by_force(tenancy.admin, limits.path)
    eventually(lambda: _not_recorded(tenancy, "before"), 90)
    delete_by_force(tenancy.admin, policy.path)
    eventually(lambda: tenancy.admin.get(policy.path).ok)
    assert not tenancy.admin.get(limits.path).ok
    assert not tenancy.admin.get(tenancy.core("during")).ok
    volume.make_room()
    eventually(lambda: tenancy.served("before", "during"), 60)
    eventually(operator.settled, 60)
    assert tenancy.children("before").keys() == tenancy.children("during").keys() == before.keys()
    _the_record_is_complete(operator, tenancy, deferred={f"NetworkPolicy/{policy.namespace}/{policy.name}"})


def test_started_on_a_read_only_volume_it_waits_until_it_is_writable(
    operator: OperatorProcess, volume: Volume, tenancy: Tenancy
) -> None:
    """The record that it left is taken up then, and what was asked for meanwhile is done."""
    assert operator.stop() == 0
    volume.make_read_only()
    tenancy.apply("during")
    operator.start()
    eventually(operator.leads, 60)
    assert operator.said("the ledger can't be locked")
    waiting = eventually(lambda: operator.said("the record can't be taken up yet"))
    assert f"{volume.path}/platform.db: " in waiting["error"]
    recorded = eventually(lambda: _not_recorded(tenancy, "during"), 90)
    assert "check that the directory is there and writable" in recorded
    assert not tenancy.admin.get(tenancy.core("during")).ok
    volume.make_read_only(read_only=False)
    eventually(lambda: tenancy.served("before", "during"), 60)
    eventually(lambda: operator.said("the record is taken up"))
    eventually(operator.settled, 60)
    _the_record_is_complete(operator, tenancy)


def test_a_ledger_that_can_be_no_directory_is_refused_at_once(controlplane: ControlPlane, tmp_path: Path) -> None:
    """Before the first checkpoint's key is made there is nothing to wait for: the message names file and reason."""
    (tmp_path / "ledger").write_text("a file")
    process = OperatorProcess(controlplane, tmp_path).start()
    assert process.exit_code(30) == 1
    said = process.log.read_text()
    assert "the ledger can't be locked" in said
    assert f"{tmp_path}/ledger" in said
    assert "can't be written there" in said


def _inside(tenancy: Tenancy, namespace: str) -> tuple[Ref, Ref]:
    core = names.core_namespace(tenancy.tenant, namespace)
    return Ref(NETWORK_POLICY, core, names.DENY_ALL), Ref(LIMIT_RANGE, core, names.LIMITS)


def _not_recorded(tenancy: Tenancy, namespace: str) -> str:
    """The message of a Namespace that waits for the ledger; empty as long as it does not say so."""
    status, reason, message = tenancy.told(namespace, "LineageRecorded")
    waits = tenancy.told(namespace, "Ready")[:2] == ("False", "LedgerUnavailable")
    return message if waits and (status, reason) == ("False", "LedgerUnavailable") else ""


def _the_record_is_complete(operator: OperatorProcess, tenancy: Tenancy, deferred: Collection[str] = ()) -> None:
    """Each write in the API server's log is told by an outcome, each run has a START, the tenant's late ones say so."""
    records = operator.records()
    assert _written(operator.plane) == _told(records)
    ends = [_run(event) for event in records if event["eventType"] in ("COMPLETE", "FAIL", "ABORT")]
    starts = [_run(event) for event in records if event["eventType"] == "START"]
    assert sorted(starts) == sorted(set(starts))
    assert set(starts) <= set(ends)
    late = {
        output["name"].partition("/v1/")[2]
        for event in records
        if event["run"]["facets"].get("ringfence_reconcile", {}).get("deferred")
        for output in event["outputs"]
        if f"/{tenancy.tenant}-" in output["name"]
    }
    assert late == set(deferred)


def _written(plane: ControlPlane) -> set[str]:
    """Audit ids of what the operator changed, by the API server's log."""
    return {event["auditID"] for event in map(json.loads, plane.audit_log.read_text().splitlines()) if _changed(event)}


def _changed(event: dict[str, Any]) -> bool:
    target = event.get("objectRef", {})
    return (
        event["user"]["username"] == USER
        and event["verb"] in CHANGING
        and target.get("resource") not in UNRECORDED
        and target.get("subresource") not in ("status", "token")  # a token of the canary is no change
        and "dryRun=All" not in event["requestURI"]
        and event["responseStatus"]["code"] < 300
    )


def _told(records: list[dict[str, Any]]) -> set[str]:
    """Audit ids of writes that took effect, by the record."""
    return {
        f"{_run(event)}.{output['outputFacets']['ringfence_applied']['k']}"
        for event in records
        for output in event.get("outputs", ())
        if "ringfence_applied" in output["outputFacets"]
    }


def _run(event: dict[str, Any]) -> str:
    return str(event["run"]["runId"])
