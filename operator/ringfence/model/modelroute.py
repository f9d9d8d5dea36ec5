"""ModelRoute: a model by name for a tenant's workloads, and the providers behind it."""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from ringfence.model.definition import AGE, READY, STATUS, Column, Definition, name_rule
from ringfence.model.fields import (
    ENVIRONMENT,
    ENVIRONMENT_LENGTH,
    INTEGRAL,
    DnsSubdomain,
    Duration,
    EnvironmentName,
    ModelName,
    NamespaceName,
    PerMinute,
    ProviderName,
    Revision,
)
from ringfence.model.kinds import MODEL_ROUTE
from ringfence.model.resources import Bytes
from ringfence.model.rules import Keyed, Model, Rule, Transition, Unique
from ringfence.model.status import ModelRouteStatus

OBJECT_NAME: Final = "[a-z]([a-z0-9-]{0,38}[a-z0-9])?"


class Backend(Model):
    """One approved model of one provider."""

    provider: ProviderName
    """Name of the provider in the Tenant."""
    model: ModelName
    """The provider's own name of the model."""
    priority: Annotated[int, Field(ge=0, le=7), INTEGRAL] = 0
    """0 is tried first, higher ones are fallbacks; 0 where it is left out."""
    weight: Annotated[int, Field(ge=1, le=1000), INTEGRAL] = 1
    """Share of the requests among backends of the same priority; 1 where it is left out."""


class Workload(Model):
    """A ServiceAccount in one of the tenant's Namespaces."""

    namespace: NamespaceName
    """Name of the Namespace object."""
    name: DnsSubdomain
    """Name of the ServiceAccount."""


class Consumers(Model):
    """Who may call the route; all Namespaces of the served environments where nobody is named."""

    namespaces: Annotated[tuple[NamespaceName, ...], Field(max_length=64), Unique()] = ()
    """Names of Namespace objects."""
    service_accounts: Annotated[tuple[Workload, ...], Field(max_length=64), Keyed("namespace", "name")] = ()
    """Single ServiceAccounts; a gateway key's is `ringfence-key-NAME`, named here to call in protected environments."""

    @property
    def anybody(self) -> bool:
        """Whether somebody is named."""
        return bool(self.namespaces or self.service_accounts)


class RouteLimits(Model):
    """What the gateway lets through."""

    requests_per_minute: PerMinute | None = None
    """Requests of all consumers in one environment together."""
    tokens_per_minute: PerMinute | None = None
    """Tokens of all consumers in one environment together."""
    max_request_bytes: Bytes | None = None
    """Greatest size of a request's body."""
    timeout: Duration | None = None
    """Greatest time from the request to the end of the answer."""
    idle_timeout: Duration | None = None
    """Greatest silence within an answer."""
    max_parallel: Annotated[int, Field(ge=1, le=100_000), INTEGRAL] | None = None
    """Requests at the same time in one environment."""


class Privacy(Model):
    """What is kept of prompts and answers."""

    payloads: Literal["Never"] = "Never"
    """`Never` is the only value: prompts and answers are not logged."""


class Approval(Model):
    """A second person's word for a promotion."""

    environment: EnvironmentName
    """The environment."""
    revision: Revision
    """The revision that is being promoted to it."""
    by: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    """The approver, as the API server knows him; filled in by the API server."""


APPROVAL_RULES: Final = (
    Transition(
        "self.all(n, !oldSelf.exists(o, o.environment == n.environment && o.revision == n.revision && "
        "has(o.by) && (!has(n.by) || n.by != o.by)))",
        "an approval must not change",
    ),
)


Promotions = Annotated[
    Mapping[str, Revision],
    Field(max_length=8),
    Rule(
        f"self.all(k, k.size() <= {ENVIRONMENT_LENGTH} && k.matches('^{ENVIRONMENT}$'))",
        "every key must be the name of an environment",
        lambda promotions: all(
            len(name) <= ENVIRONMENT_LENGTH and re.fullmatch(ENVIRONMENT, name) for name in promotions
        ),
    ),
]


class ModelRouteSpec(Model):
    """A model by name, and the providers behind it."""

    model: ModelName
    """What callers write as `model`; matched exactly."""
    backends: Annotated[tuple[Backend, ...], Field(min_length=1, max_length=8), Keyed("provider", "model")]
    """The providers' models that serve it."""
    consumers: Consumers = Consumers()
    """Who may call it, all if none is named. Who is added waits for promotion; who is taken off is refused at once."""
    limits: RouteLimits = RouteLimits()
    """What the gateway lets through."""
    privacy: Privacy = Privacy()
    """What is kept of prompts and answers."""
    promotions: Promotions = Field(default_factory=dict)
    """Revision by environment; the first environment follows the spec, unless it is protected."""
    approvals: Annotated[
        tuple[Approval, ...], Field(max_length=32), Keyed("environment", "revision"), *APPROVAL_RULES
    ] = ()
    """Approvals, each added by the approver himself; never kept in Git."""


DEFINITION: Final = Definition(
    resource=MODEL_ROUTE,
    short_name="mr",
    description="A model by name for the workloads of a tenant, and the approved providers behind it.",
    spec=ModelRouteSpec,
    status=ModelRouteStatus,
    rules=(
        name_rule(
            OBJECT_NAME, "the name has 1 to 40 lower-case letters, digits and hyphens, first a letter, last no hyphen"
        ),
    ),
    columns=(READY, STATUS, Column("MODEL", ".spec.model"), Column("REVISION", ".status.revision"), AGE),
    selectable=(".spec.model",),
)
