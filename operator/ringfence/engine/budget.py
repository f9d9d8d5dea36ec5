"""How much the engine asks of the API server at once, and per second.

Laws: whatever happens, the engine's writes stay within a budget that it sets itself; who is not sure to lead waits.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

MOST_IN_FLIGHT: Final = 16
"""Every connection costs 256 KiB for what TLS may bring at once; more of them make no API server faster."""
WRITES_PER_SECOND: Final = 500.0
"""About what one API server with two cores takes of such writes: less would make a rollout wait for nothing."""
ASK_AGAIN: Final = 0.05
"""Seconds until it is asked again whether we lead."""


class Budget:
    """A token bucket in front of a semaphore."""

    def __init__(
        self,
        *,
        per_second: float,
        burst: int,
        in_flight: int = MOST_IN_FLIGHT,
        allowed: Callable[[], bool] = lambda: True,
    ) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._tokens = float(burst)
        self._filled_at = 0.0
        self._allowed = allowed
        self._slots = asyncio.Semaphore(in_flight)
        self.in_flight = 0

    @asynccontextmanager
    async def spend(self) -> AsyncIterator[None]:
        """Wait for a token, a slot and the right to write; hold the slot during the call."""
        await self._token()
        async with self._slots:
            while not self._allowed():  # noqa: ASYNC110 -- time takes the right away, which sets no event
                await asyncio.sleep(ASK_AGAIN)
            self.in_flight += 1
            try:
                yield
            finally:
                self.in_flight -= 1

    async def _token(self) -> None:
        now = asyncio.get_running_loop().time()
        elapsed = now - self._filled_at if self._filled_at else 0.0
        self._tokens = min(self._burst, self._tokens + elapsed * self._per_second) - 1
        self._filled_at = now
        if self._tokens < 0:  # the debt is a place in the line: whoever comes later owes, hence waits, longer
            await asyncio.sleep(-self._tokens / self._per_second)
