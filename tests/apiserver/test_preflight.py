"""What `ringfence run` says of rights that it lacks and of tokens that are not accepted, and how it goes on."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringfence import names
from ringfence.controlplane import Client, ControlPlane
from tests.operating import OperatorProcess, operating, operator_kubeconfig
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

ACCOUNT = f"/api/v1/namespaces/{names.OPERATOR_NAMESPACE}/serviceaccounts/{names.OPERATOR_SERVICE_ACCOUNT}"
ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
OWN_ROLE = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{names.OPERATOR_NAMESPACE}/roles"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{names.OPERATOR_NAMESPACE}/leases/{names.LEASE}"
UNREACHABLE = 3


@pytest.fixture(autouse=True)
def free_lease(controlplane: ControlPlane) -> None:
    """No test waits for a lease that another one left."""
    controlplane.admin.delete(LEASE)


@pytest.fixture
def token_file(controlplane: ControlPlane, tmp_path: Path) -> Iterator[Callable[[], Path]]:
    """Write a new token into the file that a kubeconfig names, as the kubelet does, and return the kubeconfig."""

    def write() -> Path:
        issued = operator_kubeconfig(controlplane)
        document = yaml.safe_load(issued.read_text())
        user = document["users"][0]["user"]
        (tmp_path / "token").write_text(user.pop("token"))
        user["tokenFile"] = "token"
        path = tmp_path / "rotated.kubeconfig"
        path.write_text(yaml.safe_dump(document))
        return path

    yield write
    shutil.rmtree(tmp_path)


def test_a_missing_right_is_named_and_nothing_else(controlplane: ControlPlane, tmp_path: Path) -> None:
    """The operator starts all the same, for what it may do is worth doing."""
    admin = controlplane.admin
    _grant(admin, "narrow", [_without(rule, "networkpolicies", "delete") for rule in _shipped(admin)])
    with operating(controlplane, tmp_path, kubeconfig=controlplane.kubeconfig("narrow")) as process:
        line = process.said("rights are missing")
        assert line is not None
        assert line["missing"] == ["delete networkpolicies.networking.k8s.io"]
        assert "manifests/install" in line["event"]
        assert process.stop() == 0


def test_without_any_rights_it_waits_for_them_and_says_that_it_is_not_ready(
    controlplane: ControlPlane, tmp_path: Path
) -> None:
    """Whoever grants them needs to restart nothing."""
    process = OperatorProcess(controlplane, tmp_path, controlplane.kubeconfig("nobody")).start()
    try:
        refused = eventually(lambda: process.said("watch interrupted"), 90)
        assert 'User "nobody" cannot list resource' in refused["error"]
        status, why = process.probe("/readyz")
        assert status == 503
        assert "not synced: namespaces" in why
        assert process.probe("/healthz")[0] == 200
        _grant(controlplane.admin, "nobody", _shipped(controlplane.admin))
        eventually(process.leads, 60)
        assert process.stop() == 0
    finally:
        process.kill()


def test_a_token_that_is_not_accepted_ends_it_with_the_next_step(
    controlplane: ControlPlane, token_file: Callable[[], Path], tmp_path: Path
) -> None:
    """Whoever runs it starts it anew; the token itself is in no log."""
    kubeconfig = token_file()
    (tmp_path / "token").write_text("nobody-knows-this")
    process = OperatorProcess(controlplane, tmp_path, kubeconfig).start()
    assert process.exit_code() == UNREACHABLE
    said = process.log.read_text()
    assert f"the API server does not accept the credentials of {kubeconfig}" in said
    assert "ask for a new token of ServiceAccount ringfence-system/ringfence-operator" in said
    assert "nobody-knows-this" not in said
    token_file()
    with operating(controlplane, tmp_path, kubeconfig=kubeconfig) as again:
        assert again.stop() == 0


def test_a_token_that_ends_while_it_runs_is_read_anew(
    controlplane: ControlPlane, token_file: Callable[[], Path], tmp_path: Path, audit_events: Callable[[], list[Any]]
) -> None:
    """The kubelet replaces it in time; here the account is made anew, which ends every token of the old one."""
    with operating(controlplane, tmp_path, kubeconfig=token_file()) as process:
        admin = controlplane.admin
        account = admin.get(ACCOUNT).must()
        admin.delete(ACCOUNT).must()
        metadata = {key: account["metadata"][key] for key in ("name", "namespace", "labels")}
        uid = admin.request("POST", ACCOUNT.rpartition("/")[0], {"metadata": metadata}).must()["metadata"]["uid"]
        token_file()
        renewals = ("update", names.LEASE, uid, 200)
        eventually(lambda: renewals in map(_renewal, audit_events()), 90)
        assert ("update", names.LEASE, account["metadata"]["uid"], 401) not in map(_renewal, audit_events())
        assert process.leads()
        assert process.stop() == 0


def _renewal(event: dict[str, Any]) -> tuple[str, str, str, int]:
    target = event.get("objectRef", {})
    return event["verb"], target.get("name", ""), event["user"].get("uid", ""), event["responseStatus"]["code"]


def _shipped(admin: Client) -> list[dict[str, Any]]:
    """The rules of both of the operator's roles."""
    roles = [admin.get(f"{path}/ringfence-operator").must() for path in (ROLES, OWN_ROLE)]
    return [rule for role in roles for rule in role["rules"]]


def _grant(admin: Client, user: str, rules: list[dict[str, Any]]) -> None:
    role = {"metadata": {"name": user}, "rules": rules}
    admin.request("POST", ROLES, role).must()
    subject = {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"kind": "ClusterRole", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
    admin.request("POST", BINDINGS, {"metadata": {"name": user}, "roleRef": reference, "subjects": [subject]}).must()


def _without(rule: dict[str, Any], resource: str, verb: str) -> dict[str, Any]:
    if resource not in rule["resources"]:
        return rule
    return {**rule, "verbs": [each for each in rule["verbs"] if each != verb]}
