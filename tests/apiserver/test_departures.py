"""How tenants end, with the namespace controller of a real control plane: what is kept, what goes, in which order."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from ringfence import names
from ringfence.controlplane import ControlPlane
from tests.breaking import break_glass, delete_tenant
from tests.controlplane_fixtures import Kubectl
from tests.operating import OperatorProcess, operating
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

SECONDS = 60.0


@pytest.fixture(scope="module")
def operator(controlplane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    # Who keeps his name takes up his own Lease at once when he is started again.
    with operating(controlplane, tmp_path_factory.mktemp("operator"), "--identity", "departing") as process:
        yield process


def get(kubectl: Kubectl, *what: str) -> dict[str, Any] | None:
    done = kubectl("get", *what, "-o", "json", "--ignore-not-found")
    return dict(json.loads(done.stdout)) if done.stdout.strip() else None


def listed(kubectl: Kubectl, kind: str, namespace: str) -> list[str]:
    return [item["metadata"]["name"] for item in (get(kubectl, kind, "-n", namespace) or {"items": []})["items"]]


def reason(kubectl: Kubectl, *what: str) -> str:
    conditions = (get(kubectl, *what) or {}).get("status", {}).get("conditions", [])
    return next((str(each["reason"]) for each in conditions if each["type"] == "Ready"), "")


@pytest.fixture
def tenant(request: pytest.FixtureRequest, operator: OperatorProcess, kubectl: Kubectl) -> str:
    """A tenant with one Namespace `dev`, served; the parameter is its name and its deletion policy."""
    name, policy = request.param
    api = "ringfence.dev/v1alpha1"
    spec = {"access": {"owners": [{"group": "oidc:owners"}]}, "deletionPolicy": policy, "storageClasses": ["x"]}
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump(_object(api, "Tenant", {"name": name}, spec)))
    home = {"name": "dev", "namespace": name}
    dev = _object(api, "Namespace", home, {"environment": "dev", "labels": {"cost-center": "r42"}})
    eventually(lambda: kubectl("apply", "-f", "-", stdin=yaml.safe_dump(dev), check=False).returncode == 0, SECONDS)
    kubectl("wait", "--for=condition=Ready", "--timeout=60s", "-n", name, "tns", "dev")
    return str(name)


def _object(api: str, kind: str, metadata: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("tenant", [("keeper", "Retain")], indirect=True)
def test_a_label_that_its_user_takes_back_is_gone(tenant: str, kubectl: Kubectl) -> None:
    """Server-side apply takes it off, because nobody else has it."""
    assert _labels(kubectl, f"{tenant}-dev")["cost-center"] == "r42"
    kubectl("patch", "tns", "dev", "-n", tenant, "--type=merge", "-p", '{"spec":{"labels":null}}')
    eventually(lambda: "cost-center" not in _labels(kubectl, f"{tenant}-dev"), SECONDS)


@pytest.mark.parametrize("tenant", [("retained", "Retain")], indirect=True)
def test_a_retained_tenant_leaves_closed_namespaces_that_an_administrator_can_delete(
    tenant: str, kubectl: Kubectl
) -> None:
    """Fence there, access gone, nobody's; and no finalizer keeps the orphan from going."""
    assert listed(kubectl, "rolebindings", f"{tenant}-dev") == ["ringfence-owner", "ringfence-shell"]
    delete_tenant(kubectl, tenant, "--timeout=60s")
    for namespace in (tenant, f"{tenant}-dev"):
        labels = _labels(kubectl, namespace)
        assert labels[names.ORPHANED_LABEL] == "true"
        assert names.OWNER_UID_LABEL not in labels
        assert listed(kubectl, "rolebindings", namespace) == []
        assert names.DENY_ALL in listed(kubectl, "networkpolicies", namespace)
    break_glass(kubectl, "namespace", f"{tenant}-dev")
    kubectl("delete", "namespace", f"{tenant}-dev", "--timeout=60s")
    assert get(kubectl, "namespace", f"{tenant}-dev") is None


@pytest.mark.parametrize("tenant", [("removed", "Delete")], indirect=True)
def test_a_removed_tenant_takes_everything_along(tenant: str, kubectl: Kubectl) -> None:
    """Core namespaces, then the home with its objects and Guardrails, then the Tenant."""
    delete_tenant(kubectl, tenant, "--timeout=90s")
    assert get(kubectl, "namespace", f"{tenant}-dev") is None
    assert get(kubectl, "namespace", tenant) is None


@pytest.mark.parametrize("tenant", [("volumes", "Delete")], indirect=True)
def test_volume_claims_keep_a_namespace_until_somebody_confirms(tenant: str, kubectl: Kubectl) -> None:
    """Blocked with the way out in the message; confirmed, it goes."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "x"}
    claim = _object("v1", "PersistentVolumeClaim", {"name": "data", "namespace": f"{tenant}-dev"}, spec)
    eventually(lambda: kubectl("apply", "-f", "-", stdin=yaml.safe_dump(claim), check=False).returncode == 0, SECONDS)
    kubectl("delete", "tns", "dev", "-n", tenant, "--wait=false")
    eventually(lambda: reason(kubectl, "tns", "dev", "-n", tenant) == "DeletionBlocked", SECONDS)
    assert listed(kubectl, "rolebindings", f"{tenant}-dev") == ["ringfence-owner", "ringfence-shell"]
    kubectl("annotate", "tns", "dev", "-n", tenant, f"{names.CONFIRM_DELETE_ANNOTATION}=dev")
    # Without the controller that protects claims in use, which needs nodes, its finalizer is taken off by hand.
    eventually(lambda: (get(kubectl, "namespace", f"{tenant}-dev") or {}).get("status", {}).get("phase") != "Active")
    kubectl(
        "patch",
        "pvc",
        "data",
        "-n",
        f"{tenant}-dev",
        "--type=merge",
        "-p",
        '{"metadata":{"finalizers":null}}',
        check=False,
    )
    eventually(lambda: get(kubectl, "namespace", f"{tenant}-dev") is None, SECONDS)
    eventually(lambda: get(kubectl, "tns", "dev", "-n", tenant) is None, SECONDS)


@pytest.mark.parametrize("tenant", [("dropped", "Delete")], indirect=True)
def test_a_home_namespace_that_is_deleted_by_force_ends_with_the_operator_down_and_up(
    tenant: str, kubectl: Kubectl, operator: OperatorProcess
) -> None:
    """Down, all goes but what the finalizers hold, and no policy keeps it from going; up, the rest is cleaned up."""
    kubectl("apply", "-f-", stdin=_contents(tenant))
    refused = kubectl("delete", "namespace", tenant, check=False)
    assert "namespace-deletion" in refused.stderr
    operator.kill()
    try:
        break_glass(kubectl, "namespace", tenant)
        kubectl("delete", "namespace", tenant, "--wait=false")
        for kind in ("modelroutes", "retentionpolicies", "secrets", "networkpolicies", "rolebindings"):
            eventually(lambda kind=kind: listed(kubectl, kind, tenant) == [], SECONDS)  # type: ignore[misc]
        eventually(lambda: listed(kubectl, "configmaps", tenant) == ["held"], SECONDS)
        kubectl("patch", "configmap", "held", "-n", tenant, "--type=merge", '-p={"metadata":{"finalizers":null}}')
        eventually(lambda: listed(kubectl, "configmaps", tenant) == [], SECONDS)
        assert listed(kubectl, "tenantnamespaces", tenant) == ["dev"]
        assert listed(kubectl, "guardrails", tenant) == [names.GUARDRAIL]
        assert names.DENY_ALL in listed(kubectl, "networkpolicies", f"{tenant}-dev")
    finally:
        operator.start()
    eventually(lambda: get(kubectl, "namespace", f"{tenant}-dev") is None, SECONDS)
    kubectl("wait", "--for=condition=Ready", "--timeout=60s", f"tenant/{tenant}")
    assert listed(kubectl, "tenantnamespaces", tenant) == []


def _contents(home: str) -> list[dict[str, Any]]:
    """One of each thing that people put into a home namespace; a hold on one, somebody's finalizer on another."""
    api = "ringfence.dev/v1alpha1"
    route = {"model": "chat", "backends": [{"provider": "none", "model": "none"}]}
    held, named = {"name": "case", "reason": "litigation"}, {"name": "held", "namespace": home}
    return [
        _object(api, "ModelRoute", {"name": "chat", "namespace": home}, route),
        _object(api, "RetentionPolicy", {"name": "default", "namespace": home}, {"legalHolds": [held]}),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**named, "finalizers": ["acme.example/keep"]}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "model-x", "namespace": home}},
    ]


def _labels(kubectl: Kubectl, namespace: str) -> dict[str, str]:
    found = get(kubectl, "namespace", namespace)
    assert found is not None
    return dict(found["metadata"]["labels"])
