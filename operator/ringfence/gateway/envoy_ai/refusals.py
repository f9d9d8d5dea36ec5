"""What this engine can't promise, each with its reason.

Law: a promise is kept or refused; whoever reads a reason here learns what to take away, or to use data plane `Envoy`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ringfence.gateway.envoy_ai import callers
from ringfence.gateway.envoy_ai.engine import Engine
from ringfence.gateway.served import Gateway, Route

KEY: Final = "apiKey"
"""The only key of a Secret that the engine reads."""


class Refusal(Enum):
    """A promise that can't be kept. The value says why."""

    GATEWAY_KEYS = (
        "a gateway key is matched by the uid of its ServiceAccount, which stands in a claim whose name has a dot; the "
        "engine reads no such claim, and a key that is declared again would bring old tokens back to life"
    )
    TENANT_LIMIT = (
        "a policy of a route takes the place of the gateway's, so that no limit counts the requests of all routes"
    )
    TOKEN_LIMIT = "tokens are counted by Envoy Gateway's rate limit service only, and the engine has none"  # noqa: S105
    SECRET_KEY = f"the engine reads no other key of a Secret than {KEY}"
    TOO_MANY_CALLERS = f"one expression says who may call, of {callers.LONGEST:,} characters at most"


@dataclass(frozen=True, slots=True)
class Refused:
    """One refusal."""

    subject: str
    """The route that is left out; empty where nothing at all can be served."""
    detail: str
    """What in it is refused."""
    refusal: Refusal

    @property
    def message(self) -> str:
        """For people."""
        about = f"route {self.subject}: " if self.subject else ""
        return f"{about}{self.detail}: {self.refusal.value}"


def of_gateway(gateway: Gateway) -> Iterator[Refused]:
    """What keeps the whole gateway from being served."""
    for namespace, each in sorted(gateway.callers.items()):
        for key in each.keys:
            yield Refused("", f"key {key.name} of namespace {namespace}", Refusal.GATEWAY_KEYS)
    if gateway.requests_per_minute:
        yield Refused("", "spec.gateway.requestsPerMinute", Refusal.TENANT_LIMIT)
    if len(callers.of_gateway(gateway)) > callers.LONGEST:
        yield Refused("", "callers", Refusal.TOO_MANY_CALLERS)


def of_route(gateway: Gateway, engine: Engine, route: Route) -> Iterator[Refused]:
    """What keeps one route from being served."""
    if route.limits.tokens_per_minute and not engine.counts_globally:
        yield Refused(route.name, "limits.tokensPerMinute", Refusal.TOKEN_LIMIT)
    if len(callers.of_route(gateway, route)) > callers.LONGEST:
        yield Refused(route.name, "consumers", Refusal.TOO_MANY_CALLERS)
    upstreams = {each.name: each for each in gateway.upstreams}
    for name in sorted({target.upstream for target in route.targets}):
        secret = engine.secrets.get(upstreams[name].key)
        if upstreams[name].has_key and (secret is None or secret.key != KEY):
            yield Refused(route.name, f"the key of provider {name}", Refusal.SECRET_KEY)
