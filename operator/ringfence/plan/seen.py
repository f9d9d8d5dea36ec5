"""What a planner may look at: one frozen snapshot, never a client, a clock or a logger.

Law: whatever a decision rests on is in `Seen`; what is not in it can't be decided, and is asked for as a `Question`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from ringfence.gateway.served import Issuer
from ringfence.model.kinds import Ref, ResourceType
from ringfence.model.modelroute import ModelRouteSpec
from ringfence.model.namespace import NamespaceSpec
from ringfence.model.retentionpolicy import RetentionPolicySpec
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan.enforcement import IN_FORCE, Enforcement
from ringfence.plan.images import SHIPPED, Images

AnySubject: TypeAlias = Subject[Any]


@dataclass(frozen=True, slots=True)
class CoreNamespace:
    """A core namespace as the API server has it, ours or not."""

    name: str
    uid: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    deleting: bool = False
    remaining: tuple[str, ...] = ()
    """While deleting: plural.group of the resources that still have objects (condition NamespaceContentRemaining)."""


@dataclass(frozen=True, slots=True)
class Live:
    """An object in a tenant namespace as it was last seen. ``content`` has only the fields that plans set or judge."""

    ref: Ref
    uid: str
    resource_version: str
    ours: bool
    """True when it carries our managed-by label."""
    content: Mapping[str, Any]
    deleting: bool = False
    finalizers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CertificateIssuer:
    """An issuer of cert-manager's."""

    kind: str
    name: str
    authorities: str
    """What its certificates are verified by, PEM: it stands in Secrets too, and nobody may read those."""


@dataclass(frozen=True, slots=True)
class RateLimitService:
    """A Service beside the operator that counts for gateways (`envoy.service.ratelimit.v3.RateLimitService`)."""

    name: str
    port: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of the cluster and the installation, whatever the subject."""

    cluster_uid: str
    """The uid of namespace kube-system, by which records name the cluster."""
    operator_namespace: str
    served: frozenset[ResourceType] = frozenset()
    """Optional resource types that the API server serves (ExternalSecret)."""
    protected_ranges: tuple[str, ...] = ()
    """Service, pod and node ranges in CIDR notation, as read from the cluster plus settings."""
    pod_ranges: tuple[str, ...] = ()
    """Of those, the ones that pods have addresses in."""
    unknown_ranges: tuple[str, ...] = ()
    """Which of "services", "pods", "nodes" could not be known; egress exceptions are refused meanwhile."""
    default_storage_class: str | None = None
    issuer: Issuer | None = None
    """Who vouches for the callers of gateways; None while it is not known, and nobody is let in."""
    enforcement: Enforcement = IN_FORCE
    """Whether the admission policies refuse what they should."""
    images: Images = SHIPPED
    """What gateways run."""
    certificate_issuer: CertificateIssuer | None = None
    """Who certifies gateways, as the installation says; where it says nothing, Ringfence does."""
    rate_limit_service: RateLimitService | None = None
    """Who counts tokens exactly, as the installation says; where it says nothing, they are estimated."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks, CIDR notation, of the proxies before gateways that are believed where a client is."""


class Existence(StrEnum):
    """The answer to "does this Secret exist", which is all that Ringfence ever learns of one."""

    PRESENT = "Present"
    ABSENT = "Absent"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, order=True)
class SecretExists:
    """Asked by a create with ``dryRun=All``: 409 means present, 201 absent."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True, order=True)
class ClaimsIn:
    """Asked before a namespace is removed: how many PersistentVolumeClaims it has."""

    namespace: str


@dataclass(frozen=True, slots=True, order=True)
class Authority:
    """Asked of a ConfigMap: the public certificates in its `ca.crt`, PEM; empty where there is none to trust."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True, order=True)
class NewCertificate:
    """Asked when a gateway needs a certificate: an authority is made for it, signs it, and is thrown away."""

    namespace: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate of a gateway: what is known of it, all of it public."""

    name: str
    """Of its Secret, and of the ConfigMap that tells of it."""
    authority: str
    """PEM."""
    starts: datetime
    ends: datetime


Question: TypeAlias = SecretExists | ClaimsIn | Authority | NewCertificate
Answer: TypeAlias = Existence | int | str | Issued


@dataclass(frozen=True, slots=True)
class Probed:
    """What a look at a tenant's gateway, over the network that its callers use, has found."""

    at: datetime
    """When this was found; a later look that finds the same leaves it."""
    reachable: bool = False
    """Whether every replica answered; where none can be reached, nothing is known of what is served."""
    revision: str = ""
    """The one revision of the configuration that all replicas serve, in 16 hex digits; empty where they differ."""
    problem: str = ""
    """Why it doesn't serve as it should, in a sentence that names the replica; empty where all is well."""
    refused: str = ""
    """The published revision, where Envoy refused some of it, in one replica at least; empty where it did not."""
    lacks_secrets: bool = False
    """Whether all that is wrong is that secrets are not there: everything else was taken."""

    def serves(self, revision: str) -> bool:
        """Whether every replica has taken all of that revision, be it without some provider's key."""
        return self.reachable and self.revision == revision and (not self.problem or self.lacks_secrets)


class View(Protocol):
    """Reads the engine's cache; every answer is immutable and costs no call."""

    def subject(self, ref: Ref) -> AnySubject | None:
        """One of our custom resources."""
        ...

    def subjects(self, kind: ResourceType, namespace: str) -> tuple[AnySubject, ...]:
        """All custom resources of one kind in one home namespace ("" for Tenants), oldest first."""
        ...

    def core_namespace(self, name: str) -> CoreNamespace | None:
        """A core namespace by name, ours or not."""
        ...

    def core_namespaces_of(self, tenant: str) -> tuple[CoreNamespace, ...]:
        """All core namespaces labelled with the tenant's name, whoever owns them, sorted by name."""
        ...

    def live(self, namespace: str) -> Mapping[Ref, Live]:
        """All watched objects in one core namespace: ours, and any NetworkPolicy, RoleBinding or Service there."""
        ...

    def probed(self, tenant: str) -> Probed | None:
        """The last look at a tenant's gateway; None before the first."""
        ...

    def quota(self, namespace: str) -> Mapping[str, str] | None:
        """``hard`` of the ResourceQuota that Ringfence keeps in one core namespace; asked for every sibling."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """The snapshot that one plan rests on."""

    now: datetime
    facts: Facts
    tenant: Subject[TenantSpec] | None
    namespaces: tuple[Subject[NamespaceSpec], ...] = ()
    """All Namespace objects of the tenant's home, oldest first."""
    routes: tuple[Subject[ModelRouteSpec], ...] = ()
    policies: tuple[Subject[RetentionPolicySpec], ...] = ()
    cores: Mapping[str, CoreNamespace] = field(default_factory=dict)
    """Core namespaces by name: the home, the declared ones, and whatever carries the tenant's label."""
    live: Mapping[Ref, Live] = field(default_factory=dict)
    """Watched objects in the namespaces that the subject itself is responsible for."""
    foreign: frozenset[str] = frozenset()
    """Of the namespaces whose ServiceAccounts the Tenant's access lists name: those that are other tenants'."""
    quotas: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """``hard`` of the live ResourceQuotas of Ringfence, by core namespace: what is granted until it is lowered."""
    answers: Mapping[Question, Answer] = field(default_factory=dict)
    gateway: Mapping[str, str] = field(default_factory=dict)
    """For a Namespace: what its home's ConfigMap tells of the gateway."""
    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Uids of the ServiceAccounts of gateway keys by name, by core namespace."""
    services: Mapping[Ref, Live] = field(default_factory=dict)
    """Services of the tenant's model frontends, whoever made them."""
    probed: Probed | None = None
    """The last look at the tenant's gateway; None before the first, and where there is no gateway."""
