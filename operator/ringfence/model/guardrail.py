"""Guardrail: the compiled rules of one tenant namespace, which admission policies take as their parameter.

Laws: it is written by the operator only and read by everybody in the tenant: it answers "what may I do here". A list is
one value, written whole: of a set or a map by key, the API server keeps items that an earlier update owns, and an apply
that empties it leaves null in its place, which is refused for ever after.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from ringfence.model.addresses import ServedHost
from ringfence.model.definition import AGE, Column, Definition, name_rule
from ringfence.model.fields import (
    INTEGRAL,
    DnsLabel,
    DnsSubdomain,
    EnvironmentName,
    LabelMap,
    ModelName,
    NamespaceName,
    ProviderName,
    Region,
)
from ringfence.model.kinds import GUARDRAIL
from ringfence.model.references import KeyPrefix
from ringfence.model.rules import Model
from ringfence.model.scheduling import Toleration

Subject = Annotated[str, Field(max_length=400, pattern="^(Group|User|ServiceAccount):[ -~]+$")]
"""``Group:<name>``, ``User:<name>`` or ``ServiceAccount:<namespace>/<name>``."""


class GuardedEnvironment(Model):
    """An environment of the tenant."""

    name: EnvironmentName
    """Name of the environment."""
    protected: bool
    """Whether promotion to it needs an approval."""
    approvers: Annotated[tuple[Subject, ...], Field(max_length=32)] = ()
    """Who may approve; anyone with the right where it is empty."""


class GuardedProvider(Model):
    """A provider of the tenant."""

    name: ProviderName
    """Name of the provider."""
    models: Annotated[tuple[ModelName, ...], Field(min_length=1, max_length=64)]
    """Approved models."""
    environments: Annotated[tuple[EnvironmentName, ...], Field(max_length=8)] = ()
    """Environments that may use it."""


class GuardedStore(Model):
    """An external store of the tenant."""

    kind: Literal["SecretStore", "ClusterSecretStore"]
    """Kind of the store."""
    name: DnsSubdomain
    """Name of the store."""
    key_prefix: KeyPrefix
    """What keys start with."""


class GuardedKey(Model):
    """A gateway key: a ServiceAccount whose tokens have a greatest age."""

    service_account: DnsSubdomain
    """Name of the ServiceAccount."""
    max_age_seconds: Annotated[int, Field(ge=600, le=365 * 86400), INTEGRAL]
    """Greatest age of its tokens."""


class GuardedScheduling(Model):
    """What workloads may ask of the scheduler beyond the default."""

    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=16)] = ()
    """Taints that workloads may tolerate."""
    node_selector: LabelMap = Field(default_factory=dict)
    """Node labels that workloads may select."""
    runtime_classes: Annotated[tuple[DnsSubdomain, ...], Field(max_length=16)] = ()
    """RuntimeClasses that workloads may use."""
    priority_classes: Annotated[tuple[DnsSubdomain, ...], Field(max_length=16)] = ()
    """PriorityClasses that workloads may use."""


class Tokens(Model):
    """What tokens may be asked for here."""

    audiences: Annotated[tuple[DnsSubdomain, ...], Field(max_length=8)] = ()
    """Allowed audiences."""
    max_age_seconds: Annotated[int, Field(ge=600, le=365 * 86400), INTEGRAL] | None = None
    """Greatest age of a token of any other ServiceAccount; nobody is given one where it is left out."""
    keys: Annotated[tuple[GuardedKey, ...], Field(max_length=32)] = ()
    """Gateway keys."""


class GuardedStepUp(Model):
    """What sensitive actions need in `userInfo.extra`."""

    extra_key: Annotated[str, Field(max_length=128)]
    """Key in `userInfo.extra`."""
    values: Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(min_length=1, max_length=8)]
    """Any one of these values is enough."""


class GuardrailSpec(Model):
    """The compiled rules of one tenant namespace."""

    tenant: DnsLabel
    """The tenant."""
    namespace: NamespaceName | None = None
    """Name of the Namespace object; absent in the home namespace."""
    environment: EnvironmentName | None = None
    """Environment of this namespace; absent in the home namespace."""
    protected: bool = False
    """Whether that environment is protected."""
    exec_allowed: bool = False
    """Whether developers may open a shell, forward ports and add ephemeral containers."""
    private: bool = False
    """Whether model frontends run here: nobody but the gateway comes in."""
    quarantined: bool = False
    """Whether the tenant or this Namespace is quarantined."""
    environments: Annotated[tuple[GuardedEnvironment, ...], Field(max_length=8)] = ()
    """The tenant's environments in the order of promotion."""
    providers: Annotated[tuple[GuardedProvider, ...], Field(max_length=16)] = ()
    """The tenant's providers and models."""
    regions: Annotated[tuple[Region, ...], Field(max_length=16)] = ()
    """Regions for pods; anywhere where it is empty."""
    storage_classes: Annotated[tuple[DnsSubdomain, ...], Field(max_length=32)] = ()
    """StorageClasses for volume claims, the cluster's default by its name."""
    hosts: Annotated[tuple[ServedHost, ...], Field(max_length=64)] = ()
    """Host names for Ingress and HTTPRoute objects."""
    pod_security: Annotated[tuple[Literal["restricted", "baseline"], ...], Field(max_length=2)] = ()
    """Levels that a Namespace may ask for."""
    scheduling: GuardedScheduling = GuardedScheduling()
    """What workloads may ask of the scheduler beyond the default."""
    secret_stores: Annotated[tuple[GuardedStore, ...], Field(max_length=16)] = ()
    """External stores and prefixes."""
    tokens: Tokens = Tokens()
    """What tokens may be asked for."""
    subjects: Annotated[tuple[Subject, ...], Field(max_length=256)] = ()
    """Everybody that the tenant knows; nobody else is bound to a role."""
    step_up: GuardedStepUp | None = None
    """What sensitive actions need besides the right to do them."""


DEFINITION: Final = Definition(
    resource=GUARDRAIL,
    short_name="gr",
    description="The compiled rules of one tenant namespace: what may be done here. Written by the operator.",
    spec=GuardrailSpec,
    status=None,
    rules=(name_rule("ringfence", "the only Guardrail of a namespace is called ringfence"),),
    columns=(
        Column("TENANT", ".spec.tenant"),
        Column("ENV", ".spec.environment"),
        Column("QUARANTINED", ".spec.quarantined", "boolean"),
        AGE,
    ),
)
