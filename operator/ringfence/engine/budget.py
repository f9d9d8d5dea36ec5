"""How much the engine asks of the API server at once, and per second, and whose call is the next.

Laws: whatever happens, the engine's writes stay within a budget that it sets itself, of which tenants have equal parts
when it is short; who is not sure to lead waits.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from ringfence.engine.turns import Turns

MOST_IN_FLIGHT: Final = 16
"""Every connection costs 256 KiB for what TLS may bring at once; more of them make no API server faster."""
MOST_OF_ONE_TENANT: Final = 12
"""Calls, and looks, at once: whoever comes while another is busy finds a quarter free. Less for each helps nobody: with
4 and with 12 of them a flood costs another tenant the same (1.8 times the time, measured)."""
WRITES_PER_SECOND: Final = 500.0
"""About what one API server with two cores takes of such writes: less would make a rollout wait for nothing."""
ASK_AGAIN: Final = 0.05
"""Seconds until it is asked again whether we lead."""


class Budget:
    """Slots and a token bucket, given to tenants by turns; ``share`` is how many slots one of them may hold."""

    def __init__(
        self,
        *,
        per_second: float,
        burst: int,
        in_flight: int = MOST_IN_FLIGHT,
        share: int = sys.maxsize,
        allowed: Callable[[], bool] = lambda: True,
    ) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._tokens = float(burst)
        self._filled_at = 0.0
        self._allowed = allowed
        self._slots = in_flight
        self._share = share
        self._held: Counter[str] = Counter()
        self._waiting: Turns[asyncio.Future[None]] = Turns()
        self._refill: asyncio.TimerHandle | None = None
        self.in_flight = 0

    @asynccontextmanager
    async def spend(self, lane: str = "") -> AsyncIterator[None]:
        """Wait for one's turn, a token, a slot and the right to write; hold the slot during the call."""
        await self._turn(lane)
        try:
            while not self._allowed():  # noqa: ASYNC110 -- time takes the right away, which sets no event
                await asyncio.sleep(ASK_AGAIN)
            self.in_flight += 1
            try:
                yield
            finally:
                self.in_flight -= 1
        finally:
            self._give_back(lane)

    async def _turn(self, lane: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.join(lane, turn)
        self._grant()
        try:
            await turn
        except asyncio.CancelledError:
            self._waiting.leave(lane, turn)
            if turn.done() and not turn.cancelled():  # granted in the same moment
                self._give_back(lane)
            raise

    def _give_back(self, lane: str) -> None:
        self._slots += 1
        self._held[lane] -= 1
        self._held += Counter()  # forget who holds none
        self._grant()

    def _grant(self) -> None:
        while self._slots > 0 and self._has_token() and (found := self._waiting.next(self._has_share)):
            lane, turn = found
            if not turn.done():
                self._slots -= 1
                self._held[lane] += 1
                self._tokens -= 1
                turn.set_result(None)

    def _has_share(self, lane: str) -> bool:
        return self._held[lane] < self._share

    def _has_token(self) -> bool:
        loop = asyncio.get_running_loop()
        now = loop.time()
        elapsed = now - self._filled_at if self._filled_at else 0.0
        self._tokens = min(self._burst, self._tokens + elapsed * self._per_second)
        self._filled_at = now
        if self._tokens >= 1:
            return True
        if self._refill is None:
            self._refill = loop.call_later((1 - self._tokens) / self._per_second, self._refilled)
        return False

    def _refilled(self) -> None:
        self._refill = None
        self._grant()
