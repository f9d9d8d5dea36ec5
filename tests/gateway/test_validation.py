"""What the planner renders, the real Envoy takes: it is asked before anybody is served by it.

Of gateways it is asked for random ones, in which environments serve one revision from other targets, for the greatest
of everything that the API takes, and for what the planner makes of a promotion to such an environment.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from ringfence.gateway.files import Configuration, configuration
from ringfence.gateway.listener import ROUTES_FILE
from ringfence.gateway.served import Callers, Gateway, Grant, Limits, Target, Upstream
from ringfence.model.fields import ENVIRONMENT_LENGTH
from tests import gateway_world
from tests.gateway.tokens import TokenIssuer
from tests.gateway.validation import Validator
from tests.unit.gateway import full
from tests.unit.gateway.test_files import gateways, pinned

MANY: Final = 40
LARGEST: Final = Limits(
    requests_per_minute=2**31 - 1,
    tokens_per_minute=2**31 - 1,
    max_request_bytes=1 << 30,
    timeout=999_999 * 86_400,
    idle_timeout=999_999 * 86_400,
    max_parallel=100_000,
)
SMALLEST: Final = Limits(1, 1, max_request_bytes=1, timeout=1, idle_timeout=1, max_parallel=1)
EVERYWHERE: Final = ("0.0.0.0/0", "::/0", "::ffff:10.0.0.0/104", "10.0.0.1/32")
LONG: Final = ".".join(["a" * 63] * 3 + ["b" * 61])
"""The longest name of a host."""


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Validator:
    """Envoy, and files for it to read."""
    return Validator(tmp_path_factory.mktemp("validation"))


@pytest.fixture(scope="module")
def issuer() -> TokenIssuer:
    """Who vouches for callers."""
    return TokenIssuer()


def drawn(number: int) -> list[Gateway]:
    """Random gateways, always the same ones."""
    found: list[Gateway] = []

    @seed(number)
    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(gateways)
    def draw(gateway: Gateway) -> None:
        found.append(gateway)

    draw()
    return found


def greatest() -> Iterator[Gateway]:
    """With the most, the longest and the least of what the API takes."""
    upstreams = (Upstream("first", LONG, 443, path=""), full.SECOND)
    for limits in (LARGEST, SMALLEST):
        pools = (tuple(Target("first", f"m{at}", 1000) for at in range(8)), (Target("second", "A@:/" + "y" * 92),))
        route = replace(pinned("r" * 40, "A@:/" + "x" * 92, pools, limits), environment="e" * ENVIRONMENT_LENGTH)
        accounts = frozenset(f"a{at:03}{'b' * 249}" for at in range(64))
        callers = {
            f"acme-n{at}": Callers(
                route.environment, (Grant(route, accounts),), (replace(full.LIVE, cidrs=EVERYWHERE),)
            )
            for at in range(2)
        }
        changes = {"max_request_bytes": limits.max_request_bytes, "requests_per_minute": limits.requests_per_minute}
        for service in ("", full.SERVICE):
            yield full.gateway(upstreams=upstreams, callers=callers, rate_limit_service=service, **changes)
    yield full.gateway(callers={}, upstreams=())


def promoted() -> Gateway:
    """What the planner makes of a revision with limits, where one of its providers does not serve everywhere."""
    limits = {"requestsPerMinute": 600, "tokensPerMinute": 9000, "maxParallel": 100}
    made = gateway_world.world(route={"limits": limits})
    gateway_world.promote(made, "staging", gateway_world.revision(made))
    gateway_world.promote(made, "prod", gateway_world.revision(made))
    gateway_world.approve(made, "prod", gateway_world.revision(made))
    found = gateway_world.composed(made).gateway
    assert {route.environment: len(route.targets) for route in found.routes} == {"dev": 2, "staging": 2, "prod": 1}
    return found


def rendered(gateway: Gateway, validator: Validator, issuer: TokenIssuer) -> Configuration:
    """As the planner would, with keys and authorities that are some."""
    upstreams = tuple(replace(each, authority=each.authority and validator.authority) for each in gateway.upstreams)
    return configuration(replace(gateway, issuer=issuer.issuer, upstreams=upstreams))


def test_whatever_is_rendered_is_taken(validator: Validator, issuer: TokenIssuer) -> None:
    """Random gateways, which the linter lets pass (tests/unit/gateway), the greatest, and one that was promoted."""
    asked = [rendered(each, validator, issuer) for each in (full.gateway(), promoted(), *greatest(), *drawn(MANY))]
    assert len(asked) > MANY
    assert validator.refusal([each.files for each in asked]) == ""


@pytest.mark.parametrize("change", ["key", "authority", "expression"])
def test_what_envoy_alone_finds_out_is_refused(validator: Validator, issuer: TokenIssuer, change: str) -> None:
    """Among good ones: a set of keys without one, an authority that is none, an expression that does not end."""
    good, other = rendered(full.gateway(), validator, issuer), full.gateway()
    assert validator.refusal([good.files]) == ""
    files = dict(good.files)
    if change == "key":
        files = dict(configuration(replace(other, callers={}, upstreams=())).files)
    elif change == "authority":
        files = dict(configuration(replace(other, issuer=issuer.issuer)).files)
    else:
        files[ROUTES_FILE] = files[ROUTES_FILE].replace(b'"regex":"acme', b'"regex":"(acme')
    assert orjson.loads(files[ROUTES_FILE])
    why = {"key": "invalid local jwks", "authority": "Failed to load trusted CA", "expression": "missing )"}[change]
    assert why in validator.refusal([good.files, files])
