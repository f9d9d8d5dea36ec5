"""On an API server of the release before: nothing is filled in, and everything else holds.

The newest API server emulates it: what that release has not, it does not serve.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from ringfence import names
from ringfence.controlplane import ControlPlane
from ringfence.controlplane.client import Client
from ringfence.model.kinds import TENANT
from tests.apiserver.installing import CRDS, INSTALL
from tests.controlplane_fixtures import Kubectl
from tests.operating import operating, operator_kubeconfig
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver

OLDER: Final = "1.35"
SOON: Final = 60.0  # seconds


@pytest.fixture(scope="module")
def controlplane() -> Iterator[ControlPlane]:
    """An API server that does as an older one."""
    with ControlPlane(apiserver_flags={"emulated-version": OLDER}) as plane:
        yield plane


def condition(admin: Client, kind: str) -> tuple[str, str, str]:
    """Status, reason and message of the Tenant's condition."""
    for each in admin.get(TENANT.path(None, "acme")).must().get("status", {}).get("conditions", ()):
        if each["type"] == kind:
            return each["status"], each["reason"], each["message"]
    return "", "", ""


def test_a_tenant_is_opened_and_the_condition_says_what_is_lacking(
    controlplane: ControlPlane, kubectl: Kubectl, admin: Client, tmp_path: Path
) -> None:
    """Its author writes his name himself; who forgets it is told so, and so is who runs a check."""
    kubectl("apply", "-k", str(CRDS))
    kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
    assert "MutatingAdmissionPolicy" in kubectl("apply", "-k", str(INSTALL), check=False).stderr
    tenant = {"apiVersion": TENANT.api_version, "kind": TENANT.kind, "spec": {"environments": [{"name": "dev"}]}}
    unsigned = json.dumps({**tenant, "metadata": {"name": "acme"}})
    with operating(controlplane, tmp_path, kubeconfig=operator_kubeconfig(controlplane)) as operator:
        eventually(lambda: operator.metrics()["ringfence_policies_in_force"] == 1, SOON)
        refused = kubectl("apply", "-f-", stdin=unsigned, check=False).stderr
        assert "write it yourself where nothing fills it in. You are kubernetes-admin" in refused
        signed = {"name": "acme", "annotations": {names.REQUESTED_BY_ANNOTATION: "kubernetes-admin"}}
        kubectl("apply", "-f-", stdin=json.dumps({**tenant, "metadata": signed}))
        eventually(lambda: condition(admin, "Ready")[0] == "True", SOON)
        assert "has to be written by people" in condition(admin, "Isolated")[2]
        command = [sys.executable, "-m", "ringfence", "check", "--kubeconfig", str(controlplane.admin_kubeconfig)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout
    assert f"! server       v{OLDER}, emulated by" in told.stdout
    assert "no MutatingAdmissionPolicy" in told.stdout
