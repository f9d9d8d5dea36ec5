"""At no time do two operators write, whether one was paused, killed, or had its ledger taken by another."""

import asyncio
import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ringfence import names
from ringfence.adapters.sqlite.ledger import SqliteLedger
from ringfence.controlplane import ControlPlane
from ringfence.model.kinds import LEASE, NETWORK_POLICY, Ref
from tests.breaking import delete_by_force
from tests.lineage_samples import pairs
from tests.operating import OperatorProcess, operator_kubeconfig
from tests.tenancy import Tenancy
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

SUPERSEDED = 4
DURATION = timedelta(seconds=15)
LEASE_PATH = Ref(LEASE, names.OPERATOR_NAMESPACE, names.LEASE).path
CREDENTIAL = "authentication.kubernetes.io/credential-id"
CHANGING = {"create", "update", "patch", "delete"}


@pytest.fixture(scope="module")
def installed(controlplane: ControlPlane) -> ControlPlane:
    controlplane.admin.delete(LEASE_PATH)
    return controlplane


@pytest.fixture
def candidates(installed: ControlPlane, tmp_path: Path) -> Iterator[Callable[[str], OperatorProcess]]:
    """Start operators, each with a ledger and a token of its own, by which the API server's log tells them apart."""
    started = []

    def start(name: str) -> OperatorProcess:
        folder = tmp_path / name
        folder.mkdir()
        issued = operator_kubeconfig(installed)
        started.append(OperatorProcess(installed, folder, Path(shutil.copy(issued, folder / "kubeconfig"))))
        return started[-1].start()

    yield start
    for operator in started:
        operator.kill()


def test_who_was_paused_for_longer_than_the_lease_ends_without_a_write(
    candidates: Callable[[str], OperatorProcess],
    installed: ControlPlane,
    tenant_name: Callable[[], str],
    audit_events: Callable[[], list[dict[str, Any]]],
) -> None:
    """The next one leads when the lease has run out, not before; and so does the one after it, when that is killed."""
    first = candidates("first")
    eventually(first.leads, 60)
    tenancy = _settled_tenancy(first, tenant_name())
    second = candidates("second")
    eventually(lambda: second.probe("/readyz") == (200, "standby\n"), 60)
    assert not list(second.ledger.glob("*.db"))

    assert first.process is not None
    first.process.signal(signal.SIGSTOP)
    holder, ended = _lease(installed)["holderIdentity"], _lease_ends(installed)
    paused = len(audit_events())
    eventually(second.leads, 60)
    assert _lease(installed)["holderIdentity"] != holder
    assert _acquired(installed) >= ended
    eventually(second.settled, 90)

    second.kill()
    ended = _lease_ends(installed)
    policy = Ref(NETWORK_POLICY, names.core_namespace(tenancy.tenant, "web"), names.DENY_ALL)
    delete_by_force(tenancy.admin, policy.path)
    first.process.signal(signal.SIGCONT)
    assert first.exit_code(30) == SUPERSEDED
    assert "the lease could not be renewed" in first.log.read_text()
    assert not tenancy.admin.get(policy.path).ok
    assert _changes_by(_first_leader(audit_events()), audit_events()[paused:]) == []

    first.start()
    eventually(first.leads, 60)
    assert _acquired(installed) >= ended
    eventually(lambda: tenancy.admin.get(policy.path).ok)
    assert first.stop() == 0
    assert _lease(installed)["holderIdentity"] == ""


def test_whose_ledger_was_written_by_another_ends_before_it_changes_anything(
    candidates: Callable[[str], OperatorProcess], tenant_name: Callable[[], str]
) -> None:
    """It does not go on where it left the log; a new process does."""
    operator = candidates("only")
    eventually(operator.leads, 60)
    tenancy = _settled_tenancy(operator, tenant_name())
    uid = tenancy.admin.get(f"/apis/ringfence.dev/v1alpha1/tenants/{tenancy.tenant}").must()["metadata"]["uid"]
    asyncio.run(_append_to(operator.ledger, uid))
    tenancy.apply("forked")
    assert operator.exit_code(30) == SUPERSEDED
    assert f"log {uid}" in operator.log.read_text()
    assert "another operator writes it; this one stops" in operator.log.read_text()
    assert not tenancy.admin.get(tenancy.core("forked")).ok
    operator.start()
    eventually(lambda: tenancy.served("web", "forked"), 60)
    assert operator.stop() == 0


async def _append_to(directory: Path, log: str) -> None:
    ledger = SqliteLedger(directory)
    await ledger.append(log, pairs(1))
    await ledger.close()


def _settled_tenancy(operator: OperatorProcess, tenant: str) -> Tenancy:
    tenancy = Tenancy(operator.plane.admin, tenant)
    tenancy.begin()
    eventually(tenancy.served, 90)
    tenancy.apply("web")
    eventually(lambda: tenancy.served("web"), 90)
    eventually(operator.settled, 60)
    return tenancy


def _lease(plane: ControlPlane) -> dict[str, Any]:
    spec: dict[str, Any] = plane.admin.get(LEASE_PATH).must()["spec"]
    return spec


def _lease_ends(plane: ControlPlane) -> datetime:
    return _time(_lease(plane)["renewTime"]) + DURATION


def _acquired(plane: ControlPlane) -> datetime:
    return _time(_lease(plane)["acquireTime"])


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def _first_leader(events: list[dict[str, Any]]) -> str:
    """The token of whoever made the lease."""
    taken = next(event for event in events if event["verb"] == "create" and _resource(event) == "leases")
    return str(taken["user"]["extra"][CREDENTIAL])


def _changes_by(credential: str, events: list[dict[str, Any]]) -> list[str]:
    return [
        f"{event['verb']} {event['requestURI']} {event['responseStatus']['code']}"
        for event in events
        if event["user"].get("extra", {}).get(CREDENTIAL) == credential
        and event["verb"] in CHANGING
        and _resource(event) != "leases"
    ]


def _resource(event: dict[str, Any]) -> str:
    return str(event.get("objectRef", {}).get("resource", ""))
