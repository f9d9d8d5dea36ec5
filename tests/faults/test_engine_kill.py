"""kill -9 at each write of a create, an update and a delete, on a real API server.

The next process makes the same objects as an undisturbed run, and the API server's log and ours tell the same writes.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import pytest

from ringfence import names
from ringfence.controlplane import ControlPlane
from tests.controlplane_fixtures import Kubectl
from tests.faults.writes_proxy import WritesProxy
from tests.operating import USER, OperatorProcess, operator_kubeconfig
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

WATCHED: Final = "resourcequotas,limitranges,networkpolicies,rolebindings,serviceaccounts,configmaps,guardrails"
MOST_WRITES: Final = 40
VOLATILE: Final = {"uid", "creationTimestamp", "resourceVersion", "managedFields", "generation"}


@pytest.fixture(scope="module")
def proxy(controlplane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WritesProxy]:
    kubeconfig = operator_kubeconfig(controlplane)
    with WritesProxy(kubeconfig, tmp_path_factory.mktemp("proxy")) as running:
        yield running


@pytest.fixture(scope="module")
def operator(
    proxy: WritesProxy, controlplane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    process = OperatorProcess(controlplane, tmp_path_factory.mktemp("operator"), proxy.kubeconfig).start()
    try:
        eventually(process.leads, 60)
        yield process
    finally:
        process.kill()


@pytest.fixture(scope="module")
def expected(operator: OperatorProcess, kubectl: Kubectl) -> dict[str, Any]:
    """What there is after an undisturbed create, by the cpu that its quota asks for."""
    kubectl("apply", "--server-side", "-f-", stdin=_tenant())
    kubectl("wait", "--for=condition=Ready", "--timeout=60s", "tenant/acme")
    states = {}
    for cpu in ("1", "2"):
        _serve(kubectl, "n0", cpu)
        eventually(operator.settled, 90)
        states[cpu] = _state(kubectl, "n0")
    assert len(states["1"]) > 8
    return states


def test_killed_at_any_write_of_a_create_it_makes_the_same_objects(
    operator: OperatorProcess, proxy: WritesProxy, kubectl: Kubectl, expected: dict[str, Any]
) -> None:
    """It dies after the first write for a new Namespace, after the second for the next, and so on to the last."""
    for write in range(1, MOST_WRITES):
        name = f"c{write}"
        struck = _struck_after(write, operator, proxy, partial(_apply, kubectl, name, "1"))
        _serve(kubectl, name, "1")
        assert _state(kubectl, name) == expected["1"], f"killed after write {write}"
        if not struck:
            break
    assert write > 8


def test_killed_at_any_write_of_an_update_it_makes_the_same_objects(
    operator: OperatorProcess, proxy: WritesProxy, kubectl: Kubectl, expected: dict[str, Any]
) -> None:
    """A quota grows; the operator dies after each write that this takes."""
    for write in range(1, MOST_WRITES):
        name = f"u{write}"
        _serve(kubectl, name, "1")
        eventually(operator.settled, 90)
        struck = _struck_after(write, operator, proxy, partial(_apply, kubectl, name, "2"))
        eventually(partial(_is_as, kubectl, name, expected["2"]), 60)
        if not struck:
            break
    assert write > 1


def test_killed_at_any_write_of_a_delete_it_leaves_nothing(
    operator: OperatorProcess, proxy: WritesProxy, kubectl: Kubectl, expected: dict[str, Any]
) -> None:
    """With deletionPolicy Delete neither the object nor its core namespace is left."""
    assert expected
    for write in range(1, MOST_WRITES):
        name = f"d{write}"
        _serve(kubectl, name, "1")
        eventually(operator.settled, 90)
        struck = _struck_after(write, operator, proxy, partial(_delete, kubectl, name))
        eventually(partial(_is_gone, kubectl, name), 60)
        if not struck:
            break
    assert write > 1


@pytest.mark.parametrize("write", [1, 3, 6])
def test_killed_at_a_write_of_a_quarantine_nobody_may_more_than_before(
    operator: OperatorProcess, proxy: WritesProxy, kubectl: Kubectl, expected: dict[str, Any], write: int
) -> None:
    """What is withdrawn stays so, the next process withdraws the rest, and the record has one beginning."""
    assert expected
    name = f"q{write}"
    _serve(kubectl, name, "1")
    eventually(operator.settled, 90)
    before = _bound(kubectl, name)
    proxy.strike_after(write, operator.kill_quickly)
    kubectl("patch", "tns", name, "-n", "acme", "--type=merge", "-p", '{"spec":{"isolation":"Quarantined"}}')
    eventually(proxy.struck.is_set, 60)
    proxy.strike_at = 0
    operator.kill()
    assert _bound(kubectl, name) - {("ringfence-viewer", "ringfence-tenant-viewer")} <= before
    operator.start()
    eventually(lambda: _bound(kubectl, name) == {("ringfence-viewer", "ringfence-tenant-viewer")}, 60)
    eventually(partial(_is_quarantined, kubectl, name), 60)
    facets = [event["run"]["facets"].get("ringfence_episode", {}) for event in operator.records()]
    assert [facet["kind"] for facet in facets if facet and facet["object"]["name"] == name] == ["Quarantine"]


def test_both_logs_tell_the_same_writes(operator: OperatorProcess, controlplane: ControlPlane) -> None:
    """After all those deaths each write that took effect is announced by one START and told by one outcome."""
    eventually(operator.settled, 90)
    assert "ABORT" in {event["eventType"] for event in operator.records()}
    _both_logs_tell_the_same(operator, controlplane)


def _struck_after(write: int, operator: OperatorProcess, proxy: WritesProxy, change: Callable[[], None]) -> bool:
    """Make a change; where the operator gets as far as that write, it is killed there and started again."""
    proxy.strike_after(write, operator.kill_quickly)
    change()
    operator.expect_work()
    eventually(lambda: proxy.struck.is_set() or operator.settled(), 60)
    proxy.strike_at = 0
    if not proxy.struck.is_set():
        return False
    operator.kill()
    operator.start()
    eventually(operator.leads, 60)
    return True


def _both_logs_tell_the_same(operator: OperatorProcess, plane: ControlPlane) -> None:
    """Each write that took effect is announced by one START and told by one outcome; the reverse holds too."""
    logged = [event for event in map(json.loads, plane.audit_log.read_text().splitlines()) if _is_recorded_write(event)]
    ids = [event["auditID"] for event in logged]
    announced = _outputs(operator.records(), "ringfence_planned")
    told = _outputs(operator.records(), "ringfence_applied")
    checked = _outputs(operator.records(), "ringfence_checked")
    assert len(ids) == len(set(ids))
    assert set(ids) <= announced.keys()
    assert told.keys() <= set(ids)
    assert not told.keys() & checked.keys()
    for audit_id in set(ids) - told.keys():
        assert checked[audit_id]["found"] in ("Found", "Unknown"), f"{audit_id} took effect: {checked[audit_id]}"
    for audit_id in checked.keys() - set(ids):
        assert checked[audit_id]["found"] != "Found", f"{audit_id} never happened: {checked[audit_id]}"


def _outputs(records: list[dict[str, Any]], facet: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for event in records:
        for output in event.get("outputs", ()):
            if facet in output["outputFacets"]:
                audit_id = f"{event['run']['runId']}.{output['outputFacets'][facet]['k']}"
                assert audit_id not in found
                found[audit_id] = output["outputFacets"][facet]
    return found


def _is_recorded_write(event: dict[str, Any]) -> bool:
    target = event.get("objectRef", {})
    return (
        event["user"]["username"] == USER
        and event["verb"] in ("create", "update", "patch", "delete")
        and target.get("resource") not in ("leases", "events", "selfsubjectreviews", "selfsubjectrulesreviews")
        and target.get("subresource") not in ("status", "token")  # a token of the canary is no change
        and "dryRun=All" not in event["requestURI"]
        and event["responseStatus"]["code"] < 300
    )


def _apply(kubectl: Kubectl, name: str, cpu: str) -> None:
    kubectl("apply", "--server-side", "-f-", stdin=_namespace(name, cpu))


def _serve(kubectl: Kubectl, name: str, cpu: str) -> None:
    _apply(kubectl, name, cpu)
    kubectl("wait", "--for=condition=Ready", "--timeout=60s", "-n", "acme", f"tns/{name}")


def _delete(kubectl: Kubectl, name: str) -> None:
    kubectl("delete", "-n", "acme", f"tns/{name}", "--wait=false")


def _is_as(kubectl: Kubectl, name: str, state: dict[str, Any]) -> bool:
    return _state(kubectl, name) == state


def _is_gone(kubectl: Kubectl, name: str) -> bool:
    missing = kubectl("get", "-n", "acme", f"tns/{name}", check=False).returncode
    return bool(missing and kubectl("get", f"namespace/acme-{name}", check=False).returncode)


def _state(kubectl: Kubectl, name: str) -> dict[str, Any]:
    """Everything that the operator keeps for a Namespace, with its name replaced."""
    core = json.loads(kubectl("get", f"namespace/acme-{name}", "-o", "json").stdout)
    children = json.loads(kubectl("get", WATCHED, "-n", f"acme-{name}", "-o", "json").stdout)["items"]
    subject = json.loads(kubectl("get", "-n", "acme", f"tns/{name}", "-o", "json").stdout)
    contents = (_content(thing, name) for thing in (core, subject, *children))
    return {f"{content['apiVersion']}/{content['kind']}/{content['metadata']['name']}": content for content in contents}


def _content(thing: dict[str, Any], name: str) -> dict[str, Any]:
    content = copy.deepcopy(thing)
    content["metadata"] = {key: value for key, value in content["metadata"].items() if key not in VOLATILE}
    for condition in content.get("status", {}).get("conditions", ()):
        condition.pop("lastTransitionTime")
        condition.pop("observedGeneration", None)
    content.get("status", {}).pop("observedGeneration", None)
    content.get("status", {}).pop("lineage", None)  # an interrupted run has more to record
    if content["kind"] == "ResourceQuota":
        content.pop("status", None)  # counted by another controller, in its own time
    replaced: dict[str, Any] = json.loads(re.sub(rf"\b{name}\b", "NAME", json.dumps(content)))
    return replaced


def _bound(kubectl: Kubectl, name: str) -> set[tuple[str, str]]:
    """Which role each binding in a Namespace gives."""
    found = json.loads(kubectl("get", "rolebindings", "-n", f"acme-{name}", "-o", "json").stdout)
    return {(each["metadata"]["name"], each["roleRef"]["name"]) for each in found["items"]}


def _is_quarantined(kubectl: Kubectl, name: str) -> bool:
    found = json.loads(kubectl("get", "networkpolicies", "-n", f"acme-{name}", "-o", "json").stdout)
    return [each["metadata"]["name"] for each in found["items"]] == [names.DENY_ALL]


def _tenant() -> dict[str, Any]:
    return {
        "apiVersion": "ringfence.dev/v1alpha1",
        "kind": "Tenant",
        "metadata": {"name": "acme"},
        "spec": {
            "displayName": "Acme",
            "contacts": {"security": "security@acme.example"},
            "access": {"owners": [{"group": "oidc:acme-owners"}], "developers": [{"group": "oidc:acme-devs"}]},
            "environments": [{"name": "dev"}],
            "residency": {"regions": ["eu-central-1"]},
            "budget": {"namespaces": 60, "hard": {"requests.cpu": "99", "pods": "999"}},
            "deletionPolicy": "Delete",
        },
    }


def _namespace(name: str, cpu: str) -> dict[str, Any]:
    return {
        "apiVersion": "ringfence.dev/v1alpha1",
        "kind": "Namespace",
        "metadata": {"name": name, "namespace": "acme"},
        "spec": {
            "environment": "dev",
            "owner": {"team": "search", "application": "chat"},
            "quota": {"hard": {"requests.cpu": cpu, "pods": "5"}},
        },
    }
