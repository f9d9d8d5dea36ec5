"""The greatest numbers that the API takes are served: Envoy refuses a whole file for one that it does not take."""

from typing import Final

from tests.gateway.asking import Request, body
from tests.gateway.world import GPT, SPARE, World, route, serving

FOR_EVER: Final = 999_999 * 86_400
"""Seconds: `999999d`."""
MANY: Final = (1 << 31) - 1
HUGE: Final = 1 << 30
EXTREME: Final = route(
    "extreme",
    (GPT,),
    (SPARE,),
    timeout=FOR_EVER,
    idle_timeout=FOR_EVER,
    requests_per_minute=MANY,
    tokens_per_minute=MANY,
    max_parallel=100_000,
    max_request_bytes=HUGE - 1,
)
TINY: Final = route("tiny", (GPT,), timeout=1, idle_timeout=1, requests_per_minute=1, max_parallel=1)


def test_the_greatest_and_the_least_limits_are_served(world: World) -> None:
    """With and without a service that counts tokens."""
    world.pod.addresses = {**world.pod.addresses, "limits.example": world.providers["first"].port}
    for service in ("", "limits.example:8081"):
        greatest = {"requests_per_minute": MANY, "max_request_bytes": HUGE, "rate_limit_service": service}
        with serving(world, EXTREME, TINY, **greatest):
            assert world.pod.rejected() == 0
            assert world.ask(Request(body("tiny"))).status == 200
