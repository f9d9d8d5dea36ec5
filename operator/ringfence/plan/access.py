"""Who holds which role where.

Laws: a Namespace gives rights only to somebody whom its Tenant knows; no workload of any tenant gets rights, for
whoever runs a pod beside it would have them; in quarantine everybody reads and nobody writes; shells are bound apart,
so that where none may be opened nobody has the right to.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from ringfence import names
from ringfence.model.access import NamespaceAccess, TenantAccess
from ringfence.model.principals import Principal, ServiceAccountRef
from ringfence.model.tenant import Environment, TenantSpec
from ringfence.plan.children import role_binding
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired

Members = Mapping[str, frozenset[Principal]]
"""Principals by role, ``names.SHELL`` and ``names.APPROVER`` among them; only roles that somebody holds."""

_LISTS: Final = ("owners", "admins", "developers", "viewers", "members")


def tenant_members(access: TenantAccess) -> Members:
    """Who holds which role in every namespace of the tenant."""
    return _held(
        {
            "owner": access.owners,
            "admin": access.admins,
            "developer": access.developers,
            "viewer": access.viewers,
        }
    )


def namespace_members(tenant: TenantAccess, additional: NamespaceAccess) -> Members:
    """Who holds which role in one Namespace: those of the Tenant, and additional ones that the Tenant knows."""
    known = known_principals(tenant)
    members = tenant_members(tenant)
    return _held({role: members.get(role, frozenset()) | (_asked(additional, role) & known) for role in names.ROLES})


def strangers(tenant: TenantAccess, additional: NamespaceAccess) -> tuple[str, ...]:
    """Where a Namespace gives rights to somebody whom its Tenant does not know: ``spec.access.developers[0]``.

    Places, not names: what is found goes into records and Events, and a name may be a person's.
    """
    known = known_principals(tenant)
    asked = {"admins": additional.admins, "developers": additional.developers, "viewers": additional.viewers}
    return tuple(
        f"spec.access.{role}[{index}]"
        for role, principals in asked.items()
        for index, principal in enumerate(principals)
        if principal not in known
    )


def service_accounts(access: TenantAccess) -> frozenset[ServiceAccountRef]:
    """The ServiceAccounts among those whom the tenant knows."""
    return frozenset(each.service_account for each in known_principals(access) if each.service_account)


def granted(spec: TenantSpec, foreign: Collection[str]) -> TenantSpec:
    """The spec without the ServiceAccounts of other tenants' namespaces (``foreign``)."""
    if not foreign:
        return spec
    lists = {name: tuple(each for each in _listed(spec, name) if not _is_of(each, foreign)) for name in _LISTS}
    return spec.model_copy(update={"access": spec.access.model_copy(update=lists)})


def refused_workloads(spec: TenantSpec, foreign: Collection[str]) -> tuple[str, ...]:
    """Where the Tenant names ServiceAccounts of other tenants' namespaces: ``spec.access.admins[1]``."""
    return tuple(
        f"spec.access.{name}[{index}]"
        for name in _LISTS
        for index, principal in enumerate(_listed(spec, name))
        if _is_of(principal, foreign)
    )


def _listed(spec: TenantSpec, name: str) -> tuple[Principal, ...]:
    listed: tuple[Principal, ...] = getattr(spec.access, name)
    return listed


def _is_of(principal: Principal, namespaces: Collection[str]) -> bool:
    return principal.service_account is not None and principal.service_account.namespace in namespaces


def known_principals(access: TenantAccess) -> frozenset[Principal]:
    """Everybody whom the tenant knows, with or without a role."""
    return frozenset((*access.owners, *access.admins, *access.developers, *access.viewers, *access.members))


def read_only(members: Members) -> Members:
    """The same people as viewers."""
    return _held({"viewer": frozenset[Principal]().union(*members.values())})


def with_shells(members: Members) -> Members:
    """The same people, and developers and those above them with the right to open shells."""
    shells = frozenset[Principal]().union(*(members.get(role, ()) for role in names.ROLES_WITH_SHELL))
    return _held({**members, names.SHELL: shells})


def with_approvers(members: Members, environments: Iterable[Environment]) -> Members:
    """The same people, and those who approve promotions: the Tenant names them, be they members or not.

    No ServiceAccount approves, so none is given the right to.
    """
    named = (each for environment in environments for each in environment.approvers)
    return _held({**members, names.APPROVER: frozenset(each for each in named if each.service_account is None)})


def bindings(place: Place, members: Members) -> tuple[Desired, ...]:
    """One RoleBinding for each role that somebody holds."""
    roles = (*names.ROLES, names.SHELL, names.APPROVER)
    return tuple(role_binding.make(place, role, members[role]) for role in roles if role in members)


def _held(members: Mapping[str, Iterable[Principal]]) -> Members:
    return {role: frozenset(principals) for role, principals in members.items() if principals}


def _asked(additional: NamespaceAccess, role: str) -> frozenset[Principal]:
    asked = {"admin": additional.admins, "developer": additional.developers, "viewer": additional.viewers}
    return frozenset(asked.get(role, ()))
