"""Each type of object that Ringfence makes is made, changed and taken away on a real API server, by its own rights."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from ringfence import names
from ringfence.cli.glass import REASON
from ringfence.controlplane import ControlPlane
from ringfence.model.kinds import (
    CERTIFICATE,
    CHILD_TYPES,
    CONFIG_MAP,
    CONTROLLER_REVISION,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    EXTERNAL_SECRET,
    GUARDRAIL,
    LIMIT_RANGE,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SERVICE,
    SERVICE_ACCOUNT,
    ResourceType,
)
from tests.controlplane_fixtures import Kubectl
from tests.operating import OperatorProcess, operating
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

API: Final = "ringfence.dev/v1alpha1"
CORE: Final = "acme-dev"
STORE: Final = {"kind": "ClusterSecretStore", "name": "vault"}
LABELS: Final = {"app": "stray"}
_POD: Final = {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "stray", "image": "x"}]}}
STRAYS: Final[dict[ResourceType, dict[str, Any]]] = {
    CERTIFICATE: {},
    CONFIG_MAP: {},
    CONTROLLER_REVISION: {"data": {"of": "nobody"}, "revision": 1},
    DEPLOYMENT: {"spec": {"replicas": 0, "selector": {"matchLabels": LABELS}, "template": _POD}},
    DISRUPTION_BUDGET: {},
    LIMIT_RANGE: {"spec": {"limits": []}},
    NETWORK_POLICY: {"spec": {"podSelector": {}}},
    RESOURCE_QUOTA: {"spec": {}},
    ROLE_BINDING: {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": names.tenant_role("viewer")}
    },
    SERVICE: {"spec": {"selector": LABELS, "ports": [{"port": 80}]}},
    SERVICE_ACCOUNT: {},
}


@pytest.fixture(scope="module", autouse=True)
def operator(
    controlplane: ControlPlane, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """The operator, in a cluster that serves ExternalSecrets, and a tenant that may order them."""
    kubectl("apply", "-f-", stdin=[_definition(kind) for kind in (CERTIFICATE, EXTERNAL_SECRET)])
    kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
    with operating(controlplane, tmp_path_factory.mktemp("operator")) as process:
        spec = {"access": {"owners": [{"group": "oidc:owners"}]}, "secretStores": [{**STORE, "keyPrefix": "acme/"}]}
        kubectl("apply", "-f-", stdin=_object("Tenant", {"name": "acme"}, spec))
        kubectl("wait", "--for=condition=Ready", "--timeout=60s", "tenant/acme")
        yield process


def test_what_a_namespace_asks_for_comes_changes_and_goes(kubectl: Kubectl) -> None:
    """An order for a secret, and a gateway key."""
    order = {"name": "db", "externalSecret": {"store": STORE, "key": "acme/db"}}
    key = {"name": "ci", "mode": "Test", "owner": "ci@acme.example", "maxAge": "30d"}
    _ask(kubectl, {"secrets": [order], "gatewayKeys": [key]})
    assert eventually(lambda: _order(kubectl), 90) == "acme/db"
    assert f"serviceaccount/{names.gateway_key('ci')}" in _all(kubectl, SERVICE_ACCOUNT)
    _ask(kubectl, {"secrets": [{**order, "externalSecret": {"store": STORE, "key": "acme/db2"}}], "gatewayKeys": [key]})
    eventually(lambda: _order(kubectl) == "acme/db2", 90)
    _ask(kubectl, {})
    eventually(lambda: _order(kubectl) is None, 90)
    eventually(lambda: f"serviceaccount/{names.gateway_key('ci')}" not in _all(kubectl, SERVICE_ACCOUNT), 90)


def test_what_an_older_release_left_behind_is_taken_away(kubectl: Kubectl) -> None:
    """Objects with our label that nobody plans any more, of every type; a stranger's of the same name stay."""
    _ask(kubectl, {})
    assert set(STRAYS) | {EXTERNAL_SECRET, GUARDRAIL} == set(CHILD_TYPES)
    ours = {names.MANAGED_BY_LABEL: names.MANAGED_BY}
    kubectl("apply", "-f-", stdin=[_stray(kind, "theirs", {}) for kind in STRAYS])
    kubectl("apply", "-f-", stdin=[_stray(kind, "left-behind", ours) for kind in STRAYS])
    for kind in STRAYS:
        eventually(lambda kind=kind: not any(each.endswith("/left-behind") for each in _all(kubectl, kind)), 30)  # type: ignore[misc]
        assert any(each.endswith("/theirs") for each in _all(kubectl, kind)), kind


@pytest.mark.parametrize(
    ("kind", "name", "edit"),
    [
        (CONFIG_MAP, names.GATEWAY_CONFIG_MAP, {"data": {"served": "maybe"}}),
        (LIMIT_RANGE, names.LIMITS, {"spec": {"limits": [{"type": "Container", "default": {"cpu": "4"}}]}}),
        (NETWORK_POLICY, names.DENY_ALL, {"spec": {"policyTypes": ["Ingress"]}}),
        (RESOURCE_QUOTA, names.QUOTA, {"spec": {"hard": {"secrets": "7"}}}),
        (SERVICE_ACCOUNT, names.DEFAULT_SERVICE_ACCOUNT, {"automountServiceAccountToken": True}),
    ],
    ids=lambda value: value.plural if isinstance(value, ResourceType) else "",
)
def test_what_somebody_edits_is_put_back(kubectl: Kubectl, kind: ResourceType, name: str, edit: dict[str, Any]) -> None:
    """A change in place, not only a deletion."""
    _ask(kubectl, {})
    kubectl("wait", "--for=condition=Ready", "--timeout=60s", "-n", "acme", "tns/dev")
    place = (f"{kind.plural}.{kind.group}".strip("."), name, "-n", CORE)
    wanted = eventually(lambda: _content(kubectl, place, edit), 90)
    patch = json.dumps({**edit, "metadata": {"annotations": REASON}})
    kubectl("patch", *place, "--type=merge", "-p", patch)
    eventually(lambda: _content(kubectl, place, edit) == wanted, 90)


def _content(kubectl: Kubectl, place: tuple[str, ...], edit: dict[str, Any]) -> dict[str, Any] | None:
    """The fields of an object that an edit changes."""
    done = kubectl("get", *place, "-o", "json", check=False)
    return {field: json.loads(done.stdout)[field] for field in edit} if done.returncode == 0 else None


def _ask(kubectl: Kubectl, spec: dict[str, Any]) -> None:
    metadata = {"name": "dev", "namespace": "acme"}
    kubectl("apply", "-f-", stdin=_object("Namespace", metadata, {"environment": "dev", **spec}))
    kubectl("wait", "--for=jsonpath={.status.coreNamespace}=acme-dev", "--timeout=60s", "-n", "acme", "tns/dev")


def _order(kubectl: Kubectl) -> str | None:
    path = "jsonpath={.spec.dataFrom[0].extract.key}"
    done = kubectl("get", "externalsecrets.external-secrets.io", "db", "-n", CORE, "-o", path, check=False)
    return done.stdout or None


def _all(kubectl: Kubectl, kind: ResourceType) -> list[str]:
    return kubectl("get", f"{kind.plural}.{kind.group}".strip("."), "-n", CORE, "-o", "name").stdout.split()


def _stray(kind: ResourceType, name: str, labels: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": CORE, "labels": labels, "annotations": REASON}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **STRAYS[kind]}


def _object(kind: str, metadata: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}


def _definition(kind: ResourceType) -> dict[str, Any]:
    """Of somebody else's type, as far as Ringfence writes it."""
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    singular = {"plural": kind.plural, "singular": kind.kind.lower(), "kind": kind.kind}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{kind.group}"},
        "spec": {"group": kind.group, "scope": "Namespaced", "names": singular, "versions": [version]},
    }
