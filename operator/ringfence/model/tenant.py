"""Tenant: what the platform team grants to one tenant, and to nobody else."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ringfence.model.access import TenantAccess
from ringfence.model.addresses import Url
from ringfence.model.definition import AGE, READY, STATUS, Column, Definition
from ringfence.model.fields import (
    INTEGRAL,
    DnsSubdomain,
    Email,
    EnvironmentName,
    Line,
    NamespaceName,
    PerMinute,
    Region,
    Statement,
    Timestamp,
)
from ringfence.model.incident import Incident
from ringfence.model.kinds import TENANT
from ringfence.model.principals import Principal, Principals
from ringfence.model.providers import Providers
from ringfence.model.references import KeyPrefix
from ringfence.model.resources import Bytes, QuotaAmounts
from ringfence.model.rules import Keyed, Model, Unique
from ringfence.model.scheduling import Scheduling
from ringfence.model.status import TenantStatus
from ringfence.model.tenant_network import TenantNetwork
from ringfence.model.tenant_rules import ENVIRONMENT_RULES, RESIDENCY_RULES, ROOT_RULES, SPEC_RULES


class Contacts(Model):
    """Whom to ask."""

    reviewer: Principal | None = None
    """Who reviews the access lists."""
    security: Email | None = None
    """Whom to write to about weaknesses."""
    incident: Email | None = None
    """Whom to write to in an incident."""


class Environment(Model):
    """A stage of promotion."""

    name: EnvironmentName
    """Name of the environment."""
    protected: bool = False
    """Promotion needs an approval by someone else, to a first one too, and nobody opens a shell; never switched off."""
    approvers: Principals = ()
    """Who may approve; anyone with the right where it is left out."""


class Residency(Model):
    """Where data may be; it never changes."""

    regions: Annotated[tuple[Region, ...], Field(min_length=1, max_length=16), Unique()]
    """Regions for workloads and providers, as in the node label `topology.kubernetes.io/region`."""
    boundary: Literal["Regions", "Cluster"] = "Regions"
    """`Cluster`: nothing leaves the cluster, no external provider, hook or forwarding at all."""


class Budget(Model):
    """What all Namespaces of the tenant may have together, granted oldest first."""

    hard: QuotaAmounts = Field(default_factory=dict)
    """Greatest sum of the Namespaces' quotas; without limit for what is not named."""
    namespaces: Annotated[int, Field(ge=0, le=500), INTEGRAL] = 10
    """Greatest number of Namespaces."""


class PodSecurity(Model):
    """The levels of the Pod Security Standards that a Namespace may ask for."""

    allow: Annotated[tuple[Literal["restricted", "baseline"], ...], Field(min_length=1, max_length=2), Unique()] = (
        "restricted",
    )
    """Allowed levels."""


class SecretStore(Model):
    """An external store that the tenant may read below a prefix."""

    kind: Literal["SecretStore", "ClusterSecretStore"]
    """Kind of the store."""
    name: DnsSubdomain
    """Name of the store."""
    key_prefix: KeyPrefix
    """Keys of the tenant start with it; it ends with a slash."""


class Gateway(Model):
    """The tenant's own gateway to its models."""

    data_plane: Literal["Envoy", "EnvoyAIGateway", "None"] = "Envoy"
    """What serves the routes."""
    replicas: Annotated[int, Field(ge=1, le=20), INTEGRAL] = 2
    """Number of gateway pods."""
    requests_per_minute: PerMinute | None = None
    """Limit for the whole tenant."""
    max_request_bytes: Bytes | None = None
    """Greatest size of a request's body."""


Event = Literal["AccessReviewDue", "BreakGlass", "Denied", "Drift", "HoldReleased", "Quarantined", "RotationDue"]


class Notification(Model):
    """A web hook; its messages are signed with a key that is mounted into the operator."""

    name: Annotated[str, Field(max_length=30, pattern="^[a-z]([a-z0-9-]*[a-z0-9])?$")]
    """Name of the hook, and of its key."""
    url: Url
    """Where the messages go."""
    events: Annotated[tuple[Event, ...], Field(min_length=1, max_length=7), Unique()]
    """What is sent."""


class Scope(Model):
    """The part of the tenant that something applies to."""

    namespaces: Annotated[tuple[NamespaceName, ...], Field(max_length=64), Unique()] = ()
    """Names of Namespace objects; the whole tenant where it is empty."""


class ControlException(Model):
    """A control that does not hold somewhere, owned by somebody and ending by itself."""

    control: Annotated[str, Field(max_length=8, pattern="^[A-Z]{2,4}-[1-9][0-9]?$")]
    """The control's id in the catalogue: `DAT-2`."""
    scope: Scope = Scope()
    """Where it does not hold."""
    reason: Statement
    """Why."""
    owner: Email
    """Who answers for it."""
    until: Timestamp
    """When it ends; past it the condition ExceptionExpired is raised."""


Environments = Annotated[tuple[Environment, ...], Field(min_length=1, max_length=8), Keyed("name"), *ENVIRONMENT_RULES]


class TenantSpec(Model):
    """What the platform team grants to one tenant."""

    invariants: ClassVar = SPEC_RULES

    display_name: Annotated[Line, Field(max_length=128)] | None = None
    """Name for people."""
    contacts: Contacts = Contacts()
    """Whom to ask."""
    access: TenantAccess = TenantAccess()
    """Who belongs to the tenant, and in which role."""
    environments: Environments = (Environment(name="dev"),)
    """Environments in the order of promotion. They keep their order, new ones may be put between; one in use stays."""
    residency: Annotated[Residency, *RESIDENCY_RULES] | None = None
    """Where data may be; without it nothing is pinned. It never changes."""
    scheduling: Scheduling = Scheduling()
    """What workloads may ask of the scheduler beyond the default."""
    budget: Budget = Budget()
    """What all Namespaces may have together."""
    pod_security: PodSecurity = PodSecurity()
    """Levels of the Pod Security Standards that a Namespace may ask for."""
    storage_classes: Annotated[tuple[DnsSubdomain, ...], Field(max_length=32), Unique()] = ()
    """StorageClasses for volume claims; the cluster's default only where it is empty."""
    secret_stores: Annotated[tuple[SecretStore, ...], Field(max_length=16), Keyed("kind", "name")] = ()
    """External stores, each with the tenant's prefix."""
    network: TenantNetwork = TenantNetwork()
    """Exceptions to: nothing in, nothing out."""
    providers: Providers = ()
    """Approved model providers and models."""
    gateway: Gateway = Gateway()
    """The tenant's gateway."""
    notifications: Annotated[tuple[Notification, ...], Field(max_length=8), Keyed("name")] = ()
    """Web hooks."""
    exceptions: Annotated[tuple[ControlException, ...], Field(max_length=32)] = ()
    """Controls that do not hold somewhere, with owner and end."""
    isolation: Literal["Enforced", "Quarantined"] = "Enforced"
    """`Quarantined`: allow policies removed, gateway at 0, members read-only, retention frozen."""
    incident: Incident | None = None
    """Required while Quarantined."""
    deletion_policy: Literal["Retain", "Delete"] = "Retain"
    """`Retain`: access goes, policies stay, namespaces are orphaned on record. `Delete`: they are removed."""


DEFINITION = Definition(
    resource=TENANT,
    short_name="tn",
    description="A tenant of the platform: who it is, what it may use, where its data may be. "
    "Written by the platform team.",
    spec=TenantSpec,
    status=TenantStatus,
    rules=ROOT_RULES,
    columns=(
        READY,
        STATUS,
        Column("NAMESPACES", ".status.counts.namespaces", "integer"),
        Column("ROUTES", ".status.counts.routes", "integer"),
        AGE,
    ),
)
