"""The collector's life: it counts until it is told to end, then counts what is left and waits to be asked for it.

Laws: one that can't count still answers for what it has counted. Nobody is waited for longer than was said.
"""

import asyncio
import sqlite3
from typing import Final

import structlog

from ringfence.adapters.collector.counting import Counting
from ringfence.adapters.collector.server import Address, serve
from ringfence.usage.page import Page, sequence_of

log = structlog.get_logger(__name__)

EVERY: Final = 0.5
"""Seconds between looks at a log that is quiet."""
RETRY: Final = 5.0


class CollectorProcess:
    """One collector."""

    def __init__(self, counting: Counting, *, linger: float) -> None:
        """Take what counts, and how many seconds it waits at the end to be asked."""
        self._counting = counting
        self._linger = linger
        self._turn = asyncio.Lock()  # the file is used by one thread at a time
        self._given = 0
        self._problem = ""

    async def run(self, address: Address, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set and the rest was asked for.

        Raises:
            OSError: the address can't be had, or the certificate can't be read.
        """
        async with serve(address, self._page, self._counting.metrics.exposition, lambda: self._problem) as port:
            log.info("collecting", port=port, instance=self._counting.state.instance)
            counting = asyncio.create_task(self._count())
            await stop.wait()
            await self._hand_over()
            counting.cancel()
            async with self._turn:  # what it just does is finished
                log.info("stopped", handed_over=not self._left())

    async def _count(self) -> None:
        while True:
            lines = await self._step()
            await asyncio.sleep(RETRY if self._problem else 0 if lines else EVERY)

    async def _step(self) -> int:
        async with self._turn:
            try:
                lines = await asyncio.to_thread(self._counting.step)
            except (OSError, sqlite3.Error) as error:
                self._problem = f"not counting: {error}"
                log.warning("not counting; the same lines are tried again", error=str(error))
                return 0
            except Exception as error:  # tried again, too, until so much waits that lines are counted without a look
                self._problem = f"not counting: {type(error).__name__}"
                log.error("defect while counting", error=type(error).__name__)  # noqa: TRY400 -- its words may be a line's
                return 0
        self._problem = ""
        return lines

    async def _page(self, after: str) -> Page:
        async with self._turn:
            page = await asyncio.to_thread(self._counting.state.page, after)
        had = sequence_of(after, page.instance)
        if had <= self._counting.state.sequence:  # or somebody made it up
            self._given = max(self._given, had)  # whoever asks for what comes after it has it
        return page

    def _left(self) -> bool:
        """Whether there is something that nobody has yet."""
        return self._given < self._counting.state.sequence

    async def _hand_over(self) -> None:
        """Let the log come to its end, and whoever counts usage come for it."""
        try:
            async with asyncio.timeout(self._linger):
                await asyncio.sleep(EVERY)
                while await self._step() or self._left():  # noqa: ASYNC110 -- a file that grows sets no event
                    await asyncio.sleep(EVERY)
        except TimeoutError:
            log.warning("nobody asked for the last of it", rows=self._counting.state.sequence - self._given)
