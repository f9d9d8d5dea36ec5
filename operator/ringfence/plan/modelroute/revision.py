"""A revision of a ModelRoute: what it is, whatever becomes of the objects that it was made from.

Law: its name is a hash of its content, so that a promotion names one content and no other, and who may call it is not
changed behind an approval. Where it serves is no part of it.
"""

import hashlib
from typing import Annotated, Final, Literal

import orjson
from pydantic import Field

from ringfence import names
from ringfence.model.modelroute import Backend, Consumers, ModelRouteSpec, Privacy, RouteLimits
from ringfence.model.providers import ModelService, Provider
from ringfence.model.rules import Model
from ringfence.model.tenant import TenantSpec

_DIGITS: Final = 16
_API: Final = "/v1"
"""What paths of frontends in the cluster start with."""


class PinnedBackend(Model):
    """One model of one provider, and where that was when the revision was made."""

    provider: str
    """Name of the provider in the Tenant."""
    model: str
    """The provider's own name of the model."""
    priority: int
    """0 is tried first."""
    weight: int
    """Share of the requests among backends of the same priority."""
    host: str
    """DNS name, with the port where the provider is in the cluster."""
    path: str
    """What all requests start with."""
    api_schema: Annotated[Literal["OpenAI", "Anthropic"], Field(alias="schema")]
    """The wire format."""
    region: str = ""
    """As declared by the platform team; empty where nobody declared it, in the cluster."""


class PinnedLimits(Model):
    """The route's limits in plain numbers; what is left out is the Tenant's or the gateway's."""

    requests_per_minute: int | None = None
    """Requests of all consumers together."""
    tokens_per_minute: int | None = None
    """Tokens of all consumers together."""
    max_request_bytes: int | None = None
    """Bytes of a request's body."""
    timeout: int | None = None
    """Seconds."""
    idle_timeout: int | None = None
    """Seconds."""
    max_parallel: int | None = None
    """Requests at the same time."""


class RouteRevision(Model):
    """What a promotion promotes."""

    model: str
    """What callers write as `model`."""
    backends: tuple[PinnedBackend, ...]
    """By priority, provider and model."""
    limits: PinnedLimits = PinnedLimits()
    """What the gateway lets through."""
    privacy: Privacy = Privacy()
    """What is kept of prompts and answers."""
    consumers: Consumers | None = None
    """Who may call it, if the spec names them still; None where it names nobody: then whoever the spec lets."""

    @property
    def name(self) -> str:
        """``rev-`` and the first 16 hex digits of the SHA-256 of `canonical`."""
        return f"rev-{hashlib.sha256(self.canonical).hexdigest()[:_DIGITS]}"

    @property
    def content(self) -> dict[str, object]:
        """It as JSON, as it is kept, with its keys in order.

        The API server compares the bytes of a ControllerRevision's data when it sees to it that they never change, and
        writes keys in order itself: in another one every later apply would be refused (measured on Kubernetes 1.36).
        """
        content: dict[str, object] = orjson.loads(self.canonical)
        return content

    @property
    def canonical(self) -> bytes:
        """It as JSON with sorted keys and nothing between them: the same bytes wherever it is made."""
        fields = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)


def revision_of(tenant: str, spec: ModelRouteSpec, granted: TenantSpec) -> RouteRevision | None:
    """The revision that a route of ``tenant`` is; None where no backend's provider is one of the Tenant's.

    A provider that the Tenant does not have is nowhere, and left out.
    """
    providers = {provider.name: provider for provider in granted.providers}
    known = (each for each in spec.backends if each.provider in providers)
    backends = sorted(
        (_pinned(tenant, each, providers[each.provider]) for each in known),
        key=lambda each: (each.priority, each.provider, each.model),
    )
    if not backends:
        return None
    return RouteRevision(
        model=spec.model,
        backends=tuple(backends),
        limits=_limits(spec.limits),
        privacy=spec.privacy,
        consumers=_named(spec.consumers),
    )


def unknown_providers(spec: ModelRouteSpec, granted: TenantSpec) -> tuple[str, ...]:
    """Providers that a route names and its Tenant does not have."""
    known = {provider.name for provider in granted.providers}
    return tuple(sorted({each.provider for each in spec.backends} - known))


def host_of(tenant: str, provider: Provider) -> str:
    """Where a provider is: the host whose port is 443, or a Service in the cluster with its port."""
    if provider.endpoint:
        return provider.endpoint.host
    return f"{service_host(tenant, provider.service)}:{provider.service.port}" if provider.service else ""


def service_host(tenant: str, service: ModelService) -> str:
    """The DNS name of a private frontend, wherever the cluster's own domain begins."""
    return f"{service.name}.{names.core_namespace(tenant, service.namespace)}.svc"


def _pinned(tenant: str, backend: Backend, provider: Provider) -> PinnedBackend:
    return PinnedBackend(
        provider=provider.name,
        model=backend.model,
        priority=backend.priority,
        weight=backend.weight,
        host=host_of(tenant, provider),
        path=provider.endpoint.path if provider.endpoint else _API,
        api_schema=provider.api_schema,
        region=provider.region or "",
    )


def _named(consumers: Consumers) -> Consumers | None:
    """In one order."""
    if not consumers.anybody:
        return None
    accounts = sorted(consumers.service_accounts, key=lambda each: (each.namespace, each.name))
    return Consumers(namespaces=tuple(sorted(consumers.namespaces)), service_accounts=tuple(accounts))


def _limits(limits: RouteLimits) -> PinnedLimits:
    return PinnedLimits(
        requests_per_minute=limits.requests_per_minute,
        tokens_per_minute=limits.tokens_per_minute,
        max_request_bytes=limits.max_request_bytes.rounded_up if limits.max_request_bytes else None,
        timeout=limits.timeout.seconds if limits.timeout else None,
        idle_timeout=limits.idle_timeout.seconds if limits.idle_timeout else None,
        max_parallel=limits.max_parallel,
    )
