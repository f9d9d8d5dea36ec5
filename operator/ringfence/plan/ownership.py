"""Whose a core namespace is.

Law: a namespace is a tenant's by its label *and* the Tenant's uid, never by its name alone; everything else is
somebody else's until a person with the right to do so asks for adoption. Labels never make a tenant's what its name
keeps from being one: whoever may label namespaces does not thereby point Ringfence at any of them.
"""

from enum import Enum

from ringfence import names
from ringfence.plan.seen import CoreNamespace


class Ownership(Enum):
    """What a tenant may do with a core namespace of a certain name."""

    FREE = "it does not exist"
    OURS = "it is this tenant's"
    ADOPTABLE = "it is to be taken over, as its annotation asks"
    TAKEN = "it is somebody else's"


def ownership(core: CoreNamespace | None, tenant: str, owner_uid: str) -> Ownership:
    """Whose ``core`` is, as seen from the Tenant with that name and uid."""
    if core is None:
        return Ownership.FREE
    if core.labels.get(names.TENANT_LABEL) != tenant or names.split_core_namespace(core.name)[0] != tenant:
        return Ownership.TAKEN
    if core.labels.get(names.OWNER_UID_LABEL) == owner_uid:
        return Ownership.OURS
    # Another owner uid can only be that of a former Tenant of the same name: the label says so, and names are unique.
    if core.annotations.get(names.ADOPT_ANNOTATION) == tenant and not core.deleting:
        return Ownership.ADOPTABLE
    return Ownership.TAKEN


def owns(core: CoreNamespace | None, tenant: str, owner_uid: str) -> bool:
    """Whether ``core`` exists and is this tenant's."""
    return ownership(core, tenant, owner_uid) is Ownership.OURS


def is_orphan(core: CoreNamespace) -> bool:
    """Whether a tenant's object left it behind, and nobody has it since."""
    return core.labels.get(names.ORPHANED_LABEL) == "true" and names.OWNER_UID_LABEL not in core.labels
