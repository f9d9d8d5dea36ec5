"""What the operator answers, per kind.

Law: conditions are metav1 and kstatus-compatible; status is born with ``observedGeneration: -1``, so that no tool
takes a new object for a finished one.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from ringfence.model.fields import INTEGRAL, Timestamp
from ringfence.model.quantity import Quantity
from ringfence.model.rules import Keyed, Model

UNOBSERVED = -1

Generation = Annotated[int, Field(ge=-1, json_schema_extra={"format": "int64"}), INTEGRAL]
Count = Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"}), INTEGRAL]
Text = Annotated[str, Field(max_length=256)]
Amounts = Annotated[Mapping[str, Quantity], Field(max_length=64)]


class Condition(Model):
    """One aspect of the object's state, as in `metav1.Condition`."""

    type: Annotated[str, Field(max_length=64, pattern="^[A-Z][A-Za-z0-9]*$")]
    """Name of the aspect."""
    status: Literal["True", "False", "Unknown"]
    """`Unknown` where it cannot be known."""
    reason: Annotated[str, Field(max_length=128, pattern="^[A-Z][A-Za-z0-9]*$")]
    """Why, in one word for programs."""
    message: Annotated[str, Field(max_length=4096)]
    """Why, for people: it names the object and the next step."""
    observed_generation: Generation | None = None
    """The generation that it was judged by."""
    last_transition_time: Timestamp
    """When `status` last changed."""


class Status(Model):
    """What every kind has in its status."""

    observed_generation: Generation | None = None
    """The generation that all of status was judged by; -1 before the operator has seen the object."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=32), Keyed("type")] = ()
    """The aspects of the object's state."""


class TenantCounts(Model):
    """How much of it there is."""

    namespaces: Count | None = None
    """Namespace objects."""
    routes: Count | None = None
    """ModelRoute objects."""


class TenantNamespace(Model):
    """One Namespace of the tenant."""

    name: Text
    """Name of the Namespace object."""
    core_namespace: Text | None = None
    """Its core namespace."""
    environment: Text | None = None
    """Its environment."""
    ready: bool | None = None
    """Whether it is as wanted."""


class TenantBudgetStatus(Model):
    """The budget and what is granted of it."""

    hard: Amounts = Field(default_factory=dict)
    """Greatest sums."""
    allocated: Amounts = Field(default_factory=dict)
    """Sums of what Namespaces were granted."""


class LineageStatus(Model):
    """The tenant's record log."""

    size: Count | None = None
    """Number of records."""
    root_hash: Text | None = None
    """Root of the Merkle tree over all records."""
    checkpoint: Annotated[str, Field(max_length=1024)] | None = None
    """The signed checkpoint."""


class TenantGatewayStatus(Model):
    """The tenant's gateway."""

    url: Text | None = None
    """Where workloads reach it."""
    routes: Count | None = None
    """Routes that are served."""
    config_hash: Text | None = None
    """Hash of the configuration that is served."""


MOST_NAMESPACES: Final = 500
"""Namespaces that a Tenant's status can tell of; there may be more."""


class TenantStatus(Status):
    """What the operator knows about a Tenant."""

    counts: TenantCounts = TenantCounts()
    """How much of it there is."""
    namespaces: Annotated[tuple[TenantNamespace, ...], Field(max_length=MOST_NAMESPACES), Keyed("name")] = ()
    """The tenant's Namespaces."""
    budget: TenantBudgetStatus = TenantBudgetStatus()
    """The budget and what is granted of it."""
    lineage: LineageStatus = LineageStatus()
    """The tenant's record log."""
    gateway: TenantGatewayStatus = TenantGatewayStatus()
    """The tenant's gateway."""


class Children(Model):
    """What the operator keeps in the core namespace."""

    applied: Count | None = None
    """Objects that are as wanted."""
    drifted: Count | None = None
    """Objects that differ from what is wanted."""


class NamespaceStatus(Status):
    """What the operator knows about a Namespace."""

    core_namespace: Text | None = None
    """The core namespace."""
    children: Children = Children()
    """What the operator keeps in the core namespace."""


class ServedRevision(Model):
    """What one environment serves."""

    name: Text
    """The environment."""
    revision: Text | None = None
    """The revision."""
    since: Timestamp | None = None
    """Since when."""
    served: Literal["True", "False", "Unknown"] | None = None
    """Whether the data plane was seen to serve it."""


class RouteGatewayStatus(Model):
    """Where the route is served."""

    url: Text | None = None
    """Where workloads reach it."""
    config_hash: Text | None = None
    """Hash of the configuration by which `environments` came to be as they are; the Tenant tells the present one."""


class ModelRouteStatus(Status):
    """What the operator knows about a ModelRoute."""

    revision: Text | None = None
    """Revision of the spec."""
    environments: Annotated[tuple[ServedRevision, ...], Field(max_length=8), Keyed("name")] = ()
    """What each environment serves."""
    gateway: RouteGatewayStatus = RouteGatewayStatus()
    """Where the route is served."""


class Sweep(Model):
    """One pass over what is kept too long."""

    at: Timestamp
    """When it was."""
    examined: Count | None = None
    """Objects looked at."""
    deleted: Count | None = None
    """Objects deleted."""
    held: Count | None = None
    """Objects that a legal hold kept."""


class RetentionPolicyStatus(Status):
    """What the operator knows about a RetentionPolicy."""

    last_sweep: Sweep | None = None
    """The last pass."""
    next_sweep: Timestamp | None = None
    """When the next pass is due."""
    holds: Count | None = None
    """Legal holds that stand."""
