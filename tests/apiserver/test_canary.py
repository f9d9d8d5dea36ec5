"""Nothing is opened while the admission policies do not refuse; what stands is kept; all of it is told."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from ringfence import names
from ringfence.adapters.kubernetes.calls import calling
from ringfence.admission.drift import shipped
from ringfence.cli.check.network import ProbeError, probe
from ringfence.cli.check.pods import ClusterPods
from ringfence.controlplane import MERGE_PATCH, Client, ControlPlane
from ringfence.model.kinds import CORE_NAMESPACE, LIMIT_RANGE, SERVICE_ACCOUNT, TENANT
from tests.apiserver.installing import INSTALL, POLICIES, install
from tests.breaking import delete_by_force
from tests.controlplane_fixtures import Kubectl
from tests.operating import OperatorProcess, operating, operator_kubeconfig
from tests.tenancy import Tenancy
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver

ADMISSION: Final = "/apis/admissionregistration.k8s.io/v1"
BINDING: Final = "validatingadmissionpolicybindings/ringfence-services"
SOON: Final = 60.0  # seconds
QUICK: Final = 20.0


Check = Callable[..., tuple[int, list[dict[str, str]]]]


@pytest.fixture
def check(controlplane: ControlPlane) -> Check:
    """Run `ringfence check` as whoever a kubeconfig says; return its exit code and its lines."""

    def run(*arguments: str, kubeconfig: Path = controlplane.admin_kubeconfig) -> tuple[int, list[dict[str, str]]]:
        command = [sys.executable, "-m", "ringfence", "check", "-o", "json", "--kubeconfig", str(kubeconfig)]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        return done.returncode, json.loads(done.stdout)

    return run


def graded(lines: list[dict[str, str]], grade: str) -> set[str]:
    """The names of the checks with that grade."""
    return {each["check"] for each in lines if each["grade"] == grade}


def test_a_check_before_the_install_tells_what_would_clash(check: Check, kubectl: Kubectl) -> None:
    """An empty cluster is fine, but for its nodes; a namespace of our name that is not ours stops the install."""
    code, lines = check("--pre")
    assert (code, graded(lines, "failed")) == (0, set())
    assert graded(lines, "ok") >= {"server", "rights", "clashes", "clock"}
    assert any("no nodes: whether NetworkPolicies are enforced cannot be probed" in each["words"] for each in lines)
    assert check("--pre", "--strict")[0] == 1
    kubectl("create", "namespace", names.CANARY)
    code, lines = check("--pre")
    assert (code, graded(lines, "failed")) == (1, {"namespaces"})
    kubectl("delete", "namespace", names.CANARY)


def test_who_may_not_install_is_told_so_before(check: Check, controlplane: ControlPlane) -> None:
    """The rights are named."""
    code, lines = check("--pre", kubeconfig=controlplane.kubeconfig("anybody", ["anybody"]))
    assert code == 1
    assert any("anybody lacks: create" in each["words"] for each in lines if each["check"] == "rights")


@pytest.fixture(scope="module")
def waiting(
    controlplane: ControlPlane, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """An operator that came before its policies, with a tenant that waits."""
    kubectl("apply", "--server-side", "-k", str(INSTALL))
    kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
    kubectl("delete", "-k", str(POLICIES))
    kubeconfig = operator_kubeconfig(controlplane)
    with operating(controlplane, tmp_path_factory.mktemp("operator"), kubeconfig=kubeconfig) as process:
        Tenancy(controlplane.admin, "early").begin()
        yield process


@pytest.fixture(scope="module")
def early(waiting: OperatorProcess) -> Tenancy:
    """The tenant that came before the policies."""
    return Tenancy(waiting.plane.admin, "early")


def condition(admin: Client, tenant: str, kind: str) -> tuple[str, str, str]:
    """Status, reason and message of a Tenant's condition."""
    for each in admin.get(TENANT.path(None, tenant)).must()["status"].get("conditions", ()):
        if each["type"] == kind:
            return each["status"], each["reason"], each["message"]
    return "", "", ""


def found(operator: OperatorProcess) -> list[dict[str, Any]]:
    """What the platform's record says of the policies, in order."""
    facets = (record["run"]["facets"].get("ringfence_policies") for record in operator.records())
    return [facet for facet in facets if facet]


def test_an_operator_that_comes_before_its_policies_waits_and_then_serves(
    waiting: OperatorProcess, early: Tenancy, kubectl: Kubectl, admin: Client
) -> None:
    """It says so in conditions, by its probe and in metrics; nothing is made; and it goes on by itself."""
    eventually(lambda: condition(admin, "early", "Ready")[:2] == ("False", "PoliciesInactive"), SOON)
    assert "is missing" in condition(admin, "early", "Ready")[2]
    assert not admin.get("/api/v1/namespaces/early").ok
    eventually(lambda: "nothing new is opened" in waiting.probe("/readyz")[1])
    assert waiting.probe("/readyz")[0] == 503
    assert waiting.metrics()["ringfence_policies_in_force"] == 0
    install(kubectl, "--server-side")
    eventually(lambda: condition(admin, "early", "Ready")[0] == "True", SOON)
    early.apply("web")
    eventually(lambda: early.served("web"), SOON)
    # A look in between may meet an API server that has not heard of all that was installed a moment ago.
    eventually(lambda: waiting.probe("/readyz") == (200, "leader\n"), SOON)
    assert waiting.metrics()["ringfence_policies_in_force"] == 1
    account = admin.get(SERVICE_ACCOUNT.path(names.CANARY, names.DEFAULT_SERVICE_ACCOUNT)).must()
    assert account["metadata"]["labels"][names.MANAGED_BY_LABEL] == names.MANAGED_BY


def test_a_check_of_a_whole_installation_fails_nowhere(waiting: OperatorProcess, check: Check) -> None:
    """As an administrator, who impersonates, and as the operator with its ledger; in seconds."""
    began = time.monotonic()
    code, lines = check()
    assert (code, graded(lines, "failed")) == (0, set()), lines
    assert graded(lines, "ok") >= {"definitions", "roles", "policies", "canary"}
    assert time.monotonic() - began < QUICK
    assert waiting.kubeconfig is not None
    code, lines = check("--ledger", f"sqlite:///{waiting.ledger}", kubeconfig=waiting.kubeconfig)
    assert graded(lines, "ok") >= {"rights", "policies", "canary", "ledger"}, lines
    assert (code, graded(lines, "failed")) == (0, set()), lines


def test_a_policy_that_is_not_bound_any_more_closes_the_door(
    waiting: OperatorProcess, early: Tenancy, kubectl: Kubectl, admin: Client, check: Check
) -> None:
    """Within seconds; new ones wait, what stands is repaired, and when it is bound again all goes on."""
    kubectl("delete", BINDING)
    eventually(lambda: condition(admin, "early", "Isolated")[:2] == ("False", "PoliciesInactive"), SOON)
    assert "ringfence-services" in condition(admin, "early", "Isolated")[2]
    assert condition(admin, "early", "Ready")[0] == "True"
    late = Tenancy(admin, "late")
    late.begin()
    early.apply("second")
    eventually(lambda: condition(admin, "late", "Ready")[:2] == ("False", "PoliciesInactive"), SOON)
    eventually(lambda: early.told("second", "Ready")[:2] == ("False", "PoliciesInactive"), SOON)
    assert not admin.get("/api/v1/namespaces/late").ok
    assert not admin.get(early.core("second")).ok
    limits = LIMIT_RANGE.path("early-web", names.LIMITS)
    delete_by_force(admin, limits)
    eventually(lambda: admin.get(limits).ok, SOON)
    assert waiting.metrics()["ringfence_policies_in_force"] == 0
    assert waiting.probe("/readyz")[0] == 503
    code, lines = check()
    assert (code, graded(lines, "failed")) == (1, {"canary", "policies"})
    assert all("ringfence-services" in each["words"] for each in lines if each["grade"] == "failed")
    kubectl("apply", "--server-side", "-k", str(POLICIES))
    eventually(lambda: condition(admin, "early", "Isolated")[:2] == ("True", "Fenced"), SOON)
    eventually(lambda: late.served() and early.served("second"), SOON)
    assert [each["state"] for each in found(waiting)][-2:] == ["Inactive", "InForce"]
    assert any("ringfence-services" in each for each in found(waiting)[-2]["silent"])


def test_a_policy_that_was_edited_is_named(waiting: OperatorProcess, kubectl: Kubectl, admin: Client) -> None:
    """Its drift is a condition, a record and a number, from beginning to end; what it lets pass nobody knows."""
    path = f"{ADMISSION}/validatingadmissionpolicies/ringfence-status"
    spec = admin.get(path).must()["spec"]
    edited = [{**spec["validations"][0], "expression": "true"}]
    admin.request("PATCH", path, {"spec": {"validations": edited}}, content_type=MERGE_PATCH).must()
    eventually(lambda: condition(admin, "early", "Isolated")[:2] == ("Unknown", "PolicyDrift"), SOON)
    message = condition(admin, "early", "Isolated")[2]
    assert "ValidatingAdmissionPolicy ringfence-status differs at spec.validations[0].expression" in message
    assert waiting.metrics()["ringfence_policies_drifted"] == 1
    assert waiting.metrics()["ringfence_policies_in_force"] == 1
    kubectl("apply", "--server-side", "--force-conflicts", "-k", str(POLICIES))
    eventually(lambda: condition(admin, "early", "Isolated")[:2] == ("True", "Fenced"), SOON)
    assert [each["state"] for each in found(waiting)][-2:] == ["Drifted", "InForce"]


def test_without_mutating_policies_the_condition_says_what_people_must_write(
    waiting: OperatorProcess, early: Tenancy, kubectl: Kubectl, admin: Client, check: Check
) -> None:
    """An older API server has none: the fence stands, and every other policy still answers for itself."""
    mutating = [f"{kind.lower()}s/{name}" for kind, name in shipped() if kind == "MutatingAdmissionPolicyBinding"]
    kubectl("delete", *mutating)
    eventually(lambda: condition(admin, "early", "Isolated")[:2] == ("Unknown", "PolicyDrift"), SOON)
    assert "MutatingAdmissionPolicyBinding" in condition(admin, "early", "Isolated")[2]
    assert waiting.metrics()["ringfence_policies_in_force"] == 1
    unfilled = "MutatingAdmissionPolicy ringfence-stamps has no effect"
    eventually(lambda: any(unfilled in each["words"] for each in check()[1]), SOON)
    code, lines = check()
    assert (code, graded(lines, "failed")) == (0, set())
    assert not any("ValidatingAdmissionPolicy" in each["words"] for each in lines if each["grade"] == "warning")
    kubectl("apply", "--server-side", "-k", str(POLICIES))
    eventually(lambda: condition(admin, "early", "Isolated")[:2] == ("True", "Fenced"), SOON)


def test_the_canary_changes_nothing(waiting: OperatorProcess, kubectl: Kubectl) -> None:
    """Its token is good for dry runs in two empty namespaces."""
    token = waiting.plane.service_account_kubeconfig(names.OPERATOR_NAMESPACE, names.CANARY)
    create = ("create", "configmap", "x", "-n", names.CANARY)
    assert "created" in kubectl(*create, "--dry-run=server", kubeconfig=token).stdout
    assert "ringfence canary-dry-run" in kubectl(*create, kubeconfig=token, check=False).stderr


def test_a_probe_of_the_network_asks_for_pods_that_are_let_in(controlplane: ControlPlane, admin: Client) -> None:
    """There is no node to run them: it ends with a reason, and leaves no namespace."""
    with calling(controlplane.admin_kubeconfig, None) as calls:
        pods = ClusterPods(calls, "registry.invalid/operator", patience=1.0)
        with pytest.raises(ProbeError, match="pod server is Pending"):
            probe(pods)
    assert "deletionTimestamp" in admin.get(CORE_NAMESPACE.path(None, pods.namespace)).must()["metadata"]
