"""The resource types that Ringfence defines, makes or watches: group, version, plural, kind, scope.

Law: a resource type is data. Paths and keys follow from it; nothing else in the package spells an API path.

Both are tuples: they are the keys of nearly every look-up, and a dataclass hashes and compares in Python.
"""

from typing import Final, NamedTuple

GROUP: Final = "ringfence.dev"
VERSION: Final = "v1alpha1"


class ResourceType(NamedTuple):
    """One served resource of the Kubernetes API."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The manifest's ``apiVersion``: ``v1`` for the core group, else ``group/version``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def collection_path(self, namespace: str | None = None) -> str:
        """The URL path of the collection, of one namespace or (``None``) of the whole cluster."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        return f"{root}/namespaces/{namespace}/{self.plural}" if namespace else f"{root}/{self.plural}"

    def path(self, namespace: str | None, name: str) -> str:
        """The URL path of one object."""
        return f"{self.collection_path(namespace)}/{name}"


class Ref(NamedTuple):
    """One object of the cluster; ``namespace`` is empty for cluster-scoped types."""

    type: ResourceType
    namespace: str
    name: str

    @property
    def path(self) -> str:
        """The object's URL path."""
        return self.type.path(self.namespace or None, self.name)

    def __str__(self) -> str:
        return "/".join(part for part in (self.type.kind, self.namespace, self.name) if part)


def _ours(plural: str, kind: str, *, namespaced: bool = True) -> ResourceType:
    return ResourceType(GROUP, VERSION, plural, kind, namespaced)


TENANT: Final = _ours("tenants", "Tenant", namespaced=False)
# A custom resource with the plural `namespaces` is unreachable in Kubernetes, hence the resource name.
NAMESPACE: Final = _ours("tenantnamespaces", "Namespace")
MODEL_ROUTE: Final = _ours("modelroutes", "ModelRoute")
RETENTION_POLICY: Final = _ours("retentionpolicies", "RetentionPolicy")
GUARDRAIL: Final = _ours("guardrails", "Guardrail")

PRIMARY_TYPES: Final = (TENANT, NAMESPACE, MODEL_ROUTE, RETENTION_POLICY)

CORE_NAMESPACE: Final = ResourceType("", "v1", "namespaces", "Namespace", namespaced=False)
CONFIG_MAP: Final = ResourceType("", "v1", "configmaps", "ConfigMap")
LIMIT_RANGE: Final = ResourceType("", "v1", "limitranges", "LimitRange")
RESOURCE_QUOTA: Final = ResourceType("", "v1", "resourcequotas", "ResourceQuota")
SERVICE_ACCOUNT: Final = ResourceType("", "v1", "serviceaccounts", "ServiceAccount")
SECRET: Final = ResourceType("", "v1", "secrets", "Secret")
POD: Final = ResourceType("", "v1", "pods", "Pod")
CLAIM: Final = ResourceType("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
NODE: Final = ResourceType("", "v1", "nodes", "Node", namespaced=False)
EVENT: Final = ResourceType("events.k8s.io", "v1", "events", "Event")
LEASE: Final = ResourceType("coordination.k8s.io", "v1", "leases", "Lease")
NETWORK_POLICY: Final = ResourceType("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
SERVICE_CIDR: Final = ResourceType("networking.k8s.io", "v1", "servicecidrs", "ServiceCIDR", namespaced=False)
STORAGE_CLASS: Final = ResourceType("storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False)
ROLE_BINDING: Final = ResourceType("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
DEPLOYMENT: Final = ResourceType("apps", "v1", "deployments", "Deployment")
SERVICE: Final = ResourceType("", "v1", "services", "Service")
DISRUPTION_BUDGET: Final = ResourceType("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
ENDPOINT_SLICE: Final = ResourceType("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
CERTIFICATE: Final = ResourceType("cert-manager.io", "v1", "certificates", "Certificate")
CONTROLLER_REVISION: Final = ResourceType("apps", "v1", "controllerrevisions", "ControllerRevision")
EXTERNAL_SECRET: Final = ResourceType("external-secrets.io", "v1", "externalsecrets", "ExternalSecret")

# What Ringfence makes in tenant namespaces, and therefore watches.
CHILD_TYPES: Final = (
    CERTIFICATE,
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
)
