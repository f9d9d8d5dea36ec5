"""How the operator starts, waits, hands over and stops, on a real API server."""

import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence import names
from ringfence.cli.glass import in_force
from ringfence.controlplane import ControlPlane
from tests.apiserver.installing import INSTALL, REPOSITORY, documents, empty_cluster, kustomized
from tests.breaking import break_glass
from tests.controlplane_fixtures import Kubectl
from tests.operating import OperatorProcess, operating
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

UNREACHABLE = """
apiVersion: v1
kind: Config
current-context: it
contexts: [{name: it, context: {cluster: it, user: me}}]
clusters: [{name: it, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: me, user: {token: none}}]
"""


@pytest.fixture
def operator(controlplane: ControlPlane, tmp_path: Path) -> Iterator[OperatorProcess]:
    with operating(controlplane, tmp_path) as process:
        yield process


def test_credentials_that_nothing_can_fence_are_refused(controlplane: ControlPlane, tmp_path: Path) -> None:
    """As system:masters the operator ends at once with exit code 1 and says what to do instead."""
    operator = OperatorProcess(controlplane, tmp_path, controlplane.admin_kubeconfig).start()
    assert operator.exit_code(60) == 1
    assert "--unsafe-admin" in operator.log.read_text()


def test_credentials_that_nothing_can_fence_work_when_that_is_asked_for(
    controlplane: ControlPlane, tmp_path: Path
) -> None:
    """The same credentials with the option: the refusal above was about nothing else."""
    with operating(controlplane, tmp_path, "--unsafe-admin", kubeconfig=controlplane.admin_kubeconfig) as operator:
        assert operator.stop() == 0


def test_a_token_that_is_not_accepted_ends_it_with_code_3(controlplane: ControlPlane, tmp_path: Path) -> None:
    """Waiting would not help: the message says what the API server said."""
    kubeconfig = tmp_path / "bad.kubeconfig"
    server = controlplane.url
    kubeconfig.write_text(
        UNREACHABLE.replace("https://127.0.0.1:1", server).replace(
            '"}}]', f'", certificate-authority: {controlplane.ca}}}}}]', 1
        )
    )
    operator = OperatorProcess(controlplane, tmp_path, kubeconfig).start()
    assert operator.exit_code(60) == 3
    assert "Unauthorized" in operator.log.read_text()


def test_an_unreachable_api_server_is_waited_for(controlplane: ControlPlane, tmp_path: Path) -> None:
    """It says so, answers that it is alive but not ready, and ends in good order when asked to."""
    kubeconfig = tmp_path / "unreachable.kubeconfig"
    kubeconfig.write_text(UNREACHABLE)
    operator = OperatorProcess(controlplane, tmp_path, kubeconfig).start()
    try:
        eventually(lambda: operator.said("waiting for the API server"), 60)
        assert operator.probe("/healthz") == (200, "starting\n")
        assert operator.probe("/readyz")[0] == 503
        assert operator.stop() == 0
    finally:
        operator.kill()


def test_the_next_leader_takes_over_within_three_seconds(operator: OperatorProcess, tmp_path: Path) -> None:
    """The one that stands by knows everything already; the Lease is given back on SIGTERM."""
    (tmp_path / "second").mkdir()
    standby = OperatorProcess(operator.plane, tmp_path / "second").start()
    try:
        eventually(lambda: standby.probe("/readyz") == (200, "standby\n"), 60)
        eventually(lambda: operator.probe("/readyz") == (200, "leader\n"), 90)
        began = time.monotonic()
        assert operator.stop() == 0
        eventually(standby.leads)
        assert time.monotonic() - began < 3
    finally:
        standby.kill()


def test_a_killed_operator_does_not_wait_for_its_own_lease(operator: OperatorProcess) -> None:
    """Whoever holds the ledger is the same operator: after a crash it goes on at once."""
    operator.kill()
    began = time.monotonic()
    operator.start()
    eventually(operator.leads, 60)
    assert time.monotonic() - began < 10


def test_a_second_operator_on_the_same_ledger_is_refused(operator: OperatorProcess) -> None:
    """Two writers of one ledger would be one too many."""
    second = OperatorProcess(operator.plane, operator.folder).start()
    assert second.exit_code(60) == 1
    assert "in use by another operator" in second.log.read_text()
    assert operator.leads()


def test_a_restarted_api_server_loses_nothing(
    operator: OperatorProcess, kubectl: Kubectl, controlplane: ControlPlane
) -> None:
    """While it is away a Namespace can't be served; after it is back everything goes on, drift repair included."""
    kubectl("apply", "--server-side", "-f-", stdin=[_tenant("restarted")])
    kubectl("wait", "--for=condition=Ready", "--timeout=60s", "tenant/restarted")
    controlplane.restart_apiserver()
    web = _namespace("restarted", "web")  # mutating policies need definitions, which it looks for every 5 seconds
    eventually(lambda: kubectl("apply", "--server-side", "-f-", stdin=web, check=False).returncode == 0, 90)
    break_glass(kubectl, "networkpolicy", names.DENY_ALL, "-n", "restarted")
    kubectl("delete", "networkpolicy", names.DENY_ALL, "-n", "restarted")
    ready = ("wait", "--for=condition=Ready", "--timeout=1s", "-n", "restarted", "tns/web")
    # A server that is away for longer than the lease ends the operator, and the next one goes on.
    eventually(lambda: operator.keep_running() and kubectl(*ready, check=False).returncode == 0, 90)
    eventually(
        lambda: kubectl("get", "networkpolicy", names.DENY_ALL, "-n", "restarted", check=False).returncode == 0, 30
    )


def test_a_full_disk_stops_changes_and_nothing_else(operator: OperatorProcess, kubectl: Kubectl) -> None:
    """No record, no change: the object says so. When there is room again, it is served."""
    kubectl("apply", "--server-side", "-f-", stdin=_tenant("full"))
    kubectl("wait", "--for=condition=Ready", "--timeout=60s", "tenant/full")
    _limit_files(operator, 1)
    kubectl("apply", "--server-side", "-f-", stdin=_namespace("full", "web"))
    condition = "{.status.conditions[?(@.type=='LineageRecorded')].status}"
    eventually(lambda: kubectl("get", "-n", "full", "tns/web", "-o", f"jsonpath={condition}").stdout == "False", 90)
    assert kubectl("get", "namespace/full-web", check=False).returncode != 0
    _limit_files(operator, resource.RLIM_INFINITY)
    kubectl("wait", "--for=condition=Ready", "--timeout=60s", "-n", "full", "tns/web")
    assert kubectl("get", "-n", "full", "tns/web", "-o", f"jsonpath={condition}").stdout == "True"


def test_one_poisoned_object_stops_no_other(operator: OperatorProcess, kubectl: Kubectl) -> None:
    """A Namespace whose write the API server refuses waits with its words; those beside it are served."""
    assert operator.leads()
    kubectl("apply", "--server-side", "-f-", stdin=_refusing_quota_of("poisoned-bad"))
    probe = ("create", "quota", "probe", "-n", "default", "--dry-run=server")
    eventually(
        lambda: "no quota here" in kubectl(*probe, check=False).stderr, 30
    )  # a new policy takes a while to start
    good = [f"n{number}" for number in range(12)]
    kubectl("apply", "--server-side", "-f-", stdin=_tenant("poisoned"))
    kubectl("wait", "--for=condition=Ready", "--timeout=60s", "tenant/poisoned")
    kubectl("apply", "--server-side", "-f-", stdin=[_namespace("poisoned", name) for name in ("bad", *good)])
    kubectl("wait", "--for=condition=Ready", "--timeout=60s", "-n", "poisoned", *(f"tns/{name}" for name in good))
    ready = "{.status.conditions[?(@.type=='Ready')]}"
    bad = json.loads(kubectl("get", "-n", "poisoned", "tns/bad", "-o", f"jsonpath={ready}").stdout)
    assert (bad["status"], bad["reason"]) == ("False", "ApplyFailed")
    assert "no quota here" in bad["message"]


def test_missing_definitions_are_told_and_waited_for(tmp_path: Path) -> None:
    """Started before its CRDs the operator says which are missing; when they come it works without a restart."""
    with empty_cluster(tmp_path) as cluster:
        kubectl = cluster.kubectl
        kubectl("apply", "--server-side", "-f-", stdin=_without_definitions(kustomized(INSTALL)))
        operator = OperatorProcess(cluster.plane, tmp_path).start()
        try:
            told = eventually(lambda: operator.said("custom resource definitions are missing"), 60)
            assert "tenants" in told["missing"]
            assert operator.probe("/readyz")[0] == 503
            kubectl("apply", "--server-side", "-k", str(REPOSITORY / "crds"))
            eventually(lambda: operator.probe("/readyz")[0] == 200, 60)
            eventually(lambda: in_force(cluster.plane.admin), 90)
            kubectl("apply", "--server-side", "-f-", stdin=_tenant("late"))
            kubectl("wait", "--for=condition=Ready", "--timeout=60s", "tenant/late")
        finally:
            operator.kill()


def _without_definitions(bundle: str) -> list[dict[str, Any]]:
    return [each for each in documents(bundle) if each["kind"] != "CustomResourceDefinition"]


def _limit_files(operator: OperatorProcess, size: int) -> None:
    """Let the operator's files grow to ``size`` bytes at most: for it, the disk is full."""
    assert operator.process is not None
    resource.prlimit(operator.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _refusing_quota_of(core: str) -> list[dict[str, Any]]:
    name = f"refuse-{core}"
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["resourcequotas"],
    }
    return [
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [rule]},
                "validations": [
                    {
                        "expression": f"!(object.metadata.namespace in ['{core}', 'default'])",
                        "message": "no quota here",
                    }
                ],
            },
        },
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        },
    ]


def _tenant(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "ringfence.dev/v1alpha1",
        "kind": "Tenant",
        "metadata": {"name": name},
        "spec": {
            "displayName": name,
            "contacts": {"security": "security@acme.example"},
            "access": {"owners": [{"group": "oidc:owners"}]},
            "environments": [{"name": "dev"}],
            "residency": {"regions": ["eu-central-1"]},
            "budget": {"namespaces": 50, "hard": {"pods": "999"}},
        },
    }


def _namespace(home: str, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "ringfence.dev/v1alpha1",
        "kind": "Namespace",
        "metadata": {"name": name, "namespace": home},
        "spec": {"environment": "dev", "owner": {"team": "t", "application": "a"}, "quota": {"hard": {"pods": "2"}}},
    }
