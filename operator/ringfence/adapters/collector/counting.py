"""Counts the access log, a step at a time.

Law: what was counted is durable before its lines are given up.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ringfence.adapters.collector.log import AccessLog
from ringfence.adapters.collector.metrics import Metrics
from ringfence.adapters.collector.state import KEPT, State
from ringfence.usage.line import UnreadableLineError, read_line
from ringfence.usage.tally import HOUR, NOTHING, Key, Numbers, Row, unread

MOST_UNREAD: Final = 64 << 20
"""Bytes that may wait. Beyond, lines are counted without a look at each: a log that fills its volume ends the pod."""
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
        """Count the next lines; answers how many there were.

        Raises:
            OSError, sqlite3.Error: nothing was counted, and the same lines come again.
        """
        before = self.state.place
        chunk = self.log.read(before)
        left = self.log.unread(chunk.place)
        if chunk.place != before:
            read = read_lines(chunk.lines, hurried=left > MOST_UNREAD)
            self.state.take(read.numbers, chunk.place)
            self.log.reclaim(chunk.place)
            self.metrics.took(read.numbers, own=read.own)
        self._tidy()
        self.metrics.unread.set(left)
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
    own: int = 0
    """Of the operator's own probes, which nobody used."""

    def add(self, row: Row) -> None:
        """Count a row."""
        self.numbers[row.key] = self.numbers.get(row.key, NOTHING).plus(row.numbers)


def read_lines(lines: Sequence[bytes], *, hurried: bool = False) -> Lines:
    """Read lines, and add up those of one key; in a hurry, or where one can't be read, say only how many there were."""
    read, missed = Lines(), len(lines) if hurried else 0
    for line in () if hurried else lines:
        try:
            row = read_line(line)
        except UnreadableLineError:
            missed += 1
            continue
        if row is None:
            read.own += 1
        else:
            read.add(row)
    if missed:
        read.add(Row(unread(int(time.time()) // HOUR * HOUR), NOTHING._replace(requests=missed)))
    return read
