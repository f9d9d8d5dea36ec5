"""Violations sent 20 times a second while something else happens.

Law: one that is accepted once is never forgotten.
"""

import http.client
import itertools
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final, Self

from ringfence.controlplane import ControlPlane
from tests.attack.asking import Request, Who
from tests.bench.admission.wire import Wire

_EVERY: Final = 0.05  # seconds
_AT_ONCE: Final = 4

Violation = tuple[str, Who, Request]
"""What it violates, who sends it, and the request; a dry run."""


@dataclass
class Poll:
    """Sends violations in rotation while the block runs. An API server that is not there accepts nothing."""

    plane: ControlPlane
    violations: Sequence[Violation]
    accepted: list[str] = field(default_factory=list)
    """What was accepted, each with the seconds since the beginning."""
    statuses: dict[int, int] = field(default_factory=dict)
    """How often each status was answered."""

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._begun = time.monotonic()
        self._stack = ExitStack()
        pool = self._stack.enter_context(ThreadPoolExecutor(_AT_ONCE))
        for _, who, _ in self.violations:
            self.plane.certificate(who.user, who.groups)  # made here, once
        self._polling = [pool.submit(self._poll, number) for number in range(_AT_ONCE)]
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._stack.close()
        for each in self._polling:
            each.result()

    @property
    def sent(self) -> int:
        """How many there were."""
        return sum(self.statuses.values())

    def _poll(self, number: int) -> None:
        """Every fourth tick is this one's."""
        with ExitStack() as stack:
            wires = {who: stack.enter_context(Wire(self.plane, self.plane.url, who)) for _, who, _ in self.violations}
            for tick in itertools.count(number, _AT_ONCE):
                if self._ended.wait(max(0.0, self._begun + tick * _EVERY - time.monotonic())):
                    return
                title, who, request = self.violations[tick % len(self.violations)]
                try:
                    status, _, _ = wires[who].send(request)
                except (OSError, http.client.HTTPException):
                    wires[who] = stack.enter_context(Wire(self.plane, self.plane.url, who))
                    continue
                self.statuses[status] = self.statuses.get(status, 0) + 1
                if status < 400:
                    self.accepted.append(f"{title} after {time.monotonic() - self._begun:.1f} s")
