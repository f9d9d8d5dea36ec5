"""Whose a namespace is.

Law: it is a tenant's by the tenant's label and the owner's uid, both; nobody of a tenant can write them.
"""

from dataclasses import dataclass

from ringfence import names
from ringfence.reach.selectors import Labels


@dataclass(frozen=True, slots=True)
class Tenancy:
    """The tenant of a namespace, and what the namespace is to it."""

    tenant: str
    owner_uid: str
    environment: str
    is_home: bool

    @classmethod
    def of(cls, labels: Labels) -> "Tenancy | None":
        """None for a namespace that is no tenant's: of the platform, or left behind by a former one."""
        tenant, uid = labels.get(names.TENANT_LABEL), labels.get(names.OWNER_UID_LABEL)
        if not tenant or not uid:
            return None
        home = labels.get(names.HOME_LABEL) == "true"
        return cls(tenant, uid, labels.get(names.ENVIRONMENT_LABEL, ""), home)

    def is_one_with(self, other: "Tenancy") -> bool:
        """Whether both are of one tenant; a new one that took an old one's name is another."""
        return (self.tenant, self.owner_uid) == (other.tenant, other.owner_uid)
