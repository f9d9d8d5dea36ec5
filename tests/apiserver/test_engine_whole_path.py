"""The operator's process on a real API server, as its own ServiceAccount with the shipped roles only."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ringfence import names
from ringfence.controlplane import ControlPlane
from tests.apiserver.installing import SAMPLES
from tests.breaking import break_glass
from tests.controlplane_fixtures import Kubectl
from tests.operating import USER, OperatorProcess, operating
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

CHANGING = {"create", "update", "patch", "delete"}
# What no record speaks of: reviews, the Lease, Events, own status, and dry runs.
UNRECORDED = {"selfsubjectreviews", "selfsubjectrulesreviews", "leases", "events"}


@pytest.fixture(scope="module")
def operator(controlplane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    with operating(controlplane, tmp_path_factory.mktemp("operator")) as process:
        yield process


@pytest.fixture(scope="module")
def samples(operator: OperatorProcess, kubectl: Kubectl) -> None:
    """The two sample tenants, served."""
    kubectl("apply", "--server-side", "-k", str(SAMPLES))
    for tenant in ("acme", "globex"):  # other modules leave Tenants of theirs on this control plane
        kubectl("wait", "--for=condition=Ready", "--timeout=60s", f"tenants/{tenant}")
        kubectl("wait", "--for=condition=Ready", "--timeout=60s", "-n", tenant, "tns", "--all")
    eventually(operator.settled)


@pytest.fixture
def written(audit_events: Callable[[], list[dict[str, Any]]]) -> Callable[[], list[str]]:
    """Return what the operator changed since the test began, as the API server logged it."""

    def read() -> list[str]:
        return [f"{event['verb']} {event['requestURI']}" for event in audit_events() if _changes(event)]

    return read


def _changes(event: dict[str, Any]) -> bool:
    return (
        event["user"]["username"] == USER
        and event["verb"] in CHANGING
        and event.get("objectRef", {}).get("resource") not in UNRECORDED
        and event.get("objectRef", {}).get("subresource") != "token"  # of the canary, which is no change
        and "dryRun=All" not in event["requestURI"]
    )


@pytest.mark.usefixtures("samples")
def test_a_deleted_policy_is_back_in_less_than_a_second(kubectl: Kubectl) -> None:
    """And it is another object: it was made anew."""
    where = ("networkpolicy", names.DENY_ALL, "-n", "acme-web")

    def uid() -> str:
        return kubectl("get", *where, "-o", "jsonpath={.metadata.uid}", check=False).stdout

    before = uid()
    assert before
    break_glass(kubectl, *where)
    kubectl("delete", *where)
    began = time.monotonic()
    eventually(lambda: uid() not in ("", before))
    assert time.monotonic() - began < 1


@pytest.mark.usefixtures("samples")
def test_what_somebody_adds_to_a_quota_is_taken_away_again(kubectl: Kubectl) -> None:
    """A key of another's making is drift too, although a server-side apply would leave it alone."""
    quota = ("resourcequota", names.QUOTA, "-n", "acme-web")
    break_glass(kubectl, *quota)
    kubectl("patch", *quota, "--type=merge", "-p", '{"spec":{"hard":{"pods":"4000","count/foo":"7"}}}')

    def restored() -> bool:
        hard = kubectl("get", *quota, "-o", "jsonpath={.spec.hard}").stdout
        return '"pods":"40"' in hard and "count/foo" not in hard

    eventually(restored)


@pytest.mark.usefixtures("samples")
def test_a_restart_changes_nothing(operator: OperatorProcess, written: Callable[[], list[str]]) -> None:
    """Stopped and started again, the operator reads and leaves everything as it is: no write, not even of status."""
    eventually(operator.settled)
    before = len(written())
    assert operator.stop() == 0
    operator.start()
    eventually(operator.settled, 60)
    assert operator.metrics()["ringfence_children"] > 50
    assert written()[before:] == []


@pytest.mark.usefixtures("samples")
def test_a_new_namespace_costs_one_request_a_child_and_two_more(
    operator: OperatorProcess, kubectl: Kubectl, audit_events: Callable[[], list[dict[str, Any]]]
) -> None:
    """Finalizer, children, status; nothing is read on the way."""
    eventually(operator.settled)
    kubectl("apply", "--server-side", "-f-", stdin=_namespace("extra", "acme"))
    kubectl("wait", "--for=condition=Ready", "--timeout=30s", "-n", "acme", "tns/extra")
    eventually(operator.settled)
    mine = [
        event for event in audit_events() if event["user"]["username"] == USER and _concerns(event, "acme", "extra")
    ]
    children = [event for event in mine if _place(event) != ("tenantnamespaces", "extra")]
    assert {event["verb"] for event in mine} == {"create", "patch"}
    assert len(mine) <= len(children) + 2


@pytest.mark.usefixtures("samples")
def test_every_write_in_the_api_servers_log_is_in_the_record_and_the_reverse(
    operator: OperatorProcess, controlplane: ControlPlane
) -> None:
    """Joined on the audit id: the same object, and each id once."""
    eventually(operator.settled)
    logged = {event["auditID"]: event for event in _audit(controlplane) if _changes(event) and not _is_status(event)}
    recorded = _applied(operator.records())
    assert logged
    assert logged.keys() == recorded.keys()
    for audit_id, name in recorded.items():
        target = logged[audit_id]["objectRef"]
        assert name.rpartition("/")[2] == target["name"]


@pytest.mark.usefixtures("samples")
def test_nothing_of_kopf_is_on_any_object(kubectl: Kubectl) -> None:
    """No annotation and no finalizer but our own."""
    everything = kubectl("get", "tenants,tns,modelroutes,retentionpolicies", "-A", "-o", "json").stdout
    assert names.FINALIZER in everything
    assert "kopf" not in everything


@pytest.mark.usefixtures("samples")
def test_transitions_are_events(kubectl: Kubectl) -> None:
    """Whoever describes a Namespace reads that it became ready."""
    eventually(lambda: "Reconciled" in kubectl("get", "events.events.k8s.io", "-n", "acme").stdout)


@pytest.mark.usefixtures("samples")
def test_probes_tell_role_and_metrics(operator: OperatorProcess) -> None:
    """The leader is alive and ready, and says so."""
    assert operator.probe("/healthz") == (200, "leader\n")
    assert operator.probe("/readyz") == (200, "leader\n")
    assert operator.metrics()["ringfence_leader"] == 1


def _namespace(name: str, home: str) -> dict[str, Any]:
    return {
        "apiVersion": "ringfence.dev/v1alpha1",
        "kind": "Namespace",
        "metadata": {"name": name, "namespace": home},
        "spec": {"environment": "dev", "owner": {"team": "t", "application": "a"}, "quota": {"hard": {"pods": "1"}}},
    }


def _audit(plane: ControlPlane) -> list[dict[str, Any]]:
    import json

    return [json.loads(line) for line in plane.audit_log.read_text().splitlines()]


def _is_status(event: dict[str, Any]) -> bool:
    return bool(event["objectRef"].get("subresource") == "status")


def _place(event: dict[str, Any]) -> tuple[str, str]:
    return event["objectRef"]["resource"], event["objectRef"].get("name", "")


def _concerns(event: dict[str, Any], home: str, name: str) -> bool:
    target = event.get("objectRef", {})
    core = names.core_namespace(home, name)
    if target.get("resource") == "events":
        return False
    return core in (target.get("namespace"), target.get("name")) or (target.get("namespace"), target.get("name")) == (
        home,
        name,
    )


def _applied(records: list[dict[str, Any]]) -> dict[str, str]:
    """Names of the objects whose writes took effect, by audit id."""
    return {
        f"{event['run']['runId']}.{output['outputFacets']['ringfence_applied']['k']}": output["name"]
        for event in records
        for output in event.get("outputs", ())
        if "ringfence_applied" in output["outputFacets"]
    }
