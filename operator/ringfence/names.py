"""The only speller of names, labels, annotations, finalizers and the field manager.

Law: labels that Ringfence stamps are grants (policies select by them), so every one is listed here with its reason.
"""

from typing import Final

FIELD_MANAGER: Final = "ringfence-operator"
FINALIZER: Final = "ringfence.dev/operator"
MANAGED_BY: Final = "ringfence"

OPERATOR_NAMESPACE: Final = "ringfence-system"
OPERATOR_SERVICE_ACCOUNT: Final = "ringfence-operator"
OPERATOR_USER: Final = f"system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR_SERVICE_ACCOUNT}"
LEASE: Final = "ringfence-operator"
OPERATOR_PODS: Final = {"app.kubernetes.io/name": "ringfence", "app.kubernetes.io/component": "operator"}

# The canary asks for what policies must refuse. Its namespaces look like those of a tenant that can't exist: the
# tenant's name is reserved.
CANARY: Final = (
    "ringfence-canary"  # its ServiceAccount, which is the operator's neighbour, and where workloads would be
)
CANARY_HOME: Final = "ringfence-canary-home"
CANARY_TENANT: Final = "ringfence"
PROBE: Final = "ringfence-probe"  # the ServiceAccount with whose tokens the operator looks at gateways
CANARY_USER: Final = f"system:serviceaccount:{OPERATOR_NAMESPACE}:{CANARY}"

# Labels. Tenants can't write `ringfence.dev/` labels on namespaces; on other objects trust never rests on them.
TENANT_LABEL: Final = "ringfence.dev/tenant"  # selects the tenant's peers in NetworkPolicies and admission policies
OWNER_UID_LABEL: Final = "ringfence.dev/owner-uid"  # ownership: a new tenant of the same name is another owner
NAMESPACE_LABEL: Final = "ringfence.dev/namespace"  # which Namespace object a child belongs to; absent in a home
ENVIRONMENT_LABEL: Final = "ringfence.dev/environment"  # peers are of one environment only
HOME_LABEL: Final = "ringfence.dev/home"  # "true" on a tenant's home namespace
GATEWAY_LABEL: Final = "ringfence.dev/gateway"  # "true" on the pods of a tenant's gateway
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"  # selects what the operator watches
ROUTE_LABEL: Final = "ringfence.dev/route"  # which ModelRoute a revision belongs to
ROUTE_UID_LABEL: Final = "ringfence.dev/route-uid"  # and which one of that name
SERVICE_NAME_LABEL: Final = "kubernetes.io/service-name"  # the API's own, of EndpointSlices
ORPHANED_LABEL: Final = "ringfence.dev/orphaned"  # "true" once its Namespace or Tenant was deleted with Retain

# Annotations that people set.
ADOPT_ANNOTATION: Final = "ringfence.dev/adopt"
BREAK_GLASS_ANNOTATION: Final = "ringfence.dev/break-glass"  # why somebody passes by the fence
CONFIRM_DELETE_ANNOTATION: Final = "ringfence.dev/confirm-delete"
CONFIRM_RELEASE_ANNOTATION: Final = "ringfence.dev/confirm-release"  # from quarantine
PAUSED_UNTIL_ANNOTATION: Final = "ringfence.dev/paused-until"
# Annotations that the operator writes.
REVISION_ANNOTATION: Final = "ringfence.dev/revision"  # of the gateway's configuration, on the ConfigMap that holds it
REFUSED_ANNOTATION: Final = "ringfence.dev/refused-revision"  # which Envoy refused: it is not tried again
REFUSED_BECAUSE_ANNOTATION: Final = "ringfence.dev/refused-because"
LABELS_ANNOTATION: Final = "ringfence.dev/labels"  # keys of the user's labels: one taken away is seen
SERVES_ANNOTATION: Final = "ringfence.dev/serves"  # of a revision: since when it is what each environment serves
SERVED_ANNOTATION: Final = "ringfence.dev/served"  # of a revision: when each environment was last seen to serve it
APPROVED_ANNOTATION: Final = "ringfence.dev/approved"  # of a revision: whose word let it into a protected environment
# Annotations that admission writes.
REQUESTED_BY_ANNOTATION: Final = "ringfence.dev/requested-by"
CONFIRM_DELETE_BY_ANNOTATION: Final = "ringfence.dev/confirm-delete-by"
CONFIRM_RELEASE_BY_ANNOTATION: Final = "ringfence.dev/confirm-release-by"
CONFIRM_DELETE_GENERATION_ANNOTATION: Final = "ringfence.dev/confirm-delete-generation"  # of the object as confirmed
CONFIRM_RELEASE_GENERATION_ANNOTATION: Final = "ringfence.dev/confirm-release-generation"
PAUSED_BY_ANNOTATION: Final = "ringfence.dev/paused-by"
PROMOTED_BY_PREFIX: Final = "promoted-by.ringfence.dev/"  # and the environment

# Images of the gateway's pods: what the operator may run, whatever their tags and digests.
GATEWAY_REPOSITORY: Final = "docker.io/envoyproxy/envoy"
COLLECTOR_REPOSITORY: Final = "localhost/ringfence/operator"  # the operator's own

# Of a ConfigMap: the certificates of an authority. The cluster itself and the Gateway API call them that.
AUTHORITY: Final = "ca.crt"

# Objects of a tenant namespace.
GUARDRAIL: Final = "ringfence"
GATEWAY: Final = "ringfence-gateway"
GATEWAY_CONFIG_MAP: Final = "ringfence-gateway"
GATEWAY_ROUTES: Final = "ringfence-gateway-routes"
GATEWAY_AUDIENCE: Final = "ringfence-gateway"
GATEWAY_PORT: Final = 8443
GATEWAY_METRICS_PORT: Final = 9901
GATEWAY_USAGE_PORT: Final = 9902
GATEWAY_FILES: Final = "ringfence-gateway-files"  # the ConfigMap of Envoy's configuration
GATEWAY_SERVED: Final = "ringfence-gateway-served"  # the last configuration that was seen to serve
GATEWAY_TLS_PREFIX: Final = (
    "gateway-tls-"  # a certificate: the Secret with the key, and the ConfigMap with the authority
)
GATEWAY_TLS_ISSUED: Final = "gateway-tls-issued"  # the Secret that cert-manager keeps
_GATEWAY_KEY_PREFIX: Final = "ringfence-key-"
QUOTA: Final = "ringfence"
LIMITS: Final = "ringfence"
DEFAULT_SERVICE_ACCOUNT: Final = "default"
DENY_ALL: Final = "ringfence-deny-all"
ALLOW_DNS: Final = "ringfence-allow-dns"
ALLOW_GATEWAY: Final = "ringfence-allow-gateway"
ALLOW_PEERS: Final = "ringfence-allow-peers"
ALLOW_EGRESS: Final = "ringfence-allow-egress"
ALLOW_INGRESS: Final = "ringfence-allow-ingress"
ALLOW_PROVIDERS: Final = "ringfence-allow-providers"

ROLES: Final = ("owner", "admin", "developer", "viewer")  # each strictly contains the next
SHELL: Final = "shell"  # no role of people: bound besides, to the following ones, where a shell may be opened
APPROVER: Final = "approver"  # no role of members either: bound in the home to whom environments name as approvers
ROLES_WITH_SHELL: Final = ("owner", "admin", "developer")


def core_namespace(tenant: str, namespace: str) -> str:
    """The core namespace of ``namespace``; unambiguous because tenant names have no hyphen."""
    return f"{tenant}-{namespace}"


def split_core_namespace(core: str) -> tuple[str, str]:
    """The tenant and the Namespace object's name that ``core`` can only mean; the name is empty for a home."""
    tenant, _, namespace = core.partition("-")
    return tenant, namespace


def tenant_role(role: str) -> str:
    """The ClusterRole bound in core namespaces for ``role``, or for ``SHELL``."""
    return f"ringfence-tenant-{role}"


def home_role(role: str) -> str:
    """The ClusterRole bound in the home namespace for ``role``, or for ``APPROVER``."""
    return f"ringfence-home-{role}"


def role_binding(role: str) -> str:
    """The RoleBinding that gives ``role``, ``SHELL`` or ``APPROVER`` in a tenant namespace."""
    return f"ringfence-{role}"


def gateway_key(key: str) -> str:
    """The ServiceAccount whose tokens are the gateway key ``key``."""
    return f"{_GATEWAY_KEY_PREFIX}{key}"


def is_gateway_key(account: str) -> bool:
    """Whether a ServiceAccount of this name is that of a gateway key."""
    return account.startswith(_GATEWAY_KEY_PREFIX)


def gateway_key_prefix(*, live: bool) -> str:
    """What a gateway key begins with, before the token: people and scanners of secrets tell by it what they found."""
    return "rf_live_" if live else "rf_test_"


def route_revision(route: str, revision: str) -> str:
    """The ControllerRevision that keeps ``revision`` of a ModelRoute; revisions are all of one length."""
    return f"{route}-{revision}"
