"""One Namespace with the Tenant that it belongs to, both known to be readable."""

from dataclasses import dataclass

from ringfence.model.namespace import NamespaceSpec
from ringfence.model.subject import Subject
from ringfence.model.tenant import Environment, TenantSpec
from ringfence.plan import access, frontends
from ringfence.plan.children.guardrail import identities, is_protected
from ringfence.plan.ownership import Ownership, ownership
from ringfence.plan.place import Place
from ringfence.plan.prune import Standing
from ringfence.plan.seen import CoreNamespace, Seen


@dataclass(frozen=True, slots=True)
class Site:
    """What a Namespace asks for, and what its Tenant grants."""

    subject: Subject[NamespaceSpec]
    spec: NamespaceSpec
    owner: Subject[TenantSpec]
    tenant: TenantSpec
    place: Place
    core: CoreNamespace | None

    @classmethod
    def of(cls, subject: Subject[NamespaceSpec], seen: Seen) -> "Site | None":
        """None where the Namespace or its Tenant can't be read."""
        owner = seen.tenant
        if owner is None or owner.spec is None or subject.spec is None:
            return None
        place = Place.of(owner.name, owner.meta.uid, subject.name, subject.spec.environment)
        tenant = access.granted(owner.spec, seen.foreign)
        return cls(subject, subject.spec, owner, tenant, place, seen.cores.get(place.core))

    @property
    def ownership(self) -> Ownership:
        """Whose the core namespace is."""
        return ownership(self.core, self.place.tenant, self.place.owner_uid)

    @property
    def stands(self) -> bool:
        """Whether the core namespace is there already, and ours."""
        return self.ownership is Ownership.OURS

    @property
    def environment(self) -> Environment | None:
        """The Tenant's environment of that name."""
        return next((each for each in self.tenant.environments if each.name == self.spec.environment), None)

    @property
    def protected(self) -> bool:
        """Whether two persons decide what serves there."""
        return is_protected(self.tenant, self.spec)

    @property
    def quarantined(self) -> bool:
        """Whether an incident is declared for the tenant or for this Namespace."""
        return "Quarantined" in (self.tenant.isolation, self.spec.isolation)

    @property
    def standing(self) -> Standing:
        """What the policies and bindings of the tenant's own are judged by."""
        return Standing(
            quarantined=self.quarantined,
            private=frontends.run_in(self.tenant, self.place.namespace),
            known=identities(access.known_principals(self.tenant.access)),
        )

    @property
    def pod_security(self) -> str:
        """The level that is set: as asked where the Tenant allows it, else the strictest."""
        return self.spec.pod_security if self.spec.pod_security in self.tenant.pod_security.allow else "restricted"

    @property
    def regions(self) -> tuple[str, ...]:
        """The Tenant's regions; empty where nothing is pinned."""
        return self.tenant.residency.regions if self.tenant.residency else ()
