"""Gateway keys from the command line to the tenant's own Envoy: issued, used where they may be, revoked for good."""

import http.client
import json
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner, Result

from ringfence import names
from ringfence.cli.key import app
from ringfence.cli.key.declared import find
from ringfence.cli.tenant import asking
from ringfence.controlplane import MERGE_PATCH, ControlPlane
from ringfence.controlplane.node import Machine, NodeProcess
from ringfence.controlplane.node.envoy import find_envoy
from ringfence.gateway.routes import MODELS
from ringfence.model.kinds import CONFIG_MAP, ENDPOINT_SLICE, EVENT, NAMESPACE, SECRET, SERVICE_ACCOUNT
from tests.attack.conftest import group, tenant_object
from tests.controlplane_fixtures import Kubectl
from tests.operating import OperatorProcess, operating
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

TENANT: Final = "acme"
OK: Final = 200
REFUSED: Final = 403
LOCAL: Final = {
    "name": "local",
    "schema": "OpenAI",
    "service": {"namespace": "dev", "name": "llama", "port": 8000},
    "models": ["llama"],
}
ENVIRONMENTS: Final = [{"name": "dev"}, {"name": "prod", "protected": True}]
DECLARED: Final[dict[str, list[dict[str, Any]]]] = {
    "dev": [
        {"name": "ci", "allowCIDRs": ["127.0.0.0/8"], "maxAge": "30d", "owner": "ci@acme.example"},
        {"name": "far", "allowCIDRs": ["198.51.100.0/24"]},
        {"name": "app", "mode": "Live"},
    ],
    "prod": [{"name": "trial"}, {"name": "batch", "mode": "Live"}],
}


@dataclass(frozen=True)
class Desk:
    """Where somebody with a role in the tenant types `ringfence key`."""

    plane: ControlPlane

    def __call__(self, *arguments: str, role: str = "admin") -> Result:
        """Run one command in the tenant."""
        kubeconfig = self.plane.kubeconfig(f"{role}-of-{TENANT}", [group(TENANT, role)])
        return CliRunner().invoke(app, [*arguments, "--tenant", TENANT, "--kubeconfig", str(kubeconfig)])

    def issued(self, key: str, namespace: str = "dev", *more: str) -> str:
        """A new key."""
        done = self("issue", key, "-n", namespace, *more)
        assert done.exit_code == 0, done.stderr
        return done.stdout.strip()

    def listed(self) -> dict[str, dict[str, Any]]:
        """What `list` says, by Namespace and key."""
        values = json.loads(self("list", "-o", "json").stdout)
        return {f"{value['namespace']}/{value['name']}": value for value in values}

    def account(self, key: str, namespace: str = "dev") -> dict[str, Any] | None:
        """The ServiceAccount of a key."""
        core = names.core_namespace(TENANT, namespace)
        found = self.plane.admin.get(SERVICE_ACCOUNT.path(core, names.gateway_key(key)))
        return dict(found.body) if found.ok else None

    def declare(self, keys: list[dict[str, Any]], namespace: str = "dev") -> None:
        """Write these keys into the Namespace object, as its administrator."""
        patch = {"spec": {"gatewayKeys": keys}}
        path = NAMESPACE.path(TENANT, namespace)
        self.plane.admin.request("PATCH", path, patch, content_type=MERGE_PATCH).must()


@pytest.fixture(scope="module")
def operator(controlplane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """The operator, with the shipped roles only, and a node that runs gateways."""
    programs = {"envoy": [str(find_envoy())], "operator": [sys.executable, "-m", "ringfence"]}
    ranges = ("--pod-ranges", "10.244.0.0/16", "--node-ranges", "192.0.2.0/24")
    folder = tmp_path_factory.mktemp("keys")
    with NodeProcess(controlplane.folder, Machine(programs=programs)), operating(controlplane, folder, *ranges) as it:
        yield it


@pytest.fixture(scope="module")
def desk(operator: OperatorProcess, controlplane: ControlPlane, kubectl: Kubectl) -> Desk:
    """A tenant whose Namespaces declare keys, all of them looked at."""
    assert operator.running
    apply = ("apply", "--server-side", "-f-")
    served = {"providers": [LOCAL], "gateway": {"replicas": 1}}
    kubectl(*apply, stdin=tenant_object(TENANT, environments=ENVIRONMENTS, **served))
    kubectl("wait", "--for=condition=Ready", "--timeout=60s", f"tenant/{TENANT}")
    for name, keys in DECLARED.items():
        metadata = {"name": name, "namespace": TENANT}
        spec = {"environment": name, "quota": {"hard": {"pods": "1"}}, "gatewayKeys": keys}
        body = {"apiVersion": NAMESPACE.api_version, "kind": NAMESPACE.kind, "metadata": metadata, "spec": spec}
        kubectl(*apply, stdin=body)
    found = Desk(controlplane)
    eventually(lambda: found.account("app") and found.account("batch", "prod"), 60)
    eventually(lambda: found("issue", "batch", "-n", "prod").exit_code == 0, 60)
    return found


def test_a_key_is_printed_once_with_the_time_that_was_granted(desk: Desk) -> None:
    """Standard output has the key alone, so that it can be piped; what it is good for is said beside it."""
    done = desk("issue", "ci", "-n", "dev", "--for", "1h")
    assert done.exit_code == 0
    assert done.stdout.startswith("rf_test_ey")
    assert done.stdout.count("\n") == 1
    assert "key ci of acme/dev, mode Test, good from 127.0.0.0/8 until 20" in done.stderr
    assert done.stdout.strip() not in done.stderr


def test_a_live_key_tells_that_it_is_one(desk: Desk) -> None:
    """By its prefix; for programs everything that is said stands beside it."""
    value = json.loads(desk("issue", "app", "-n", "dev", "-o", "json").stdout)
    assert value.pop("key").startswith("rf_live_ey")
    assert value.pop("expires")
    assert value == {"tenant": "acme", "namespace": "dev", "name": "app", "mode": "Live", "allowCIDRs": []}


def test_nothing_of_a_key_is_stored(desk: Desk) -> None:
    """In no object that could hold it: the API server signs it and forgets it."""
    token = desk.issued("ci").removeprefix("rf_test_")
    everywhere = (SERVICE_ACCOUNT, NAMESPACE, CONFIG_MAP, SECRET, EVENT)
    stored = [json.dumps(desk.plane.admin.get(kind.collection_path()).must()) for kind in everywhere]
    assert any("gateway-tls-" in each for each in stored)
    assert not any(token in each for each in stored)


@pytest.mark.parametrize(
    ("arguments", "role", "code", "says"),
    [
        (("issue", "ci", "-n", "dev", "--for", "31d"), "admin", 2, "good for 30d at most, its maxAge"),
        (("issue", "ci", "-n", "dev", "--for", "soon"), "admin", 2, "--for: not a duration"),
        (("issue", "cd", "-n", "dev"), "admin", 1, "declares no key cd in spec.gatewayKeys; declared: ci, far, app"),
        (("issue", "ci", "-n", "lab"), "admin", 1, "tenant acme has no Namespace lab"),
        (("issue", "trial", "-n", "prod"), "admin", 1, "is protected and serves no key of mode Test: trial"),
        (("issue", "ci", "-n", "dev"), "developer", 1, 'cannot create resource "serviceaccounts/token"'),
        (("revoke", "ci", "-n", "dev"), "developer", 1, 'cannot patch resource "tenantnamespaces"'),
    ],
    ids=["too long", "no duration", "not declared", "no namespace", "for testing in production", "issue", "revoke"],
)
def test_a_refusal_says_why(desk: Desk, arguments: tuple[str, ...], role: str, code: int, says: str) -> None:
    """And prints no key."""
    done = desk(*arguments, role=role)
    assert (done.exit_code, done.stdout) == (code, "")
    assert says in done.stderr


def test_whoever_reads_the_tenant_may_list_its_keys(desk: Desk) -> None:
    """With mode, age, networks and owner, and since when tokens of it are good; one that is refused says why."""
    done = desk("list", role="viewer")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0].split() == [
        *("NAMESPACE", "KEY", "MODE", "MAX-AGE", "FROM", "OWNER", "SERVED-SINCE")
    ]
    listed = desk.listed()
    assert listed["dev/ci"]["owner"] == "ci@acme.example"
    account = desk.account("ci")
    assert account is not None
    assert listed["dev/ci"]["servedSince"] == account["metadata"]["creationTimestamp"]
    assert listed["prod/trial"]["servedSince"] is None
    assert "serves no key of mode Test" in listed["prod/trial"]["message"]
    assert "trial" in done.stdout


def test_no_cluster_is_told_as_such(tmp_path: Path) -> None:
    """Exit code 3."""
    missing = tmp_path / "none"
    done = CliRunner().invoke(app, ["list", "--tenant", TENANT, "--kubeconfig", str(missing)])
    assert done.exit_code == 3
    assert "no cluster" in done.stderr


def test_the_tenant_is_taken_from_the_context(desk: Desk, kubectl: Kubectl, tmp_path: Path) -> None:
    """Any namespace of the tenant's says whose it is; without one, somebody must."""
    copy = tmp_path / "kubeconfig"
    copy.write_text(desk.plane.kubeconfig("admin-of-acme", [group(TENANT, "admin")]).read_text())
    arguments = ["list", "--kubeconfig", str(copy)]
    untold = CliRunner().invoke(app, arguments)
    assert untold.exit_code == 2
    assert "--tenant" in untold.stderr
    kubectl("config", "set-context", "--current", "--namespace=acme-dev", kubeconfig=copy)
    assert CliRunner().invoke(app, arguments).exit_code == 0


def test_a_revoked_key_has_no_account_and_one_that_is_declared_again_has_another(desk: Desk) -> None:
    """The other keys keep theirs; `revoke` returns once the account is gone."""
    desk.declare([*DECLARED["dev"], {"name": "temporary"}])
    before = eventually(lambda: desk.account("temporary"))
    others = {name: desk.account(name) for name in ("ci", "far", "app")}
    done = desk("revoke", "temporary", "-n", "dev")
    assert done.exit_code == 0, done.stderr
    assert "is revoked" in done.stderr
    assert desk.account("temporary") is None
    assert {name: desk.account(name) for name in others} == others
    desk.declare([*DECLARED["dev"], {"name": "temporary"}])
    after = eventually(lambda: desk.account("temporary"))
    assert before is not None
    assert after is not None
    assert after["metadata"]["uid"] != before["metadata"]["uid"]


def test_a_list_that_changed_meanwhile_is_left_as_it_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry is taken out where it stood when it was read, or nothing is."""
    with asking(TENANT, desk.plane.admin_kubeconfig, None) as (calls, _):
        read_before = find(calls, TENANT, "dev", "ci")
    monkeypatch.setattr(sys.modules["ringfence.cli.key.revoke"], "find", lambda *_: read_before)
    turned = DECLARED["dev"][::-1]
    desk.declare(turned)
    done = desk("revoke", "ci", "-n", "dev")
    assert (done.exit_code, "key ci of acme/dev: " in done.stderr) == (1, True)
    stored = desk.plane.admin.get(NAMESPACE.path(TENANT, "dev")).must()["spec"]["gatewayKeys"]
    assert [key["name"] for key in stored] == [key["name"] for key in turned]


# --- at the gateway


@dataclass(frozen=True)
class Entrance:
    """The tenant's gateway as the operator made it, which a node runs."""

    desk: Desk

    def status(self, bearer: str) -> int:
        """What whoever holds a key is answered when he asks for his models; 0 while nobody answers."""
        try:
            with closing(self._connected()) as connection:
                request = http.client.HTTPConnection(names.GATEWAY)
                request.sock = connection
                request.request("GET", MODELS, headers={"Authorization": f"Bearer {bearer}"})
                return request.getresponse().status
        except (OSError, LookupError):
            return 0

    def _connected(self) -> ssl.SSLSocket:
        data = self._get(CONFIG_MAP.path("acme-dev", names.GATEWAY_CONFIG_MAP))["data"]
        tls = ssl.create_default_context(cadata=data["ca.crt"])
        plain = socket.create_connection(self._address(), 10)
        return tls.wrap_socket(plain, server_hostname=urlsplit(data["url"]).hostname)

    def _address(self) -> tuple[str, int]:
        label = f"labelSelector=kubernetes.io/service-name%3D{names.GATEWAY}"
        (found,) = self._get(f"{ENDPOINT_SLICE.collection_path(TENANT)}?{label}")["items"]
        return found["endpoints"][0]["addresses"][0], {each["name"]: each["port"] for each in found["ports"]}["https"]

    def _get(self, path: str) -> Any:
        return self.desk.plane.admin.get(path).must()


@pytest.fixture(scope="module")
def entrance(desk: Desk) -> Entrance:
    """It serves the declared keys."""
    found = Entrance(desk)
    eventually(lambda: found.status(desk.issued("app")) == OK, 120)
    return found


def test_an_issued_key_opens_the_gateway(entrance: Entrance) -> None:
    """Test or live, from an allowed network."""
    assert entrance.status(entrance.desk.issued("ci")) == OK
    assert entrance.status(entrance.desk.issued("app")) == OK


def test_a_key_is_good_from_its_networks_only(entrance: Entrance) -> None:
    """One without networks is good from anywhere."""
    assert entrance.status(entrance.desk.issued("app")) == OK
    assert entrance.status(entrance.desk.issued("far")) == REFUSED


def test_a_key_without_its_own_prefix_opens_nothing(entrance: Entrance) -> None:
    """Neither with the prefix of the other mode nor with none: what it is, it must say."""
    key = entrance.desk.issued("ci")
    token = key.removeprefix(names.gateway_key_prefix(live=False))
    assert entrance.status(key) == OK
    assert entrance.status(names.gateway_key_prefix(live=True) + token) == REFUSED
    assert entrance.status(token) == REFUSED


def test_a_revoked_key_is_refused_soon_and_never_comes_back(entrance: Entrance, record_testsuite_property: Any) -> None:
    """Also where a key of the same name is declared again: that one has other tokens."""
    desk = entrance.desk
    desk.declare([*DECLARED["dev"], {"name": "leaked"}])
    eventually(lambda: desk("issue", "leaked", "-n", "dev").exit_code == 0)
    leaked = desk.issued("leaked")
    eventually(lambda: entrance.status(leaked) == OK, 60)
    began = time.monotonic()
    assert desk("revoke", "leaked", "-n", "dev").exit_code == 0
    eventually(lambda: entrance.status(leaked) == REFUSED, 60)
    record_testsuite_property("gateway_key_revoked_in_seconds", round(time.monotonic() - began, 3))
    assert entrance.status(desk.issued("app")) == OK
    desk.declare([*DECLARED["dev"], {"name": "leaked"}])
    eventually(lambda: desk("issue", "leaked", "-n", "dev").exit_code == 0)
    eventually(lambda: entrance.status(desk.issued("leaked")) == OK, 60)
    assert entrance.status(leaked) == REFUSED
