"""Gateway keys from the command line to the real Envoy: issued, used from where they may be, and revoked for good."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner, Result

from ringfence import names
from ringfence.cli.key import app
from ringfence.cli.key.declared import asking, find
from ringfence.controlplane import MERGE_PATCH, ControlPlane
from ringfence.gateway.served import Callers, Gateway, Grant, Issuer, Key
from ringfence.model.kinds import NAMESPACE, SERVICE_ACCOUNT
from tests.apiserver.installing import install
from tests.attack.conftest import group, tenant_object
from tests.controlplane_fixtures import Kubectl
from tests.gateway.asking import Answer, Request
from tests.gateway.world import CHAT, World, running
from tests.operating import OperatorProcess, operating
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver

TENANT: Final = "acme"
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
def operator(
    controlplane: ControlPlane, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """The operator, with the shipped roles only."""
    install(kubectl, "--server-side")
    with operating(controlplane, tmp_path_factory.mktemp("keys")) as process:
        yield process


@pytest.fixture(scope="module")
def desk(operator: OperatorProcess, controlplane: ControlPlane, kubectl: Kubectl) -> Desk:
    """A tenant whose Namespaces declare keys, all of them looked at."""
    assert operator.running
    apply = ("apply", "--server-side", "-f-")
    kubectl(*apply, stdin=tenant_object(TENANT, environments=ENVIRONMENTS))
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
    """No Secret, no field of an object: the API server signs it and forgets it."""
    token = desk.issued("ci").removeprefix("rf_test_")
    core = names.core_namespace(TENANT, "dev")
    for path in (SERVICE_ACCOUNT.collection_path(core), NAMESPACE.collection_path(TENANT), "/api/v1/secrets"):
        assert token not in json.dumps(desk.plane.admin.get(path).must())
    assert desk.plane.admin.get("/api/v1/secrets").must()["items"] == []


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


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway on the real Envoy."""
    with running(tmp_path_factory.mktemp("gateway")) as found:
        yield found


@dataclass(frozen=True)
class Served:
    """The keys of Namespace dev at the gateway."""

    desk: Desk
    world: World
    kubectl: Kubectl

    def serve(self, *keys: str) -> None:
        """Serve these keys as their accounts are now."""
        self.world.serve(self.gateway(*keys))

    def gateway(self, *keys: str) -> Gateway:
        """A gateway with these keys, believing the API server."""
        callers = Callers("dev", (Grant(CHAT),), tuple(map(self._key, keys)))
        return replace(self.world.gateway, issuer=self._issuer(), callers={"acme-dev": callers})

    def ask(self, bearer: str) -> Answer:
        """Ask the model that is served, as whoever holds a key would."""
        return self.world.ask(Request(bearer=lambda _: bearer))

    def _key(self, name: str) -> Key:
        account = self.desk.account(name)
        assert account is not None
        declared = {each["name"]: each for each in DECLARED["dev"]}.get(name, {})
        cidrs = tuple(declared.get("allowCIDRs", ()))
        live = declared.get("mode") == "Live"
        return Key(name, names.gateway_key(name), account["metadata"]["uid"], live, cidrs)

    def _issuer(self) -> Issuer:
        """The API server, and beside it who signs for the probe: both say that they are the same."""
        tests = self.world.door.signers.issuer
        assert self._published("/.well-known/openid-configuration")["issuer"] == tests.issuer.url
        keys = self._published("/openid/v1/jwks")["keys"]
        return Issuer(tests.issuer.url, json.dumps({"keys": [*keys, tests.jwk]}))

    def _published(self, path: str) -> Any:
        return json.loads(self.kubectl("get", "--raw", path).stdout)


@pytest.fixture(scope="module")
def served(desk: Desk, world: World, kubectl: Kubectl) -> Served:
    """Every declared key is served."""
    found = Served(desk, world, kubectl)
    found.serve("ci", "far", "app")
    return found


def test_an_issued_key_opens_the_gateway(served: Served) -> None:
    """A real token of a real API server, test or live, from an allowed network."""
    assert served.ask(served.desk.issued("ci")).status == 200
    assert served.ask(served.desk.issued("app")).status == 200


def test_a_key_is_good_from_its_networks_only(served: Served) -> None:
    """One without networks is good from anywhere."""
    assert served.ask(served.desk.issued("app")).status == 200
    assert served.ask(served.desk.issued("far")).status == 403


def test_a_key_without_its_own_prefix_opens_nothing(served: Served) -> None:
    """Neither with the prefix of the other mode nor with none: what it is, it must say."""
    key = served.desk.issued("ci")
    token = key.removeprefix(names.gateway_key_prefix(live=False))
    assert served.ask(key).status == 200
    assert served.ask(names.gateway_key_prefix(live=True) + token).status == 403
    assert served.ask(token).status == 403


def test_a_revoked_key_is_refused_from_the_next_configuration_on_and_never_comes_back(
    served: Served, record_testsuite_property: Any
) -> None:
    """Neither does it where a key of the same name is declared again: that one has other tokens."""
    desk = served.desk
    desk.declare([*DECLARED["dev"], {"name": "leaked"}])
    eventually(lambda: desk.account("leaked"))
    eventually(lambda: desk("issue", "leaked", "-n", "dev").exit_code == 0)
    served.serve("ci", "far", "app", "leaked")
    leaked = desk.issued("leaked")
    assert served.ask(leaked).status == 200
    began = time.monotonic()
    assert desk("revoke", "leaked", "-n", "dev").exit_code == 0
    served.world.pod.publish(served.gateway("ci", "far", "app"))
    eventually(lambda: served.ask(leaked).status == 403)
    record_testsuite_property("gateway_key_revoked_in_seconds", round(time.monotonic() - began, 3))
    assert served.ask(desk.issued("app")).status == 200
    desk.declare([*DECLARED["dev"], {"name": "leaked"}])
    eventually(lambda: desk.account("leaked"))
    eventually(lambda: desk("issue", "leaked", "-n", "dev").exit_code == 0)
    served.serve("ci", "far", "app", "leaked")
    assert served.ask(desk.issued("leaked")).status == 200
    assert served.ask(leaked).status == 403
