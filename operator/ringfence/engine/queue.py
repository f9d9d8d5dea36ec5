"""The work queue: which object is looked at next.

Laws: an object is worked on by one worker at a time; causes that arrive meanwhile are one more look, not several;
a failing object waits longer each time; tenants take turns, and none keeps all workers busy, so that one tenant's flood
delays nobody else.
"""

import asyncio
import random
import sys
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from ringfence.engine.cause import Cause, together
from ringfence.engine.turns import Turns
from ringfence.model.kinds import Ref

SHORTEST_BACKOFF: Final = 0.1  # seconds
LONGEST_BACKOFF: Final = 300.0
JITTER: Final = 0.2  # of the delay, either way


def backoff(
    failures: int,
    *,
    least: float = 0.0,
    most: float = LONGEST_BACKOFF,
    jitter: Callable[[], float] = random.random,
) -> float:
    """Seconds to wait after so many failures in a row: doubling up to ``most``, with jitter, never below ``least``."""
    delay = min(most, max(least, SHORTEST_BACKOFF) * 2.0 ** min(failures - 1, 32))
    return max(least, delay * (1 + JITTER * (2 * jitter() - 1)))


def lane(ref: Ref) -> str:
    """The tenant whose turn it is for this object: its home namespace, or the Tenant's own name."""
    return ref.namespace or ref.name


class WorkQueue:
    """A deduplicating queue of objects, with delayed entries.

    At most ``share`` objects of one tenant are worked on at a time, whatever else waits.
    """

    def __init__(self, share: int = sys.maxsize) -> None:
        self._waiting: dict[Ref, Cause] = {}
        self._working: set[Ref] = set()
        self._again: dict[Ref, Cause] = {}
        self._share = share
        self._busy: Counter[str] = Counter()
        self._turns: Turns[Ref] = Turns()
        self._workers: deque[asyncio.Future[Ref]] = deque()
        self._failures: dict[Ref, int] = {}
        self._timers: dict[Ref, asyncio.TimerHandle] = {}
        self._soon: dict[Ref, tuple[asyncio.TimerHandle, Cause]] = {}
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        """How many objects are to be looked at now or in a moment; appointments don't count."""
        return len(self._waiting) + len(self._again) + len(self._soon)

    @property
    def working(self) -> int:
        """How many objects are being worked on."""
        return len(self._working)

    def add(self, ref: Ref, cause: Cause) -> None:
        """Look at ``ref`` soon."""
        if self._closed:
            return
        if ref in self._waiting:
            self._waiting[ref] = together(self._waiting[ref], cause)
        elif ref in self._working:
            self._again[ref] = together(self._again.get(ref), cause)
        else:
            self._waiting[ref] = together(None, cause)
            self._line_up(ref)

    def _line_up(self, ref: Ref) -> None:
        self._turns.join(lane(ref), ref)
        self._hand_out()

    async def take(self) -> tuple[Ref, Cause]:
        """Wait for the next object; the caller must say ``done``."""
        worker: asyncio.Future[Ref] = asyncio.get_running_loop().create_future()
        self._workers.append(worker)
        self._hand_out()
        try:
            ref = await worker
        except asyncio.CancelledError:
            if worker.done() and not worker.cancelled():  # handed out in the same moment
                self._put_back(worker.result())
            raise
        return ref, self._waiting.pop(ref)

    def _hand_out(self) -> None:
        while self._workers and not self._closed:
            if self._workers[0].done():  # it was cancelled
                self._workers.popleft()
            elif found := self._turns.next(self._has_share):
                name, ref = found
                self._working.add(ref)
                self._busy[name] += 1
                self._idle.clear()
                self._workers.popleft().set_result(ref)
            else:
                return

    def _has_share(self, name: str) -> bool:
        return self._busy[name] < self._share

    def _put_back(self, ref: Ref) -> None:
        self._free(ref)
        self._line_up(ref)

    def _free(self, ref: Ref) -> None:
        self._working.discard(ref)
        self._busy[lane(ref)] -= 1
        self._busy += Counter()  # forget lanes without work
        if not self._working:
            self._idle.set()

    def done(self, ref: Ref) -> None:
        """Say that the worker is through with ``ref``."""
        self._free(ref)
        if cause := self._again.pop(ref, None):
            self.add(ref, cause)
        self._hand_out()

    def retry(self, ref: Ref, cause: Cause, *, least: float = 0.0, most: float = LONGEST_BACKOFF) -> float:
        """Look again after a failure; answers in how many seconds."""
        self._failures[ref] = self._failures.get(ref, 0) + 1
        delay = backoff(self._failures[ref], least=least, most=most)
        self.add_later(ref, cause, delay)
        return delay

    def add_later(self, ref: Ref, cause: Cause, delay: float) -> None:
        """Look at ``ref`` in ``delay`` seconds; replaces an earlier appointment."""
        self._forget_timer(ref)
        self._timers[ref] = asyncio.get_running_loop().call_later(delay, self._due, ref, cause)

    def add_soon(self, ref: Ref, cause: Cause, delay: float) -> None:
        """Look at ``ref`` within ``delay`` seconds: what else happens until then is the same look."""
        if ref in self._soon:
            timer, others = self._soon[ref]
            self._soon[ref] = timer, together(others, cause)
        elif delay <= 0 or self.expects(ref):
            self.add(ref, cause)
        elif not self._closed:
            self._soon[ref] = asyncio.get_running_loop().call_later(delay, self._soon_due, ref), cause

    def expects(self, ref: Ref) -> bool:
        """Whether a look at ``ref`` is to come in any case, now or in a moment; appointments don't count."""
        return ref in self._waiting or ref in self._again or ref in self._soon

    def _soon_due(self, ref: Ref) -> None:
        _, cause = self._soon.pop(ref)
        self.add(ref, cause)

    def _due(self, ref: Ref, cause: Cause) -> None:
        self._timers.pop(ref, None)
        self.add(ref, cause)

    def attempts(self, ref: Ref) -> int:
        """How often ``ref`` has failed in a row."""
        return self._failures.get(ref, 0)

    def succeeded(self, ref: Ref) -> None:
        """Forget failures and appointments: the object is as it should be."""
        self._failures.pop(ref, None)
        self._forget_timer(ref)

    def _forget_timer(self, ref: Ref) -> None:
        if timer := self._timers.pop(ref, None):
            timer.cancel()

    async def idle(self) -> None:
        """Wait until no object is being worked on."""
        await self._idle.wait()

    def close(self) -> None:
        """Forget what waits and every appointment; who asks for work from now on waits in vain."""
        self._closed = True
        for timer in (*self._timers.values(), *(timer for timer, _ in self._soon.values())):
            timer.cancel()
