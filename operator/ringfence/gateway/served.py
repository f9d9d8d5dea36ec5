"""What a tenant's gateway serves, as plain values that its configuration is rendered from.

Law: all of it was judged before. Rendering decides nothing: what is not here is not served.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

MAX_REQUEST_BYTES: Final = 1 << 20
"""Of a request's body, where nothing is said."""
TIMEOUT: Final = 120
"""Seconds from the request to the end of the answer, where nothing is said."""
IDLE_TIMEOUT: Final = 60
"""Seconds of silence within an answer, where nothing is said."""


class Encryption(Enum):
    """How an upstream is spoken to."""

    PUBLIC = "public"
    """TLS, verified against the public authorities and the host's name."""
    PRIVATE = "private"
    """TLS, verified against the frontend's own authority and the host's name."""
    NONE = "none"
    """Plain text, inside the cluster only; reported as PlaintextUpstream."""


class Schema(Enum):
    """The wire format of an upstream."""

    OPENAI = "OpenAI"
    ANTHROPIC = "Anthropic"
    """Translated from and to OpenAI's, without streaming."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """One approved provider: one host, and the key that goes there and nowhere else."""

    name: str
    host: str
    """DNS name that is connected to, asked for and verified."""
    port: int
    path: str = "/v1"
    """What the paths of its API start with."""
    schema: Schema = Schema.OPENAI
    encryption: Encryption = Encryption.PUBLIC
    authority: str = ""
    """Certificates of a private frontend's authority, PEM; with `Encryption.PRIVATE` only."""
    region: str = ""
    """As declared by the platform team; empty inside the cluster."""
    has_key: bool = True
    """Whether a key is mounted for it."""
    provider: str = ""
    """Whose key it is, where a provider has several upstreams: an older revision may speak to it in another way."""

    @property
    def key(self) -> str:
        """The folder of its key."""
        return self.provider or self.name


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One model of one upstream."""

    upstream: str
    model: str
    """The provider's own name of it."""
    weight: int = 1
    """Share of the requests in its pool."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a route lets through."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    """Exact where the gateway has a rate limit service; else estimated from the size of requests."""
    max_request_bytes: int = MAX_REQUEST_BYTES
    timeout: int = TIMEOUT
    idle_timeout: int = IDLE_TIMEOUT
    max_parallel: int | None = None
    """Requests at its providers at once; the next one is refused."""

    @property
    def are_counted(self) -> bool:
        """Whether they hold for requests together, and not for each by itself."""
        return any((self.requests_per_minute, self.tokens_per_minute, self.max_parallel))


@dataclass(frozen=True, slots=True)
class Route:
    """A model by the name that callers use, in one revision."""

    name: str
    """Of the ModelRoute."""
    model: str
    revision: str
    pools: tuple[tuple[Target, ...], ...]
    """Targets by priority: those of the first pool are tried first, those of the next when it fails."""
    limits: Limits = Limits()
    environment: str = ""
    """Where it is served so; its limits count there and nowhere else. Empty where it need not be told apart."""

    @property
    def counter(self) -> str:
        """By what name its requests are counted: an environment serves one revision, and uses up nothing of another."""
        return f"{self.environment}/{self.name}"

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every target, first pools first."""
        return tuple(target for pool in self.pools for target in pool)


@dataclass(frozen=True, slots=True)
class Grant:
    """A route in one namespace."""

    route: Route
    accounts: frozenset[str] = frozenset()
    """Names of the ServiceAccounts that may call it; all of the namespace where it is empty."""
    without: frozenset[str] = frozenset()
    """Names of those that may not, where all others may."""

    def lets(self, account: str) -> bool:
        """Whether the ServiceAccount of that name may call it."""
        return account in self.accounts if self.accounts else account not in self.without


@dataclass(frozen=True, slots=True)
class Key:
    """A gateway key: a ServiceAccount whose tokens are used from outside of the cluster."""

    name: str
    """As the Namespace object calls it."""
    account: str
    """Name of the ServiceAccount."""
    uid: str
    """Of the ServiceAccount: one that was deleted and made again is another key."""
    live: bool
    """Tokens of live keys begin with `rf_live_`, those of others with `rf_test_`."""
    cidrs: tuple[str, ...] = ()
    """Where its callers may be; anywhere when it is empty."""


@dataclass(frozen=True, slots=True)
class Callers:
    """One core namespace of the tenant, and what it may call."""

    environment: str
    grants: tuple[Grant, ...] = ()
    """One for each model."""
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who vouches for callers: the API server that signs the tokens of ServiceAccounts."""

    url: str
    """The claim `iss`."""
    jwks: str
    """Its public keys, JSON (RFC 7517). They stand in the configuration itself: a file of keys is read only once."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Who looks whether the gateway serves: it is told the models of nobody, and may call none."""

    namespace: str
    account: str


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway of one tenant."""

    tenant: str
    issuer: Issuer
    upstreams: tuple[Upstream, ...] = ()
    callers: Mapping[str, Callers] = field(default_factory=dict, hash=False)
    """By core namespace; one without any model is here, too. What is not here is nobody's caller."""
    probe: Probe | None = None
    replicas: int = 1
    requests_per_minute: int | None = None
    """Of all callers together."""
    max_request_bytes: int = MAX_REQUEST_BYTES
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) of the proxies in front of the gateway whose `x-forwarded-for` tells where a client is."""
    rate_limit_service: str = ""
    """host:port of a service that speaks Envoy's rate limit protocol; token limits are estimated without one."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every route in every revision and environment that it is served in, in one order.

        One revision may have other targets in another environment: a provider serves where the platform team says.
        """
        found = {grant.route for each in self.callers.values() for grant in each.grants}
        return tuple(sorted(found, key=lambda route: (route.name, route.revision, route.environment, route.pools)))
