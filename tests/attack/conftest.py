"""A tenant that attacks, one that is attacked, and the operator at work between them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from ringfence import names
from ringfence.controlplane import Client, ControlPlane
from ringfence.model.kinds import CORE_NAMESPACE
from tests.controlplane_fixtures import Kubectl
from tests.operating import OperatorProcess, operating
from tests.waiting import eventually

API = "ringfence.dev/v1alpha1"


@dataclass(frozen=True)
class Person:
    """Somebody with a client certificate of his own; `call` runs the real kubectl as him."""

    kubectl: Kubectl
    user: str
    groups: tuple[str, ...] = ()

    def call(self, *arguments: str, stdin: dict[str, Any] | None = None) -> bool:
        """Whether the API server did what was asked."""
        done = self.kubectl(*arguments, user=self.user, groups=self.groups, stdin=stdin, check=False)
        return done.returncode == 0

    def can(self, verb: str, resource: str, namespace: str) -> bool:
        """Whether he has that right."""
        return self.call("auth", "can-i", verb, resource, "-n", namespace, "--quiet")


@dataclass(frozen=True)
class Grounds:
    """The cluster as its administrator sees it."""

    kubectl: Kubectl

    def begin(self, tenant: str, **spec: Any) -> None:
        """Make a tenant with one Namespace, dev, and wait until both are served."""
        self.put(tenant_object(tenant, **spec))
        self.kubectl("wait", "--for=condition=Ready", "--timeout=60s", f"tenant/{tenant}")
        self.put(namespace_object("dev", tenant))
        self.kubectl("wait", "--for=condition=Ready", "--timeout=60s", "-n", tenant, "tns/dev")

    def put(self, *manifests: dict[str, Any]) -> None:
        """Apply as the platform team."""
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f-", stdin=manifests)

    def member(self, tenant: str, role: str) -> Person:
        """A member of one of the tenant's groups."""
        return Person(self.kubectl, f"{role}-of-{tenant}", (group(tenant, role),))

    def stranger(self, name: str) -> Person:
        """Somebody whom no tenant knows."""
        return Person(self.kubectl, name)

    def know(self, tenant: str, person: Person) -> None:
        """Make somebody known to a tenant, without a right of his own: who is not loses what an admin gives him."""
        known = {"members": [{"user": person.user}]}
        self.kubectl("patch", "tenant", tenant, "--type=merge", "-p", json.dumps({"spec": {"access": known}}))
        where = ("guardrail", names.GUARDRAIL, "-n", f"{tenant}-dev")
        eventually(lambda: f"User:{person.user}" in (self.get(*where) or {})["spec"]["subjects"])

    def get(self, *arguments: str) -> dict[str, Any] | None:
        """An object; None where there is none."""
        done = self.kubectl("get", *arguments, "-o", "json", check=False)
        found: dict[str, Any] | None = json.loads(done.stdout) if done.returncode == 0 else None
        return found

    def bindings(self, namespace: str) -> set[str]:
        """Names of the RoleBindings in a namespace."""
        found = self.get("rolebindings", "-n", namespace) or {"items": []}
        return {item["metadata"]["name"] for item in found["items"]}

    def is_orphan(self, namespace: str) -> bool:
        """Whether the namespace stands and is nobody's."""
        found = self.get("namespace", namespace)
        return found is not None and found["metadata"]["labels"].get(names.ORPHANED_LABEL) == "true"

    def is_going(self, namespace: str) -> bool:
        """Whether the namespace is gone or on its way."""
        found = self.get("namespace", namespace)
        return found is None or "deletionTimestamp" in found["metadata"]


def group(tenant: str, role: str) -> str:
    """The group that holds a role."""
    return f"oidc:{tenant}-{role}s"


def tenant_object(name: str, **spec: Any) -> dict[str, Any]:
    """A Tenant with a group for every role."""
    access = {f"{role}s": [{"group": group(name, role)}] for role in names.ROLES}
    whole = {"access": access, "environments": [{"name": "dev"}], "budget": {"namespaces": 4, "hard": {"pods": "20"}}}
    return {"apiVersion": API, "kind": "Tenant", "metadata": {"name": name}, "spec": {**whole, **spec}}


def namespace_object(name: str, home: str, **spec: Any) -> dict[str, Any]:
    """A Namespace object."""
    whole = {"environment": "dev", "quota": {"hard": {"pods": "1"}}, **spec}
    return {"apiVersion": API, "kind": "Namespace", "metadata": {"name": name, "namespace": home}, "spec": whole}


def binding(name: str, namespace: str, role: str, user: str, finalizers: tuple[str, ...] = ()) -> dict[str, Any]:
    """A RoleBinding of a ClusterRole to one user."""
    rbac = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{rbac}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": namespace, "finalizers": list(finalizers)},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": rbac, "kind": "User", "name": user}],
    }


@pytest.fixture(scope="module")
def operator(controlplane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """The operator, with the shipped roles only."""
    # Who keeps his name takes up his own Lease at once when he is started again. Where policies are taken away, he is
    # to let tenants in all the same: what holds then is what the tests are about.
    options = ("--identity", "attacked", "--unsafe-without-policies")
    with operating(controlplane, tmp_path_factory.mktemp("attacked"), *options) as process:
        yield process


@pytest.fixture(scope="module")
def grounds(operator: OperatorProcess, kubectl: Kubectl) -> Grounds:
    """The cluster, with tenants red (who attacks) and blue (who is attacked)."""
    assert operator.running
    found = Grounds(kubectl)
    found.begin("red")
    found.begin("blue")
    return found


@pytest.fixture(scope="module")
def unguarded(grounds: Grounds, admin: Client) -> None:
    """Admission is switched off: whatever is tried meets roles and the operator alone."""
    guarded = f"{CORE_NAMESPACE.path(None, names.OPERATOR_NAMESPACE)}?dryRun=All"
    assert not admin.delete(guarded).ok
    grounds.kubectl("delete", "validatingadmissionpolicybindings", "-l", "app.kubernetes.io/name=ringfence")
    eventually(lambda: admin.delete(guarded).ok, 90)


@pytest.fixture
def victim(grounds: Grounds, tenant_name: Callable[[], str]) -> str:
    """The name of a tenant of one's own, served."""
    name = tenant_name()
    grounds.begin(name)
    return name
