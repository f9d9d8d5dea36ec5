"""Who may do what: the tables from which ClusterRoles, their documentation and their tests are made.

Law: each role strictly contains the next one; nobody is given a wildcard, `pods/proxy` or `services/proxy`, a right on
other people's roles, or a reading verb on secrets in a home namespace. A tenant role never holds the verb `release`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ringfence import names
from ringfence.model import kinds

READ: Final = ("get", "list", "watch")
WRITE: Final = ("create", "delete", "patch", "update")

_RBAC: Final = "rbac.authorization.k8s.io"
_AGGREGATE: Final = f"{_RBAC}/aggregate-to-"
_API: Final = f"{_RBAC}/v1"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """Verbs on resources of one API group; ``only`` narrows them to objects of these names."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    only: tuple[str, ...] = ()

    @property
    def rule(self) -> dict[str, Any]:
        """The entry of ``rules``."""
        rule = {"apiGroups": [self.group], "resources": sorted(self.resources), "verbs": sorted(self.verbs)}
        return {**rule, "resourceNames": sorted(self.only)} if self.only else rule


_WORKLOADS: Final = (
    ("", ("configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "services")),
    ("apps", ("daemonsets", "deployments", "replicasets", "statefulsets")),
    ("autoscaling", ("horizontalpodautoscalers",)),
    ("batch", ("cronjobs", "jobs")),
    ("gateway.networking.k8s.io", ("grpcroutes", "httproutes")),
    ("networking.k8s.io", ("ingresses",)),
    ("policy", ("poddisruptionbudgets",)),
)
_SHOWN: Final = (
    ("", ("endpoints", "events", "limitranges", "pods/log", "pods/status", "resourcequotas", "serviceaccounts")),
    ("apps", ("controllerrevisions", "deployments/scale", "replicasets/scale", "statefulsets/scale")),
    ("discovery.k8s.io", ("endpointslices",)),
    ("events.k8s.io", ("events",)),
    ("external-secrets.io", ("externalsecrets",)),
    ("metrics.k8s.io", ("pods",)),
    ("networking.k8s.io", ("networkpolicies",)),
    (_RBAC, ("rolebindings",)),
    (kinds.GROUP, ("guardrails",)),
)

# What each role has in a core namespace beyond the roles below it. Admission policies narrow it further: no shell in
# protected environments, hosts and peers of the tenant only, tokens for the gateway only, bindings of tenant roles to
# the tenant's own people only.
CORE: Final = {
    "viewer": tuple(Right(group, resources, READ) for group, resources in (*_WORKLOADS, *_SHOWN)),
    "developer": (
        *(Right(group, resources, WRITE) for group, resources in _WORKLOADS),
        Right("", ("secrets", "serviceaccounts"), (*READ, *WRITE)),
        Right("", ("pods/attach", "pods/exec", "pods/portforward"), ("create", "get")),
        Right("", ("pods/ephemeralcontainers",), ("get", "patch", "update")),
        Right("", ("pods/eviction",), ("create",)),
        Right("apps", ("deployments/scale", "replicasets/scale", "statefulsets/scale"), ("patch", "update")),
    ),
    "admin": (
        Right("", ("serviceaccounts/token",), ("create",)),
        Right("networking.k8s.io", ("networkpolicies",), WRITE),
        Right(_RBAC, ("rolebindings",), WRITE),
    ),
    "owner": (
        *(Right(group, resources, ("deletecollection",)) for group, resources in _WORKLOADS),
        Right("", ("secrets", "serviceaccounts"), ("deletecollection",)),
    ),
}

# The same for a home namespace, where a tenant's custom resources and model keys are. `update` answers with what the
# writer sent, `create` too; every other verb on a Secret may answer with what was there before.
HOME: Final = {
    "viewer": (
        Right(kinds.GROUP, ("guardrails", "modelroutes", "retentionpolicies", "tenantnamespaces"), READ),
        Right(
            "", ("configmaps", "events", "limitranges", "pods", "resourcequotas", "serviceaccounts", "services"), READ
        ),
        Right("apps", ("controllerrevisions", "deployments"), READ),
        Right("events.k8s.io", ("events",), READ),
        Right("networking.k8s.io", ("networkpolicies",), READ),
        Right(_RBAC, ("rolebindings",), READ),
    ),
    "developer": (Right(kinds.GROUP, ("modelroutes",), ("create", "patch", "update")),),
    "admin": (
        Right(kinds.GROUP, ("retentionpolicies", "tenantnamespaces"), WRITE),
        Right(kinds.GROUP, ("modelroutes",), ("delete",)),
        Right("", ("secrets",), ("create", "delete", "update")),
    ),
    "owner": (Right(kinds.GROUP, ("modelroutes",), ("approve",)),),
}

TABLES: Final = ((names.tenant_role, CORE), (names.home_role, HOME))

# Every right is used by a code path: lists and watches by reflectors, `create` and `patch` by server-side apply,
# `patch` by finalizers and status, `delete` by pruning and departure. Nothing is ever read one by one.
_WATCH: Final = ("list", "watch")
_APPLY: Final = (*_WATCH, "create", "patch")
OPERATOR: Final = (
    Right(kinds.GROUP, ("modelroutes", "retentionpolicies"), _WATCH),
    Right(kinds.GROUP, ("tenantnamespaces", "tenants"), (*_WATCH, "patch")),
    Right(
        kinds.GROUP,
        ("modelroutes/status", "retentionpolicies/status", "tenantnamespaces/status", "tenants/status"),
        ("patch",),
    ),
    Right(kinds.GROUP, ("guardrails",), _APPLY),  # one goes with its namespace, by the finalizer
    Right("", ("namespaces",), (*_APPLY, "delete")),
    Right("", ("configmaps", "limitranges", "resourcequotas", "serviceaccounts"), (*_APPLY, "delete")),
    Right("networking.k8s.io", ("networkpolicies",), (*_APPLY, "delete")),
    Right(_RBAC, ("rolebindings",), (*_APPLY, "delete")),
    Right(
        _RBAC,
        ("clusterroles",),
        ("bind",),
        only=tuple(spell(role) for spell, _ in TABLES for role in names.ROLES),
    ),
    Right("external-secrets.io", ("externalsecrets",), (*_APPLY, "delete")),
    # Existence is asked by a create with dryRun. Every other verb can answer with content, `delete` included.
    Right("", ("secrets",), ("create",)),
    Right("", ("persistentvolumeclaims",), ("list",)),
    Right("", ("nodes",), _WATCH),
    Right("networking.k8s.io", ("servicecidrs",), _WATCH),
    Right("storage.k8s.io", ("storageclasses",), _WATCH),
    Right(
        "admissionregistration.k8s.io",
        (
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
        ),
        ("list",),
    ),
    Right("events.k8s.io", ("events",), ("create",)),
    Right("coordination.k8s.io", ("leases",), ("create",)),  # a create can't be narrowed to a name
    Right("coordination.k8s.io", ("leases",), ("get", "update"), only=(names.LEASE,)),
)


def cluster_roles() -> list[dict[str, Any]]:
    """Every ClusterRole of tenants: those that are bound, aggregated from the rights that this release ships.

    A platform team adds rights (to the custom resources of another operator, say) by a ClusterRole of its own with one
    of the aggregation labels, without touching these.
    """
    roles = []
    for spell, table in TABLES:
        for level, role in enumerate(names.ROLES):
            roles.append(_bound(spell(role)))
            roles.append(_shipped(spell(role), table[role], [spell(above) for above in names.ROLES[: level + 1]]))
    return roles


def operator_role() -> dict[str, Any]:
    """The operator's own ClusterRole."""
    return {
        "apiVersion": _API,
        "kind": "ClusterRole",
        "metadata": {"name": names.OPERATOR_SERVICE_ACCOUNT, "labels": _labels()},
        "rules": [right.rule for right in OPERATOR],
    }


def rights_of(role: str, *, home: bool) -> frozenset[tuple[str, str, str]]:
    """What ``role`` has in effect, as (group, resource, verb): its own rights and those of the roles below it."""
    table = HOME if home else CORE
    below = names.ROLES[names.ROLES.index(role) :]
    return _flat(right for each in below for right in table[each])


def _flat(rights: Iterable[Right]) -> frozenset[tuple[str, str, str]]:
    return frozenset(
        (right.group, resource, verb) for right in rights for resource in right.resources for verb in right.verbs
    )


def _bound(name: str) -> dict[str, Any]:
    """The role that bindings name; the cluster fills in its rules."""
    return {
        "apiVersion": _API,
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": _labels()},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {_AGGREGATE + name: "true"}}]},
    }


def _shipped(name: str, rights: Sequence[Right], reaching: Iterable[str]) -> dict[str, Any]:
    """The rights that this release ships for a role, and for every role above it."""
    aggregated = {_AGGREGATE + role: "true" for role in sorted(reaching)}
    return {
        "apiVersion": _API,
        "kind": "ClusterRole",
        "metadata": {"name": f"{name}-rights", "labels": {**_labels(), **aggregated}},
        "rules": [right.rule for right in rights],
    }


def _labels() -> dict[str, str]:
    return {"app.kubernetes.io/name": "ringfence"}
