"""The roles of a tenant's people: the tables from which ClusterRoles, their documentation and their tests are made.

Law: each role strictly contains the next one; nobody is given a wildcard, `pods/proxy` or `services/proxy`, a right on
other people's roles, or a reading verb on secrets in a home namespace. No role holds the verbs `release` and `bypass`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ringfence import names
from ringfence.model import kinds
from ringfence.plan.rights import READ, WRITE, Action, Right, actions

_RBAC: Final = "rbac.authorization.k8s.io"
_AGGREGATE: Final = f"{_RBAC}/aggregate-to-"
_API: Final = f"{_RBAC}/v1"

Table = Mapping[str, tuple[Right, ...]]
"""What each role has beyond the roles below it."""

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
    ("", ("endpoints", "events", "limitranges", "resourcequotas", "serviceaccounts")),
    ("apps", ("controllerrevisions",)),
    ("discovery.k8s.io", ("endpointslices",)),
    ("events.k8s.io", ("events",)),
    ("external-secrets.io", ("externalsecrets",)),
    ("networking.k8s.io", ("networkpolicies",)),
    (_RBAC, ("rolebindings",)),
    (kinds.GROUP, ("guardrails",)),
)
_SCALES: Final = ("deployments/scale", "replicasets/scale", "statefulsets/scale")

# In a core namespace. Admission policies narrow it further: hosts and peers of the tenant only, tokens for the gateway
# only, bindings of these roles to the tenant's own people only.
CORE: Final[Table] = {
    "viewer": (
        *(Right(group, resources, READ) for group, resources in (*_WORKLOADS, *_SHOWN)),
        Right("", ("pods/log", "pods/status"), ("get",)),
        Right("apps", _SCALES, ("get",)),
        Right("metrics.k8s.io", ("pods",), ("get", "list")),
    ),
    "developer": (
        *(Right(group, resources, WRITE) for group, resources in _WORKLOADS),
        Right("", ("secrets",), (*READ, *WRITE)),
        Right("", ("serviceaccounts",), WRITE),
        Right("", ("pods/eviction",), ("create",)),
        Right("apps", _SCALES, ("patch", "update")),
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

# What developers and those above them have besides, but only where a shell is no way around two persons or into a
# model: RBAC knows no environments, so it is a role of its own, bound nowhere else.
SHELL: Final = (
    Right("", ("pods/attach", "pods/exec", "pods/portforward"), ("create", "get")),
    Right("", ("pods/ephemeralcontainers",), ("get", "patch", "update")),
)

# What approvers have in a home namespace, members or not. RBAC knows no fields: that they add their approvals and
# change nothing else of a route is rule `approver-approves`. A revision tells what is approved.
APPROVER: Final = (
    Right(kinds.GROUP, ("modelroutes",), (*READ, "approve", "patch", "update")),
    Right("apps", ("controllerrevisions",), READ),
)

# In a home namespace, where a tenant's custom resources and model keys are. `update` answers with what the writer
# sent, `create` too; every other verb on a Secret may answer with what was there before.
HOME: Final[Table] = {
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

_TABLES: Final[tuple[tuple[Callable[[str], str], Table], ...]] = ((names.tenant_role, CORE), (names.home_role, HOME))

_APART: Final = {names.tenant_role(names.SHELL): SHELL, names.home_role(names.APPROVER): APPROVER}
"""Roles that stand beside the others, neither containing them nor contained."""

BINDABLE: Final = (*(spell(role) for spell, _ in _TABLES for role in names.ROLES), *_APART)
"""Names of the ClusterRoles that are bound in tenant namespaces: these and no others."""


def held(role: str, table: Table) -> frozenset[Action]:
    """What ``role`` has in effect: its own rights and those of the roles below it."""
    return actions(right for each in names.ROLES[names.ROLES.index(role) :] for right in table[each])


def cluster_roles() -> list[dict[str, Any]]:
    """Every ClusterRole of tenants: those that are bound, aggregated from the rights that this release ships.

    A platform team adds rights (to the custom resources of another operator, say) by a ClusterRole of its own with one
    of the aggregation labels, without touching these.
    """
    roles = []
    for spell, table in _TABLES:
        for level, role in enumerate(names.ROLES):
            roles.append(_bound(spell(role)))
            roles.append(_shipped(spell(role), table[role], [spell(above) for above in names.ROLES[: level + 1]]))
    for name, rights in _APART.items():
        roles += [_bound(name), _shipped(name, rights, [name])]
    return roles


def rights_of(role: str) -> str:
    """The ClusterRole with the rights that this release ships for ``role``; nothing binds it."""
    return f"{role}-rights"


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
        "metadata": {"name": rights_of(name), "labels": {**_labels(), **aggregated}},
        "rules": [right.rule for right in rights],
    }


def _labels() -> dict[str, str]:
    return {"app.kubernetes.io/name": "ringfence"}
