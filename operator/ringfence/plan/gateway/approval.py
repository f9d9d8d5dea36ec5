"""Which backends of a revision may be used in an environment today, and as what.

Law: a revision says where it leads to, the Tenant whether that may still be. A provider that moved gets no request of
an older revision: the key that it has now is not for the host that it had then. No data leaves regions or boundary.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan.gateway import private
from ringfence.plan.gateway.backend import Approved, provider_of, refused
from ringfence.plan.modelroute.revision import PinnedBackend, host_of
from ringfence.plan.plan import Finding
from ringfence.plan.reasons import Reason
from ringfence.plan.seen import Seen

Gate: TypeAlias = Callable[[Approved], Finding | None]


def approved(
    owner: Subject[TenantSpec], spec: TenantSpec, environment: str, backend: PinnedBackend, seen: Seen
) -> Approved | Finding:
    """The backend as it may be used, if its provider `is_asked_for` in that environment, or why it may not."""
    provider = provider_of(owner.name, spec, backend)
    if isinstance(provider, Finding):
        return provider
    found = Approved(owner, spec, environment, backend, provider, seen)
    return next((finding for gate in GATES if (finding := gate(found)) is not None), found)


def provider_has_not_moved(found: Approved) -> Finding | None:
    """A key goes to the host that it is bound to."""
    now = host_of(found.tenant, found.provider)
    if found.backend.host == now:
        return None
    message = f"provider {found.provider.name} is at {now} and no longer at {found.backend.host}"
    return refused(Reason.PROVIDER_MOVED, f"{message}: promote a revision that knows it")


def stays_in_the_regions(found: Approved) -> Finding | None:
    """Where the provider was when the revision was made, and where it is declared to be today."""
    residency = found.spec.residency
    if residency is None:
        return None
    declared = {found.backend.region, found.provider.region or ""}
    if found.provider.service:
        declared -= {""}  # it runs where the tenant's own workloads run
    outside = sorted(declared - set(residency.regions))
    if not outside:
        return None
    message = f"provider {found.provider.name} is in region {outside[0] or 'nobody says which'}"
    return refused(Reason.UNKNOWN_REGION, f"{message}, the tenant's are {', '.join(residency.regions)}")


def stays_in_the_boundary(found: Approved) -> Finding | None:
    """Boundary Cluster: nothing leaves the cluster."""
    residency = found.spec.residency
    if found.provider.service or residency is None or residency.boundary != "Cluster":
        return None
    return refused(Reason.OUTSIDE_BOUNDARY, f"provider {found.provider.name} is outside of the cluster")


GATES: Final[tuple[Gate, ...]] = (
    provider_has_not_moved,
    stays_in_the_regions,
    stays_in_the_boundary,
    private.frontend_is_ours,
    private.frontend_is_protected_enough,
    private.frontend_gets_no_key_in_plain_text,
    private.frontend_leads_to_its_pods,
    private.frontend_can_be_verified,
)
