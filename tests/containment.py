"""A tenant whose incident is declared and lifted, and how far it is cut off, as clients of the API server see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from ringfence import names
from ringfence.controlplane import MERGE_PATCH, Answer, Client, ControlPlane
from ringfence.model.kinds import CONFIG_MAP, NAMESPACE, NETWORK_POLICY, ROLE_BINDING, TENANT

INCIDENT: Final[Mapping[str, Any]] = {"isolation": "Quarantined", "incident": {"id": "INC-7", "reason": "key leak"}}
LIFTED: Final[Mapping[str, Any]] = {"isolation": "Enforced", "incident": None}
_READERS: Final = (names.tenant_role("viewer"), names.home_role("viewer"))
_API: Final = "ringfence.dev/v1alpha1"


@dataclass(frozen=True)
class Tenantry:
    """One tenant with its Namespaces and people."""

    plane: ControlPlane
    tenant: str
    namespaces: Sequence[str]

    @property
    def cores(self) -> list[str]:
        """Every core namespace, the home first."""
        return [self.tenant, *(names.core_namespace(self.tenant, name) for name in self.namespaces)]

    @cached_property
    def developer(self) -> Client:
        """A developer of the tenant."""
        return self.person("dev", f"oidc:{self.tenant}-developers")

    def person(self, user: str, *groups: str) -> Client:
        """Somebody with a certificate of his own."""
        return Client(self.plane.url, ca=self.plane.ca, certificate=self.plane.certificate(user, groups))

    def administrator(self, user: str) -> Client:
        """One of the platform team; two of them have two names."""
        return self.person(user, "system:masters")

    def begin(self, **spec: Any) -> None:
        """Apply the Tenant and its Namespaces, each with a peer, so that there is much to withdraw."""
        access = {f"{role}s": [{"group": f"oidc:{self.tenant}-{role}s"}] for role in names.ROLES}
        whole = {"access": access, "budget": {"namespaces": 20, "hard": {"pods": "200"}}, **spec}
        home = {"name": self.tenant, "labels": {names.TENANT_LABEL: self.tenant}}
        home["annotations"] = {names.ADOPT_ANNOTATION: self.tenant}
        admin = self.plane.admin
        admin.request("POST", "/api/v1/namespaces", {"metadata": home}).must()
        admin.request("POST", TENANT.collection_path(), _object("Tenant", {"name": self.tenant}, whole)).must()
        for name in self.namespaces:
            metadata = {"name": name, "namespace": self.tenant}
            body = _object("Namespace", metadata, {"environment": "dev", "quota": {"hard": {"pods": "5"}}})
            admin.request("POST", NAMESPACE.collection_path(self.tenant), body).must()

    def is_open(self) -> bool:
        """Whether the tenant is served: nothing of an incident is left, and a developer works everywhere."""
        return all(self._ready(path) for path in self._objects()) and all(map(self.developer_writes, self.cores[1:]))

    def declare(self, by: Client | None = None, spec: Mapping[str, Any] = INCIDENT) -> None:
        """Quarantine the tenant."""
        self.change(by or self.plane.admin, {"spec": dict(spec)}).must()

    def change(self, by: Client, patch: Mapping[str, Any], namespace: str = "") -> Answer:
        """Patch the Tenant, or one Namespace of it."""
        path = NAMESPACE.path(self.tenant, namespace) if namespace else TENANT.path(None, self.tenant)
        return by.request("PATCH", path, patch, content_type=MERGE_PATCH)

    def note(self, by: Client, annotations: Mapping[str, str | None], namespace: str = "") -> Answer:
        """Annotate the Tenant, or one Namespace of it."""
        return self.change(by, {"metadata": {"annotations": dict(annotations)}}, namespace)

    def confirm_release(self, by: Client, namespace: str = "") -> None:
        """Be the first of the two who lift a quarantine."""
        self.note(by, {names.CONFIRM_RELEASE_ANNOTATION: namespace or self.tenant}, namespace).must()

    def lift(self, by: Client, namespace: str = "") -> Answer:
        """Be the second."""
        return self.change(by, {"spec": dict(LIFTED)}, namespace)

    def annotations(self, namespace: str = "") -> Mapping[str, str]:
        """Those of the Tenant, or of one Namespace of it."""
        path = NAMESPACE.path(self.tenant, namespace) if namespace else TENANT.path(None, self.tenant)
        found: Mapping[str, str] = self.plane.admin.get(path).must()["metadata"].get("annotations", {})
        return found

    # --- how far it is cut off

    def is_contained(self) -> bool:
        """Whether nothing opens anything, nobody is bound to more than reading, and a developer is refused."""
        return not (self.openings() or self.writers() or any(map(self.developer_writes, self.cores[1:])))

    def openings(self, cores: Sequence[str] = ()) -> list[str]:
        """Policies that open something in the tenant's namespaces."""
        found = self._in(NETWORK_POLICY.collection_path(), cores)
        return [_name(each) for each in found if each["metadata"]["name"] != names.DENY_ALL]

    def writers(self, cores: Sequence[str] = ()) -> list[str]:
        """Bindings in the tenant's namespaces that give more than reading."""
        found = self._in(ROLE_BINDING.collection_path(), cores)
        return [_name(each) for each in found if each["roleRef"]["name"] not in _READERS]

    def _in(self, path: str, cores: Sequence[str]) -> list[dict[str, Any]]:
        wanted = cores or self.cores
        return [each for each in self.plane.admin.get(path).must()["items"] if each["metadata"]["namespace"] in wanted]

    def developer_writes(self, core: str) -> bool:
        """Whether a developer may make something in a namespace."""
        path = f"{CONFIG_MAP.collection_path(core)}?dryRun=All"
        return self.developer.request("POST", path, {"metadata": {"generateName": "probe-"}}).ok

    def _objects(self) -> list[str]:
        return [TENANT.path(None, self.tenant), *(NAMESPACE.path(self.tenant, name) for name in self.namespaces)]

    def _ready(self, path: str) -> bool:
        thing = self.plane.admin.get(path).must()
        generation = thing["metadata"]["generation"]
        return any(
            (each["type"], each["status"], each["observedGeneration"]) == ("Ready", "True", generation)
            for each in thing["status"].get("conditions", ())
        )


def _object(kind: str, metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": _API, "kind": kind, "metadata": metadata, "spec": spec}


def _name(thing: Mapping[str, Any]) -> str:
    return f"{thing['metadata']['namespace']}/{thing['metadata']['name']}"
