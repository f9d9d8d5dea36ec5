"""One tenant namespace: whose it is, what its objects are labelled with, how others select it.

Law: every selector of a tenant namespace names the owner's uid, so that no namespace of somebody else ever matches,
not even one that a former tenant of the same name left behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringfence import names
from ringfence.model.kinds import CORE_NAMESPACE, GUARDRAIL, Ref, ResourceType
from ringfence.plan.plan import Desired


@dataclass(frozen=True, slots=True)
class Place:
    """A tenant namespace, made or to be made. ``namespace`` and ``environment`` are empty for the home namespace."""

    tenant: str
    owner_uid: str
    core: str
    namespace: str = ""
    environment: str = ""

    @classmethod
    def home(cls, tenant: str, owner_uid: str) -> "Place":
        """The home namespace of ``tenant``."""
        return cls(tenant, owner_uid, core=tenant)

    @classmethod
    def of(cls, tenant: str, owner_uid: str, namespace: str, environment: str) -> "Place":
        """The core namespace of the Namespace object ``namespace``."""
        return cls(tenant, owner_uid, names.core_namespace(tenant, namespace), namespace, environment)

    @property
    def is_home(self) -> bool:
        """Whether this is the tenant's home namespace."""
        return not self.namespace

    @property
    def ref(self) -> Ref:
        """The core namespace itself."""
        return Ref(CORE_NAMESPACE, "", self.core)

    @property
    def guardrail(self) -> Ref:
        """The Guardrail, which goes last."""
        return Ref(GUARDRAIL, self.core, names.GUARDRAIL)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of everything that Ringfence makes here."""
        labels = {names.MANAGED_BY_LABEL: names.MANAGED_BY, names.TENANT_LABEL: self.tenant}
        if self.namespace:
            labels[names.NAMESPACE_LABEL] = self.namespace
            labels[names.ENVIRONMENT_LABEL] = self.environment
        return labels

    @property
    def selector(self) -> dict[str, Any]:
        """The label selector that matches this namespace and no other."""
        own = {names.TENANT_LABEL: self.tenant, names.OWNER_UID_LABEL: self.owner_uid}
        if self.is_home:
            return {"matchLabels": {**own, names.HOME_LABEL: "true"}}
        return {
            "matchLabels": {
                **own,
                names.NAMESPACE_LABEL: self.namespace,
                names.ENVIRONMENT_LABEL: self.environment,
            }
        }

    def child(self, kind: ResourceType, name: str, body: Mapping[str, Any], **metadata: Any) -> Desired:
        """An object in this namespace with its labels; ``metadata`` are further fields of its metadata."""
        manifest = {
            "apiVersion": kind.api_version,
            "kind": kind.kind,
            "metadata": {"name": name, "namespace": self.core, "labels": self.labels, **metadata},
            **body,
        }
        return Desired(Ref(kind, self.core, name), manifest)
