"""What the demo says when something does not hold, and how it waits."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

_EVERY: Final = 0.05  # seconds

T = TypeVar("T")


class BrokenPromiseError(Exception):
    """What was claimed did not come true; the message says what was seen instead."""


def within(seconds: float, what: str, probe: Callable[[], T | None]) -> T:
    """Return the first true value of `probe`. Raises BrokenPromiseError, saying `what`, when the time is over."""
    deadline = time.monotonic() + seconds
    while not (value := probe()):
        if time.monotonic() > deadline:
            raise BrokenPromiseError(f"{what}: not within {seconds:.0f} s")
        time.sleep(_EVERY)
    return value
