"""The operator's own rights, and where it has them.

Laws: no wildcard, no `escalate`, no `impersonate`; of Secrets it may `create` and nothing else, because every other
verb can answer with content, `delete` included; it binds the roles of tenants by name and writes no admission policy,
no definition and no workload but the gateway, of which admission says what it may be. The audit log of the whole test
run shows that each right is used, and no other.
"""

from typing import Any, Final

from ringfence import names
from ringfence.model import kinds
from ringfence.plan.rights import Right
from ringfence.plan.roles import BINDABLE

_RBAC: Final = "rbac.authorization.k8s.io"
_API: Final = f"{_RBAC}/v1"

# Lists and watches are the reflectors', `create` and `patch` are server-side apply, `patch` is finalizers and status
# too, `delete` is pruning and departure. But for its lease nothing is ever read one by one.
_WATCH: Final = ("list", "watch")
_APPLY: Final = (*_WATCH, "create", "patch")

EVERYWHERE: Final = (
    Right(kinds.GROUP, ("modelroutes", "retentionpolicies"), _WATCH),
    Right(kinds.GROUP, ("tenantnamespaces", "tenants"), (*_WATCH, "patch")),
    Right(
        kinds.GROUP,
        ("modelroutes/status", "retentionpolicies/status", "tenantnamespaces/status", "tenants/status"),
        ("patch",),
    ),
    Right(kinds.GROUP, ("guardrails",), _APPLY),  # one goes with its namespace, by the finalizer
    Right("", ("namespaces",), (*_APPLY, "delete")),
    Right("", ("configmaps", "limitranges", "resourcequotas", "serviceaccounts", "services"), (*_APPLY, "delete")),
    Right("apps", ("controllerrevisions", "deployments"), (*_APPLY, "delete")),
    Right("policy", ("poddisruptionbudgets",), (*_APPLY, "delete")),
    Right("cert-manager.io", ("certificates",), (*_APPLY, "delete")),
    Right("networking.k8s.io", ("networkpolicies",), (*_APPLY, "delete")),
    Right(_RBAC, ("rolebindings",), (*_APPLY, "delete")),
    Right(_RBAC, ("clusterroles",), ("bind",), only=BINDABLE),
    Right("external-secrets.io", ("externalsecrets",), (*_APPLY, "delete")),
    Right("", ("secrets",), ("create",)),  # the gateway's certificates; existence is asked with dryRun
    Right("", ("persistentvolumeclaims",), ("list",)),
    Right("", ("nodes",), _WATCH),
    Right("networking.k8s.io", ("servicecidrs",), _WATCH),
    Right("discovery.k8s.io", ("endpointslices",), _WATCH),  # where the replicas of gateways are
    Right("storage.k8s.io", ("storageclasses",), _WATCH),
    Right(
        "admissionregistration.k8s.io",
        (
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
        ),
        _WATCH,
    ),
    Right("events.k8s.io", ("events",), ("create",)),
)
"""By a ClusterRole, because tenants' namespaces come and go."""

AT_HOME: Final = (
    Right("coordination.k8s.io", ("leases",), ("create",)),  # a create can't be narrowed to a name
    Right("coordination.k8s.io", ("leases",), ("get", "update"), only=(names.LEASE,)),
    Right("", ("serviceaccounts/token",), ("create",), only=(names.CANARY, names.PROBE)),
)
"""By a Role in its own namespace."""


CANARY: Final = (Right("", ("namespaces",), ("patch",), only=(names.CANARY,)),)
"""What the canary may besides what a tenant's owner may: to be refused a change of its own namespace."""


def operator_roles() -> list[dict[str, Any]]:
    """The operator's ClusterRole, its Role in its own namespace, and the canary's."""
    operator = names.OPERATOR_SERVICE_ACCOUNT
    return [
        _role("ClusterRole", operator, EVERYWHERE),
        _role("Role", operator, AT_HOME, namespace=names.OPERATOR_NAMESPACE),
        _role("ClusterRole", names.CANARY, CANARY),
    ]


def _role(kind: str, name: str, rights: tuple[Right, ...], **place: str) -> dict[str, Any]:
    return {
        "apiVersion": _API,
        "kind": kind,
        "metadata": {"name": name, **place, "labels": {"app.kubernetes.io/name": "ringfence"}},
        "rules": [right.rule for right in rights],
    }
