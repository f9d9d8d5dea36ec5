"""RoleBindings: who holds a role in a tenant namespace."""

from collections.abc import Iterable

from ringfence import names
from ringfence.model.kinds import ROLE_BINDING
from ringfence.model.principals import Principal
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired

_RBAC = "rbac.authorization.k8s.io"


def make(place: Place, role: str, principals: Iterable[Principal]) -> Desired:
    """The binding of ``role`` to ``principals``, each of them once and in one order."""
    named = {tuple(sorted(subject.items())): subject for subject in map(subject_of, principals)}
    cluster_role = names.home_role(role) if place.is_home else names.tenant_role(role)
    body = {
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": cluster_role},
        "subjects": [named[key] for key in sorted(named)],
    }
    return place.child(ROLE_BINDING, names.role_binding(role), body)


def subject_of(principal: Principal) -> dict[str, str]:
    """The principal as RBAC writes it."""
    if account := principal.service_account:
        return {"kind": "ServiceAccount", "namespace": account.namespace, "name": account.name}
    if principal.group is not None:
        return {"apiGroup": _RBAC, "kind": "Group", "name": principal.group}
    return {"apiGroup": _RBAC, "kind": "User", "name": principal.user or ""}
