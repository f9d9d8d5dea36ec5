"""A small tenant on a real API server, and what is to be seen of it there."""

from dataclasses import dataclass
from typing import Any, Final

from ringfence import names
from ringfence.controlplane import APPLY_PATCH, Client
from ringfence.model.kinds import CERTIFICATE, CHILD_TYPES, EXTERNAL_SECRET, NAMESPACE, TENANT, Ref

_TYPES: Final = tuple(kind for kind in CHILD_TYPES if kind not in (CERTIFICATE, EXTERNAL_SECRET))
_OURS: Final = f"labelSelector={names.MANAGED_BY_LABEL}%3D{names.MANAGED_BY}"


@dataclass(frozen=True)
class Tenancy:
    """One tenant and its Namespaces, as an administrator sees them."""

    admin: Client
    tenant: str

    def begin(self) -> None:
        """Apply the Tenant."""
        self._apply(Ref(TENANT, "", self.tenant), _tenant_spec(self.tenant))

    def apply(self, *namespaces: str, pods: int = 5) -> None:
        """Apply Namespaces of the tenant."""
        for name in namespaces:
            self._apply(self._namespace(name), _namespace_spec(pods))

    def served(self, *namespaces: str) -> bool:
        """Whether the Tenant and these Namespaces are ready, as they are now."""
        refs = [Ref(TENANT, "", self.tenant), *map(self._namespace, namespaces)]
        return all(self._told(ref, "Ready")[0] == "True" for ref in refs)

    def told(self, namespace: str, condition: str) -> tuple[str, str, str]:
        """Status, reason and message of a Namespace's condition; empty where it is not told of this generation."""
        return self._told(self._namespace(namespace), condition)

    def core(self, namespace: str) -> str:
        """The path of the core namespace."""
        return f"/api/v1/namespaces/{names.core_namespace(self.tenant, namespace)}"

    def children(self, namespace: str) -> dict[str, str]:
        """The uid of each object that the operator keeps in the core namespace."""
        core = names.core_namespace(self.tenant, namespace)
        return {
            f"{kind.kind}/{item['metadata']['name']}": item["metadata"]["uid"]
            for kind in _TYPES
            for item in self.admin.get(f"{kind.collection_path(core)}?{_OURS}").must()["items"]
        }

    def _namespace(self, name: str) -> Ref:
        return Ref(NAMESPACE, self.tenant, name)

    def _apply(self, ref: Ref, spec: dict[str, Any]) -> None:
        metadata = {"name": ref.name, **({"namespace": ref.namespace} if ref.namespace else {})}
        manifest = {"apiVersion": ref.type.api_version, "kind": ref.type.kind, "metadata": metadata, "spec": spec}
        path = f"{ref.path}?fieldManager=tests&fieldValidation=Strict"
        self.admin.request("PATCH", path, manifest, content_type=APPLY_PATCH).must()

    def _told(self, ref: Ref, condition: str) -> tuple[str, str, str]:
        thing = self.admin.get(ref.path).must()
        for each in thing["status"].get("conditions", ()):
            if each["type"] == condition and each["observedGeneration"] == thing["metadata"]["generation"]:
                return each["status"], each["reason"], each["message"]
        return "", "", ""


def _tenant_spec(name: str) -> dict[str, Any]:
    return {
        "displayName": name,
        "contacts": {"security": "security@acme.example"},
        "access": {"owners": [{"group": "oidc:owners"}], "developers": [{"group": "oidc:developers"}]},
        "environments": [{"name": "dev"}],
        "residency": {"regions": ["eu-central-1"]},
        "budget": {"namespaces": 60, "hard": {"pods": "999"}},
        "deletionPolicy": "Delete",
    }


def _namespace_spec(pods: int) -> dict[str, Any]:
    owner = {"team": "search", "application": "chat"}
    return {"environment": "dev", "owner": owner, "quota": {"hard": {"pods": str(pods)}}}
