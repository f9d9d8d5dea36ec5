"""The control plane itself, as other tests rely on it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringfence.controlplane import Client, ControlPlane, ControlPlaneError
from tests.controlplane_fixtures import Kubectl
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver


def test_the_pinned_version_is_served(admin: Client) -> None:
    """Clients that look at the version must see the real one: a binary without stamps says v0.0.0."""
    assert admin.get("/version").must()["gitVersion"] == "v1.36.3"


def test_mutating_admission_policies_are_served_as_v1(admin: Client) -> None:
    """The admission layer rests on it."""
    resources = admin.get("/apis/admissionregistration.k8s.io/v1").must()["resources"]
    assert "mutatingadmissionpolicies" in {resource["name"] for resource in resources}


def test_a_kubeconfig_makes_its_holder_that_user_in_those_groups(kubectl: Kubectl) -> None:
    """Any test can be any member of any tenant."""
    answer = kubectl("auth", "whoami", "-o", "json", user="ann", groups=["acme-admins", "oidc:everyone"]).stdout
    for part in ('"username": "ann"', '"acme-admins"', '"oidc:everyone"', '"system:authenticated"'):
        assert part in answer


def test_a_user_has_no_rights_until_they_are_granted(kubectl: Kubectl, tenant_name: Callable[[], str]) -> None:
    """RBAC is on: the same request is refused before the grant and served after it."""
    name = tenant_name()
    kubectl("create", "namespace", name)
    probe = ("get", "configmaps", "-n", name)
    refused = kubectl(*probe, user="ben", groups=[name], check=False)
    assert "forbidden" in refused.stderr
    kubectl("create", "rolebinding", "view", "--clusterrole=view", f"--group={name}", "-n", name)
    eventually(lambda: kubectl(*probe, user="ben", groups=[name], check=False).returncode == 0)


def test_a_service_account_kubeconfig_is_that_service_account(controlplane: ControlPlane, kubectl: Kubectl) -> None:
    """The operator can run with a token of its own and nothing else."""
    config = controlplane.service_account_kubeconfig("default", "default")
    assert "system:serviceaccount:default:default" in kubectl("auth", "whoami", kubeconfig=config).stdout


def test_a_missing_service_account_is_named(controlplane: ControlPlane) -> None:
    """The server's own words reach the developer."""
    with pytest.raises(ControlPlaneError, match='serviceaccounts "nobody" not found'):
        controlplane.service_account_kubeconfig("default", "nobody")


def test_the_controllers_work(kubectl: Kubectl, admin: Client, tenant_name: Callable[[], str]) -> None:
    """A namespace gets its ServiceAccount, quota is counted, and a deleted namespace goes away with its contents."""
    name = tenant_name()
    kubectl("create", "namespace", name)
    kubectl("create", "quota", "q", "--hard=configmaps=10", "-n", name)
    eventually(lambda: admin.get(f"/api/v1/namespaces/{name}/serviceaccounts/default").ok)
    eventually(lambda: _quota_used(admin, name) == {"configmaps": "1"})
    kubectl("delete", "namespace", name, "--wait=false")
    eventually(lambda: admin.get(f"/api/v1/namespaces/{name}").status == 404, timeout=90)


def test_the_audit_log_tells_who_did_what(
    kubectl: Kubectl, tenant_name: Callable[[], str], audit_events: Callable[[], list[dict[str, Any]]]
) -> None:
    """Coverage of rights is proven from these events."""
    name = tenant_name()
    kubectl("get", "namespace", name, user="cleo", groups=["auditors"], check=False)
    [event] = [event for event in audit_events() if event["user"]["username"] == "cleo" and event["verb"] == "get"]
    assert (event["objectRef"]["name"], event["responseStatus"]["code"]) == (name, 403)


def test_everything_listens_on_this_machine_only(controlplane: ControlPlane) -> None:
    """One port, on the loopback address; etcd has none."""
    servers = (controlplane.etcd, controlplane.apiserver, controlplane.controller_manager)
    sockets = {link for server in servers for link in _open_files(server.pid) if link.startswith("socket:")}
    ours = [address for address, inode in _listening() if f"socket:[{inode}]" in sockets]
    port = int(controlplane.url.rpartition(":")[2])
    assert ours == [f"0100007F:{port:04X}"]


def _open_files(pid: int | None) -> set[str]:
    return {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}


def _listening() -> Iterator[tuple[str, str]]:
    """Yield address and inode of each listening TCP socket of this machine, as /proc/net spells them."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                yield fields[1], fields[9]


def _quota_used(admin: Client, namespace: str) -> object:
    quota = admin.get(f"/api/v1/namespaces/{namespace}/resourcequotas/q").must()
    return quota.get("status", {}).get("used")
