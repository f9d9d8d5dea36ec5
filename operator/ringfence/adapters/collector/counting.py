"""Counts the access log, a step at a time.

Law: what was counted is durable before its lines are given up.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ringfence.adapters.collector.log import AccessLog
from ringfence.adapters.collector.metrics import Metrics
from ringfence.adapters.collector.state import KEPT, State
from ringfence.usage.line import UnreadableLineError, read_line
from ringfence.usage.tally import NOTHING, Key, Numbers

_TIDIED: Final = 600.0
"""Seconds between looks for hours that are too old."""


@dataclass
class Counting:
    """A log, and what was counted of it."""

    log: AccessLog
    state: State
    metrics: Metrics
    _tidied: float = field(default=float("-inf"))

    def step(self) -> int:
        """Count the next lines; answers how many bytes it went on.

        Raises:
            OSError, sqlite3.Error: nothing was counted, and the same lines come again.
        """
        before = self.state.place
        chunk = self.log.read(before)
        if chunk.place != before:
            read = read_lines(chunk.lines)
            self.state.take(read.numbers, chunk.place)
            self.log.reclaim(chunk.place)
            self.metrics.took(read.numbers, unreadable=read.unreadable, own=read.own)
        self._tidy()
        self.metrics.unread.set(self.log.unread(chunk.place))
        self.metrics.occupied.set(self.log.occupied)
        return len(chunk.lines)

    def _tidy(self) -> None:
        if time.monotonic() - self._tidied > _TIDIED:
            self.state.forget(int(time.time()) - KEPT)
            self._tidied = time.monotonic()


@dataclass
class Lines:
    """Some lines put together."""

    numbers: dict[Key, Numbers] = field(default_factory=dict)
    unreadable: int = 0
    own: int = 0
    """Of the operator's own probes, which nobody used."""


def read_lines(lines: Iterable[bytes]) -> Lines:
    """Read lines, and add up those of one key."""
    read = Lines()
    for line in lines:
        try:
            row = read_line(line)
        except UnreadableLineError:
            read.unreadable += 1
            continue
        if row is None:
            read.own += 1
        else:
            read.numbers[row.key] = read.numbers.get(row.key, NOTHING).plus(row.numbers)
    return read
