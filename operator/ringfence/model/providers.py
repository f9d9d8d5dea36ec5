"""The model providers that a platform team approves for a tenant.

Law: a provider is one host, its key goes to that host and to no other.
"""

from collections.abc import Callable
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from ringfence.model.addresses import Host, Path, Url
from ringfence.model.fields import (
    DnsLabel,
    DnsSubdomain,
    Duration,
    Email,
    EnvironmentName,
    ModelName,
    NamespaceName,
    Port,
    ProviderName,
    Region,
    Timestamp,
)
from ringfence.model.references import ExternalSecretRef, SecretKey
from ringfence.model.rules import Keyed, Model, Rule, Unique, exactly_one_of


class Endpoint(Model):
    """A host outside the cluster, spoken to by HTTPS on port 443."""

    host: Host
    """Full DNS name."""
    path: Path = "/v1"
    """Path that all requests start with; `/v1` where it is left out."""


class ServiceTls(Model):
    """How the gateway verifies a frontend inside the cluster."""

    ca_config_map: DnsSubdomain
    """ConfigMap in the Namespace of the frontend with the certificate authority in `ca.crt`."""


class ModelService(Model):
    """A model frontend in one of the tenant's own Namespaces; it admits the gateway only."""

    namespace: NamespaceName
    """Name of the Namespace object."""
    name: DnsLabel
    """Name of the Service, of type ClusterIP and with a selector."""
    port: Port
    """Port of the Service; its pods may have another."""
    tls: ServiceTls | None = None
    """Without it prompts go in plain text (finding PlaintextUpstream), and a provider with a key gets none."""


class ModelSecretRef(Model):
    """A Secret of the tenant's home namespace."""

    name: Annotated[str, Field(max_length=63, pattern="^model-[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
    """Name of the Secret; it starts with `model-`."""
    key: SecretKey
    """Key in the Secret."""


class Credential(Model):
    """Where the provider's key is, and who renews it."""

    invariants: ClassVar = (exactly_one_of("secretRef", "externalSecret"),)

    secret_ref: ModelSecretRef | None = None
    """A Secret of the home namespace; Ringfence knows that it exists, never what is in it."""
    external_secret: ExternalSecretRef | None = None
    """A value in one of the tenant's external stores."""
    rotate_every: Duration | None = None
    """Greatest age; past it the condition RotationDue is raised."""
    rotated_at: Timestamp | None = None
    """When it was last renewed, declared by whoever did; with `externalSecret` the store's own time is used."""
    rotation_owner: Email | None = None
    """Who renews it."""


class Terms(Model):
    """What the provider promises, declared by the platform team and shown in the evidence."""

    url: Url | None = None
    """Where the terms are published."""
    retention: Duration | None = None
    """How long the provider keeps prompts and answers."""
    training: bool | None = None
    """Whether the provider trains models with them."""
    reviewed_at: Timestamp | None = None
    """When somebody last read the terms."""


class Provider(Model):
    """One approved provider of models."""

    invariants: ClassVar = (
        exactly_one_of("endpoint", "service"),
        Rule(
            "!has(self.endpoint) || (has(self.region) && has(self.credential))",
            "a provider with an endpoint needs region and credential",
            lambda provider: provider.endpoint is None or bool(provider.region and provider.credential),
        ),
    )

    name: ProviderName
    """Name by which ModelRoutes refer to it."""
    api_schema: Annotated[Literal["OpenAI", "Anthropic"], Field(alias="schema")]
    """The wire format it speaks."""
    endpoint: Endpoint | None = None
    """A host outside the cluster."""
    service: ModelService | None = None
    """A frontend in one of the tenant's Namespaces."""
    region: Region | None = None
    """Where it processes data, declared by the platform team and never observed; required with `endpoint`."""
    environments: Annotated[tuple[EnvironmentName, ...], Field(min_length=1, max_length=8), Unique()] | None = None
    """Environments that may use it; all where it is left out."""
    models: Annotated[tuple[ModelName, ...], Field(min_length=1, max_length=64), Unique()]
    """The approved models, by their exact names."""
    credential: Credential | None = None
    """The provider's key; required with `endpoint`."""
    terms: Terms | None = None
    """What the provider promises."""


def _target(provider: Provider) -> object:
    """Whom the provider's key is shown to; TLS is how, not whom."""
    if provider.endpoint:
        return provider.endpoint.host
    return provider.service and (provider.service.namespace, provider.service.name)


# `namespace` is a reserved word of CEL.
_SAME_TARGET: Final = (
    "(has(p.endpoint) && has(q.endpoint) && p.endpoint.host == q.endpoint.host) || (has(p.service) && has(q.service) "
    "&& p.service.__namespace__ == q.service.__namespace__ && p.service.name == q.service.name)"
)


def _one_target(reference: str, same: str, secret: Callable[[Credential], object | None]) -> Rule:
    """The rule that whoever has the ``same`` reference has the same target; ``secret`` gives what is compared."""
    absent = f"!has({{0}}.credential) || !has({{0}}.credential.{reference})"

    def holds(providers: tuple[Provider, ...]) -> bool:
        targets: dict[object, object] = {}
        return all(
            targets.setdefault(found, _target(provider)) == _target(provider)
            for provider in providers
            if provider.credential and (found := secret(provider.credential))
        )

    return Rule(
        f"self.all(p, {absent.format('p')} || self.all(q, {absent.format('q')} || !({same}) || {_SAME_TARGET}))",
        f"one {reference} must not serve two hosts: a provider's key never goes to another's host",
        holds,
    )


Providers = Annotated[
    tuple[Provider, ...],
    Field(max_length=16),
    Keyed("name"),
    _one_target(
        "secretRef",
        "p.credential.secretRef.name == q.credential.secretRef.name",
        lambda credential: credential.secret_ref and credential.secret_ref.name,
    ),
    _one_target(
        "externalSecret",
        "p.credential.externalSecret == q.credential.externalSecret",
        lambda credential: credential.external_secret,
    ),
]
