"""Visits to tenants' gateways, many at a time.

Laws: a tenant is visited by one visit at a time. Whoever was quick waits for nobody who was slow: those have a queue of
their own, until they are quick again. So a gateway that answers nobody costs its own tenant time, and no other one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from ringfence.ports.clock import Clock

AT_ONCE: Final = 16
"""Visits under way in each queue."""
SLOW: Final = 2.0
"""Seconds after which whoever is visited is slow."""


class Visits:
    """One kind of visits."""

    def __init__(self, visit: Callable[[str], Awaitable[None]], clock: Clock) -> None:
        """`visit` takes a home namespace; it ends within seconds, and raises what ends everything."""
        self._visit = visit
        self._clock = clock
        self._under_way: set[str] = set()
        self._slow: set[str] = set()
        self._queues = {slow: asyncio.Semaphore(AT_ONCE) for slow in (False, True)}

    def begin(self, homes: Iterable[str], tasks: asyncio.TaskGroup) -> tuple[asyncio.Task[None], ...]:
        """Begin visits to those who are not being visited; return what was begun."""
        waiting = [home for home in homes if home not in self._under_way]
        self._under_way.update(waiting)
        return tuple(tasks.create_task(self._go(home), name=f"visit {home}") for home in waiting)

    async def _go(self, home: str) -> None:
        try:
            async with self._queues[home in self._slow]:
                began = self._clock.monotonic()
                await self._visit(home)
                self._remember(home, self._clock.monotonic() - began)
        finally:
            self._under_way.discard(home)

    def _remember(self, home: str, seconds: float) -> None:
        if seconds > SLOW:
            self._slow.add(home)
        else:
            self._slow.discard(home)
