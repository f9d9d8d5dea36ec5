"""Who may do what where: the authorization matrix, actor x place x action.

Law: this is the whole of it. ClusterRoles and the reference are made from the same tables, and the tests ask a real
API server about each cell, and for anything beside them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ringfence import names
from ringfence.model import kinds
from ringfence.plan import operator_rights
from ringfence.plan.rights import WRITE, Action, Right, actions
from ringfence.plan.roles import APPROVER, CORE, HOME, SHELL, Table, held


class Actor(Enum):
    """Who asks. The value says what that is."""

    OWNER = "a member of `spec.access.owners` of the Tenant"
    ADMIN = "of `spec.access.admins`"
    DEVELOPER = "of `spec.access.developers`"
    VIEWER = "of `spec.access.viewers`"
    MEMBER = "of `spec.access.members`: known, without a right of his own"
    APPROVER = "of `approvers` of one of `spec.environments`, whether or not the tenant knows him otherwise"
    WORKLOAD = "the ServiceAccount of a pod in one of the tenant's namespaces"
    OPERATOR = "ServiceAccount `ringfence-operator`"
    OUTSIDER = "anybody else whom the API server knows"

    @property
    def role(self) -> str | None:
        """The role in a tenant; None for whoever has none."""
        return self.name.lower() if self.name.lower() in names.ROLES else None


@dataclass(frozen=True, slots=True)
class Place:
    """A kind of namespace, as one tenant's people see it, or the cluster as a whole."""

    title: str
    table: Table | None = None
    """Of the roles that are bound there; None where no role of a tenant's is."""
    foreign: bool = False
    """Whether it is another tenant's."""
    shells: bool = False
    """Whether a shell may be opened there: `execAllowed` of its Guardrail."""
    read_only: bool = False
    """Whether everybody is a viewer there."""
    operators: bool = False
    """Whether it is the operator's own namespace."""


PLACES: Final[Mapping[str, Place]] = {
    "home": Place("own home namespace", HOME),
    "open": Place("own core namespace", CORE, shells=True),
    "protected": Place("own core namespace of a protected environment", CORE),
    "frontend": Place("own core namespace with a private model frontend", CORE),
    "quarantined home": Place("own home namespace in quarantine", HOME, read_only=True),
    "quarantined": Place("own core namespace in quarantine", CORE, read_only=True),
    "foreign home": Place("another tenant's home namespace", HOME, foreign=True),
    "foreign": Place("another tenant's core namespace", CORE, foreign=True),
    "platform": Place("the operator's namespace", operators=True),
    "cluster": Place("all namespaces, and what is in none"),
}


def allowed(actor: Actor, place: Place) -> frozenset[Action]:
    """Everything that ``actor`` may do in ``place`` by Ringfence's roles."""
    if actor is Actor.OPERATOR:
        return actions((*operator_rights.EVERYWHERE, *(operator_rights.AT_HOME if place.operators else ())))
    if actor is Actor.APPROVER:
        approves = place.table is HOME and not place.foreign and not place.read_only
        return actions(APPROVER) if approves else frozenset()
    if actor.role is None or place.table is None or place.foreign:
        return frozenset()
    shell = place.shells and actor.role in names.ROLES_WITH_SHELL
    return held("viewer" if place.read_only else actor.role, place.table) | (actions(SHELL) if shell else frozenset())


def questions(place: Place) -> frozenset[Action]:
    """Every action that has a row in the matrix of that place: what somebody may do there, and what nobody ever may."""
    if place.table is None:
        return allowed(Actor.OPERATOR, place) | NEVER
    return held("owner", place.table) | NEVER | (actions(SHELL) if place.table is CORE else frozenset())


# What no role of a tenant's gives anywhere, nor the operator's, whatever else changes: each is a way around the fence.
NEVER: Final = actions(
    (
        Right("", ("pods/proxy", "services/proxy", "nodes/proxy"), ("get", "create")),
        Right("", ("secrets",), ("*",)),
        Right("", ("namespaces/finalize", "namespaces/status"), ("patch", "update")),
        Right("", ("users", "groups", "serviceaccounts"), ("impersonate",)),
        Right("", ("resourcequotas", "limitranges"), ("deletecollection", "update")),
        Right("", ("endpoints",), ("create", "update")),
        Right("discovery.k8s.io", ("endpointslices",), ("create", "update")),
        Right("rbac.authorization.k8s.io", ("clusterroles", "roles"), ("escalate", "create", "update")),
        Right("rbac.authorization.k8s.io", ("clusterroles",), ("bind",), only=("admin", "cluster-admin", "edit")),
        Right("rbac.authorization.k8s.io", ("clusterrolebindings",), WRITE),
        Right("admissionregistration.k8s.io", ("validatingadmissionpolicies",), WRITE),
        Right("admissionregistration.k8s.io", ("validatingadmissionpolicybindings",), WRITE),
        Right("apiextensions.k8s.io", ("customresourcedefinitions",), WRITE),
        Right(kinds.GROUP, ("guardrails",), ("bypass", "update", "delete", "deletecollection")),
        Right(kinds.GROUP, ("retentionpolicies",), ("release", "deletecollection")),
        Right(kinds.GROUP, ("tenants",), ("create", "delete", "update", "approve", "release")),
        Right(kinds.GROUP, ("tenantnamespaces", "modelroutes"), ("deletecollection",)),
        Right(kinds.GROUP, ("tenants/status", "tenantnamespaces/status"), ("update",)),
        Right("*", ("*",), ("*",)),
    )
)
