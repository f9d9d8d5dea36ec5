"""Waiting for a condition with a deadline, in place of sleeping."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, TypeVar

_EVERY: Final = 0.05  # seconds

T = TypeVar("T")


def eventually(probe: Callable[[], T | None], timeout: float = 10.0) -> T:
    """Return the first true value of `probe`; AssertionErrors in it mean "not yet". Fails after `timeout` seconds."""
    attempts = _attempts(probe, timeout)
    while not (value := next(attempts)):
        time.sleep(_EVERY)
    return value


async def eventually_async(probe: Callable[[], T | None], timeout: float = 10.0) -> T:  # noqa: ASYNC109 - our own deadline
    """Do as `eventually` does, and let the event loop run meanwhile."""
    attempts = _attempts(probe, timeout)
    while not (value := next(attempts)):  # noqa: ASYNC110 - the outside world sets no event
        await asyncio.sleep(_EVERY)
    return value


async def eventually_awaited(probe: Callable[[], Awaitable[T]], holds: Callable[[T], bool], timeout: float = 10.0) -> T:  # noqa: ASYNC109 - our own deadline
    """Return the first answer of a probe that takes time for which `holds` is true. Fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not holds(value := await probe()):
        assert time.monotonic() < deadline, f"not within {timeout} s: last seen {value!r}"
        await asyncio.sleep(_EVERY)
    return value


def _attempts(probe: Callable[[], T | None], timeout: float) -> Iterator[T | None]:
    """Yield what `probe` returns, or None for a failed assertion; past the deadline, raise."""
    deadline = time.monotonic() + timeout
    while True:
        failure: AssertionError | None = None
        value: T | None = None
        try:
            value = probe()
        except AssertionError as error:
            failure = error
        yield value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: last seen {value!r}") from failure
