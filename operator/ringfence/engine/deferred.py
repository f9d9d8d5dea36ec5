"""Records that wait because their log takes none now.

Law: a log waits for itself only, in its own order; an entry is forgotten when it is durable, not when it is tried.
"""

from collections import deque
from collections.abc import Sequence

from ringfence.lineage.entry import Entry, LogId


class Deferred:
    """At most ``most`` entries in memory; beyond it the oldest of the longest queue is lost."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[LogId, deque[Entry]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def logs(self) -> Sequence[LogId]:
        """Return the logs that something waits for."""
        return tuple(self._waiting)

    def keep(self, log: LogId, entry: Entry) -> bool:
        """Keep ``entry`` until its log takes it; False where an older one had to go for it."""
        full = len(self) >= self._most
        if full:
            max(self._waiting.values(), key=len).popleft()
        self._waiting.setdefault(log, deque()).append(entry)
        return not full

    def of(self, log: LogId) -> Sequence[Entry]:
        """Return what waits for ``log``, oldest first."""
        return tuple(self._waiting.get(log, ()))

    def told(self, log: LogId, entries: Sequence[Entry]) -> None:
        """Forget entries that are durable now; another task may have told them as well, and more may have come."""
        waiting = self._waiting.get(log, deque())
        for entry in entries:
            if waiting and waiting[0] is entry:
                waiting.popleft()
        if not waiting:
            self._waiting.pop(log, None)
