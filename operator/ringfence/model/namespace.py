"""Namespace: one isolated place for a tenant's workloads; it becomes the core namespace `<tenant>-<name>`."""

import re
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from ringfence.model.access import NamespaceAccess
from ringfence.model.addresses import Cidr, NamespacePeer, Ports
from ringfence.model.definition import AGE, READY, STATUS, Column, Definition, name_rule
from ringfence.model.fields import (
    NAMESPACE_NAME,
    NAMESPACE_NAME_LENGTH,
    DnsLabel,
    Duration,
    Email,
    EnvironmentName,
    LabelMap,
    LabelText,
    Region,
    at_least,
    at_most,
)
from ringfence.model.incident import Incident
from ringfence.model.kinds import NAMESPACE
from ringfence.model.references import ExternalSecretRef
from ringfence.model.resources import ContainerLimits, Quota
from ringfence.model.rules import Keyed, Model, Rule, Transition, Unique
from ringfence.model.status import NamespaceStatus

# Labels that other programs take for grants: policies, meshes, quotas and dashboards select namespaces by them.
RESERVED_LABELS: Final = (
    "^([^/]*[.])?(ringfence[.]dev|kubernetes[.]io|k8s[.]io|x-k8s[.]io|openshift[.]io|istio[.]io|linkerd[.]io"
    "|cilium[.]io|projectcalico[.]org|cattle[.]io|argoproj[.]io|toolkit[.]fluxcd[.]io|helm[.]sh|clastix[.]io)/"
    "|^istio-injection$"
)

Labels = Annotated[
    LabelMap,
    Rule(
        f"self.all(k, !k.matches('{RESERVED_LABELS}'))",
        "labels that select namespaces for other programs are reserved",
        lambda labels: not any(re.search(RESERVED_LABELS, key) for key in labels),
    ),
]


class Owner(Model):
    """Who answers for the Namespace, in usage and evidence."""

    team: LabelText | None = None
    """Team."""
    application: LabelText | None = None
    """Application."""
    contact: Email | None = None
    """Whom to write to."""


class IngressRule(Model):
    """A Namespace whose pods may come in; it must declare the same in its egress."""

    source: Annotated[NamespacePeer, Field(alias="from")]
    """The other Namespace."""
    ports: Ports
    """Ports of this Namespace's pods, TCP."""


class EgressRule(Model):
    """A Namespace whose pods may be reached; it must declare the same in its ingress."""

    target: Annotated[NamespacePeer, Field(alias="to")]
    """The other Namespace."""
    ports: Ports
    """Ports of the other Namespace's pods, TCP."""


class NamespaceNetwork(Model):
    """Peers of the same tenant and environment; the gateway and DNS are always open."""

    ingress: Annotated[tuple[IngressRule, ...], Field(max_length=64)] = ()
    """Who may come in."""
    egress: Annotated[tuple[EgressRule, ...], Field(max_length=64)] = ()
    """Who may be reached."""


class SecretReference(Model):
    """A Secret that must exist in the core namespace; its content is never read."""

    name: DnsLabel
    """Name of the Secret."""
    external_secret: ExternalSecretRef | None = None
    """Where it comes from; without it somebody else makes the Secret."""
    rotate_every: Duration | None = None
    """Greatest age; past it the condition RotationDue is raised."""
    rotation_owner: Email | None = None
    """Who renews it."""


class GatewayKey(Model):
    """A key for a caller without a pod here; it is a token of a ServiceAccount and is stored nowhere."""

    name: Annotated[str, Field(max_length=40, pattern="^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
    """Name of the key. Removing the entry revokes every token for good."""
    mode: Literal["Test", "Live"] = "Test"
    """`Test` keys start with `rf_test_` and are refused in protected environments; `Test` where it is left out."""
    allow_cidrs: Annotated[tuple[Cidr, ...], Field(min_length=1, max_length=32), Unique()] | None = Field(
        default=None, alias="allowCIDRs"
    )
    """Networks that the caller comes from; any where it is left out."""
    # The API server issues no token for less than 10 minutes; without an upper bound a token of 10 years was issued.
    max_age: Annotated[Duration, at_least("10m"), at_most("365d")] = Duration("30d")
    """Greatest age of a token, from 10m to 365d; `30d` where it is left out."""
    owner: Email | None = None
    """Who answers for the key."""


class NamespaceSpec(Model):
    """One isolated place for workloads."""

    invariants: ClassVar = (Transition("has(self.region) == has(oldSelf.region)", "region must not change", ".region"),)

    environment: Annotated[EnvironmentName, Transition("self == oldSelf", "environment must not change")]
    """One of the Tenant's environments; it never changes."""
    region: Annotated[Region, Transition("self == oldSelf", "region must not change")] | None = None
    """One of the Tenant's regions, required where there are several; it never changes."""
    owner: Owner = Owner()
    """Who answers for it."""
    pod_security: Literal["restricted", "baseline"] = "restricted"
    """Level of the Pod Security Standards, if the Tenant allows it."""
    quota: Quota = Quota()
    """What all pods and objects may use together."""
    limits: ContainerLimits = ContainerLimits()
    """What a container gets that says nothing itself."""
    network: NamespaceNetwork = NamespaceNetwork()
    """Peers."""
    secrets: Annotated[tuple[SecretReference, ...], Field(max_length=64), Keyed("name")] = ()
    """Secrets that must exist here."""
    gateway_keys: Annotated[tuple[GatewayKey, ...], Field(max_length=32), Keyed("name")] = ()
    """Keys for callers without a pod here."""
    labels: Labels = Field(default_factory=dict)
    """Labels for the core namespace."""
    access: NamespaceAccess = NamespaceAccess()
    """Rights in this Namespace only."""
    isolation: Literal["Enforced", "Quarantined"] = "Enforced"
    """`Quarantined` cuts this Namespace off alone."""
    incident: Incident | None = None
    """Which incident that is for; where it is left out, records call it by the Namespace, `<tenant>/<name>`."""


DEFINITION: Final = Definition(
    resource=NAMESPACE,
    short_name="tns",
    description="An isolated place for a tenant's workloads, in the tenant's home namespace: it becomes the core "
    "namespace <tenant>-<name> with its fence around it.",
    spec=NamespaceSpec,
    status=NamespaceStatus,
    rules=(
        name_rule(
            NAMESPACE_NAME, "the name has lower-case letters, digits and single hyphens, first a letter, last no hyphen"
        ),
        Rule(
            f"self.metadata.name.size() <= {NAMESPACE_NAME_LENGTH}",
            f"the name has {NAMESPACE_NAME_LENGTH} characters at most",
            lambda root: len(root.name) <= NAMESPACE_NAME_LENGTH,
        ),
    ),
    columns=(
        READY,
        STATUS,
        Column("CORE-NAMESPACE", ".status.coreNamespace"),
        Column("ENV", ".spec.environment"),
        AGE,
    ),
    selectable=(".spec.environment",),
)
