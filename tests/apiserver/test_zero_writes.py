"""An unchanged world costs no write: neither on resync nor on restart, as the API server itself counts requests."""

from collections import Counter
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ringfence import names
from ringfence.controlplane import Client, ControlPlane
from tests.apiserver.installing import SAMPLES
from tests.breaking import delete_by_force
from tests.controlplane_fixtures import Kubectl
from tests.operating import OperatorProcess, operating, operator_kubeconfig
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

CHANGING = {"APPLY", "DELETE", "DELETECOLLECTION", "PATCH", "POST", "PUT"}
# Whoever leads renews its lease; a review is a question that is asked by POST.
NO_CHANGE = {"leases", "selfsubjectreviews", "selfsubjectrulesreviews", "subjectaccessreviews", "tokenreviews"}
# By which the operator asks whether policies are in force: a token, and what leaves nothing behind.
QUESTIONS = {"eviction", "exec", "token"}
ROUND = 2
"""Seconds until the operator has looked at every object again."""


@pytest.fixture(scope="module")
def operator(
    controlplane: ControlPlane, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """The operator with the samples served; nobody but it changes anything from then on."""
    kubeconfig = operator_kubeconfig(controlplane)
    folder = tmp_path_factory.mktemp("operator")
    with operating(controlplane, folder, f"--resync={ROUND}", kubeconfig=kubeconfig) as process:
        kubectl("apply", "--server-side", "-k", str(SAMPLES))
        kubectl("wait", "--for=condition=Ready", "--timeout=60s", "tenants", "--all")
        kubectl("wait", "--for=condition=Ready", "--timeout=60s", "-A", "tns", "--all")
        _quiet(controlplane.admin, process)
        yield process


def test_resyncs_write_nothing(operator: OperatorProcess, admin: Client) -> None:
    """Three rounds over all objects; a repair shows that a write would have been counted."""
    before = _quiet(admin, operator)
    looks, objects = _looks(operator), int(operator.metrics()["ringfence_objects"])
    assert objects > 5
    eventually(lambda: _looks(operator) >= looks + 3 * objects, 10 * ROUND)
    assert _writes(admin) - before == Counter()
    limits = f"/api/v1/namespaces/acme-web/limitranges/{names.LIMITS}"
    delete_by_force(admin, limits)
    eventually(lambda: admin.get(limits).ok)
    written = _quiet(admin, operator) - before
    assert written["DELETE limitranges"] == 1
    assert written["POST limitranges"] == 1


def test_restarts_write_nothing(operator: OperatorProcess, admin: Client) -> None:
    """Neither one in good order nor one after a crash: at rest there is nothing to finish, here or in the record."""
    before = _quiet(admin, operator)
    assert operator.stop() == 0
    _start_and_look_at_everything(operator)
    operator.kill()
    _start_and_look_at_everything(operator)
    assert _writes(admin) - before == Counter()


def _start_and_look_at_everything(operator: OperatorProcess) -> None:
    operator.start()
    eventually(operator.leads, 60)
    eventually(lambda: _looks(operator) >= 2 * operator.metrics()["ringfence_objects"], 10 * ROUND)


def _looks(operator: OperatorProcess) -> float:
    return operator.metrics().get("ringfence_reconciles_total", 0.0)


def _quiet(admin: Client, operator: OperatorProcess) -> Counter[str]:
    """Wait until nobody has written for a whole round, the other controllers included, and return the counts."""
    last, since = Counter[str](), 0.0

    def still() -> Counter[str] | None:
        nonlocal last, since
        writes, looks = _writes(admin), _looks(operator)
        if writes != last:
            last, since = writes, looks
        return writes if looks > since + operator.metrics()["ringfence_objects"] else None

    return eventually(still, 60)


def _writes(admin: Client) -> Counter[str]:
    """What the API server was asked to change since it started, by whomever, by verb and resource."""
    counts: Counter[str] = Counter()
    for family in text_string_to_metric_families(admin.get("/metrics").must()):
        for sample in family.samples:
            if sample.name == "apiserver_request_total" and _changes(sample.labels):
                counts[f"{sample.labels['verb']} {sample.labels['resource']}"] += int(sample.value)
    return counts


def _changes(labels: dict[str, str]) -> bool:
    asks = labels["resource"] in NO_CHANGE or labels["subresource"] in QUESTIONS or labels["dry_run"]
    return labels["verb"] in CHANGING and not asks
