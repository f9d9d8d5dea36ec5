"""A backend of a revision beside its provider as the Tenant has it today: what it would be spoken to as.

Law: a provider is whom the platform team approved, with that very model and for that environment; nobody else is one.
"""

import hashlib
from dataclasses import dataclass

from ringfence import names
from ringfence.gateway.served import Encryption, Schema, Upstream
from ringfence.model.modelroute import Backend
from ringfence.model.providers import Provider
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan.modelroute.revision import PinnedBackend, service_host
from ringfence.plan.plan import Finding
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Authority, Seen

_HTTPS = 443


@dataclass(frozen=True, slots=True)
class Approved:
    """A backend of a revision in one environment, beside the provider that it names."""

    owner: Subject[TenantSpec]
    spec: TenantSpec
    environment: str
    backend: PinnedBackend
    provider: Provider
    seen: Seen

    @property
    def tenant(self) -> str:
        """The Tenant's name."""
        return self.owner.name

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
            encryption=encryption(self.provider),
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
    def is_asked_for(self) -> bool:
        """Whether the platform team gave the provider to that environment."""
        return self.provider.environments is None or self.environment in self.provider.environments

    @property
    def _name(self) -> str:
        """The provider's name; another one where the provider is spoken to in another way by now."""
        then = (self.backend.path, self.backend.api_schema, self.backend.region)
        path = self.provider.endpoint.path if self.provider.endpoint else self.backend.path
        if then == (path, self.provider.api_schema, self.provider.region or ""):
            return self.provider.name
        return f"{self.provider.name}.{hashlib.sha256('|'.join(then).encode()).hexdigest()[:8]}"


def provider_of(tenant: str, spec: TenantSpec, backend: Backend | PinnedBackend) -> Provider | Finding:
    """Whoever the platform team approved for the model that a backend names."""
    provider = next((each for each in spec.providers if each.name == backend.provider), None)
    if provider is not None and backend.model in provider.models:
        return provider
    message = f"Tenant {tenant} has no provider {backend.provider} with model {backend.model}"
    return refused(Reason.UNKNOWN_PROVIDER, f"{message}; ask the platform team for it")


def authority_of(tenant: str, provider: Provider) -> Authority | None:
    """What must be asked before a private frontend can be verified; None where there is nothing to ask."""
    service = provider.service
    if service is None or service.tls is None:
        return None
    return Authority(names.core_namespace(tenant, service.namespace), service.tls.ca_config_map)


def encryption(provider: Provider) -> Encryption:
    """How a provider is spoken to."""
    if provider.service is None:
        return Encryption.PUBLIC
    return Encryption.PRIVATE if provider.service.tls else Encryption.NONE


def refused(reason: Reason, message: str) -> Finding:
    """Why a backend may not be used."""
    return Finding(reason, message, ConditionType.ACCEPTED)
