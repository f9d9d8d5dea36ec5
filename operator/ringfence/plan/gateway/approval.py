"""Which backends of a revision may be used in an environment today, and as what.

Law: a revision says where it leads to, the Tenant whether that may still be. A provider that moved gets no request of
an older revision: the key that it has now is not for the host that it had then. No data leaves regions or boundary.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from ringfence import names
from ringfence.gateway.served import Encryption, Schema, Upstream
from ringfence.model.providers import ModelService, Provider
from ringfence.model.tenant import TenantSpec
from ringfence.plan.modelroute.revision import PinnedBackend, host_of, service_host
from ringfence.plan.ownership import owns
from ringfence.plan.plan import Finding
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Authority, Seen

_HTTPS: Final = 443


@dataclass(frozen=True, slots=True)
class Approved:
    """A backend of a revision, beside the provider as the Tenant has it today."""

    tenant: str
    uid: str
    spec: TenantSpec
    backend: PinnedBackend
    provider: Provider
    seen: Seen

    @property
    def upstream(self) -> Upstream:
        """The provider, spoken to as the revision says."""
        service = self.provider.service
        return Upstream(
            name=self._name,
            host=service_host(self.tenant, service) if service else self.backend.host,
            port=service.port if service else _HTTPS,
            path=self.backend.path,
            schema=Schema(self.backend.api_schema),
            encryption=_encryption(self.provider),
            authority=self.authority,
            region=self.backend.region,
            has_key=self.provider.credential is not None,
            provider=self.provider.name,
        )

    @property
    def authority(self) -> str:
        """The certificates that a private frontend is verified by; empty where there are none (yet)."""
        question = authority_of(self.tenant, self.provider)
        return str(self.seen.answers.get(question, "")) if question else ""

    @property
    def _name(self) -> str:
        """The provider's name; another one where the provider is spoken to in another way by now."""
        then = (self.backend.path, self.backend.api_schema, self.backend.region)
        path = self.provider.endpoint.path if self.provider.endpoint else self.backend.path
        if then == (path, self.provider.api_schema, self.provider.region or ""):
            return self.provider.name
        return f"{self.provider.name}.{hashlib.sha256('|'.join(then).encode()).hexdigest()[:8]}"


Gate: TypeAlias = Callable[[Approved], Finding | None]


def approved(tenant: str, uid: str, spec: TenantSpec, backend: PinnedBackend, seen: Seen) -> Approved | Finding:
    """The backend as it may be used, wherever its provider may be, or why it may not."""
    provider = next((each for each in spec.providers if each.name == backend.provider), None)
    if provider is None or backend.model not in provider.models:
        message = f"Tenant {tenant} has no provider {backend.provider} with model {backend.model}"
        return _refused(Reason.UNKNOWN_PROVIDER, f"{message}; ask the platform team for it")
    found = Approved(tenant, uid, spec, backend, provider, seen)
    return next((finding for gate in GATES if (finding := gate(found)) is not None), found)


def may_be_used_in(environment: str, provider: Provider) -> bool:
    """Whether the platform team gave the provider to that environment."""
    return provider.environments is None or environment in provider.environments


def authority_of(tenant: str, provider: Provider) -> Authority | None:
    """What must be asked before a private frontend can be verified; None where there is nothing to ask."""
    service = provider.service
    if service is None or service.tls is None:
        return None
    return Authority(names.core_namespace(tenant, service.namespace), service.tls.ca_config_map)


def provider_has_not_moved(found: Approved) -> Finding | None:
    """A key goes to the host that it is bound to."""
    now = host_of(found.tenant, found.provider)
    if found.backend.host == now:
        return None
    message = f"provider {found.provider.name} is at {now} and no longer at {found.backend.host}"
    return _refused(Reason.PROVIDER_MOVED, f"{message}: promote a revision that knows it")


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
    return _refused(Reason.UNKNOWN_REGION, f"{message}, the tenant's are {', '.join(residency.regions)}")


def stays_in_the_boundary(found: Approved) -> Finding | None:
    """Boundary Cluster: nothing leaves the cluster."""
    residency = found.spec.residency
    if found.provider.service or residency is None or residency.boundary != "Cluster":
        return None
    return _refused(Reason.OUTSIDE_BOUNDARY, f"provider {found.provider.name} is outside of the cluster")


def frontend_is_ours(found: Approved) -> Finding | None:
    """A prompt goes to a namespace of this tenant's, never to one that merely bears its name."""
    service = found.provider.service
    if service is None or _stands(found, service):
        return None
    message = f"provider {found.provider.name} runs in Namespace {service.namespace}, which is not there"
    return _refused(Reason.UNKNOWN_NAMESPACE, message)


def frontend_can_be_verified(found: Approved) -> Finding | None:
    """A frontend with TLS whose authority nobody knows is not spoken to."""
    question = authority_of(found.tenant, found.provider)
    if question is None or found.authority:
        return None
    message = f"provider {found.provider.name}: ConfigMap {question.namespace}/{question.name} has no certificate"
    return _refused(Reason.AUTHORITY_MISSING, f"{message} in ca.crt")


GATES: Final[tuple[Gate, ...]] = (
    provider_has_not_moved,
    stays_in_the_regions,
    stays_in_the_boundary,
    frontend_is_ours,
    frontend_can_be_verified,
)


def plaintext(spec: TenantSpec) -> Iterator[Finding]:
    """Frontends that are spoken to without TLS."""
    for provider in sorted(spec.providers, key=lambda each: each.name):
        if _encryption(provider) is Encryption.NONE:
            message = f"provider {provider.name} is spoken to in plain text; give its service tls.caConfigMap"
            yield Finding(Reason.PLAINTEXT_UPSTREAM, message)


def _stands(found: Approved, service: ModelService) -> bool:
    core = found.seen.cores.get(names.core_namespace(found.tenant, service.namespace))
    declared = any(each.name == service.namespace for each in found.seen.namespaces)
    return declared and owns(core, found.tenant, found.uid)


def _encryption(provider: Provider) -> Encryption:
    if provider.service is None:
        return Encryption.PUBLIC
    return Encryption.PRIVATE if provider.service.tls else Encryption.NONE


def _refused(reason: Reason, message: str) -> Finding:
    return Finding(reason, message, ConditionType.ACCEPTED)
