"""Lines of those who wait, one for each tenant.

Law: lines take turns; whoever has a long line waits behind himself and delays nobody else by more than one of his.
"""

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """A queue of queues."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[T]] = {}
        self._order: deque[str] = deque()

    def join(self, lane: str, item: T) -> None:
        """Wait at the end of the line of ``lane``."""
        if lane not in self._lines:
            self._lines[lane] = deque()
            self._order.append(lane)
        self._lines[lane].append(item)

    def leave(self, lane: str, item: T) -> None:
        """Wait no longer; nothing happens where it does not wait."""
        line = self._lines.get(lane, deque())
        if item in line:
            line.remove(item)
            if not line:
                del self._lines[lane]
                self._order.remove(lane)

    def next(self, may: Callable[[str], bool] = lambda _: True) -> tuple[str, T] | None:
        """The first of the line whose turn it is, of the lanes that ``may`` go on; ``None`` where there is none."""
        for lane in self._order:
            if may(lane):
                return lane, self._pop(lane)
        return None

    def _pop(self, lane: str) -> T:
        self._order.remove(lane)
        item = self._lines[lane].popleft()
        if self._lines[lane]:
            self._order.append(lane)
        else:
            del self._lines[lane]
        return item
