"""What admission policies add to a request: every kind of request, by turns to a server with and to one without them.

Method: both servers read and write one etcd, so they know the same tenants; each request is a dry run, so nothing
changes between two of them; one connection a server and user; which of the two is asked first alternates. A plain GET,
which no policy sees, tells what remains of a difference between the servers themselves.
"""

import gc
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import quantiles
from typing import Final

from ringfence.cli.glass import in_force
from ringfence.controlplane import ControlPlane
from tests.bench.admission import crowd
from tests.bench.admission.questions import Question, questions
from tests.bench.admission.twin import unguarded_twin
from tests.bench.admission.wire import Wire
from tests.bench.install import apply_manifests
from tests.waiting import eventually

_WARMING: Final = 30
"""Rounds that don't count: caches of both servers, and of the path that a kind of request takes."""


@dataclass(frozen=True)
class Cost:
    """Milliseconds that one kind of request takes."""

    title: str
    without: tuple[float, float]
    """Median and 95th percentile."""
    guarded: tuple[float, float]

    @property
    def added(self) -> float:
        """What policies add to the median."""
        return self.guarded[0] - self.without[0]


@contextmanager
def crowded(tenants: int) -> Iterator[tuple[ControlPlane, str]]:
    """A control plane with policies and so many tenants, and the address of its twin without policies."""
    with ControlPlane() as plane:
        apply_manifests(plane)
        with unguarded_twin(plane) as twin:
            _say(f"{tenants} tenants")
            crowd.fill(plane, twin, tenants)
            eventually(lambda: in_force(plane.admin), 60)
            yield plane, twin


def measure(tenants: int, repeats: int) -> Iterator[Cost]:
    """Ask everything so many times of both servers."""
    with crowded(tenants) as (plane, twin):
        for question in questions():
            yield _compared(plane, twin, question, repeats)


def _compared(plane: ControlPlane, twin: str, question: Question, repeats: int) -> Cost:
    with ExitStack() as stack:
        wires = {url: stack.enter_context(Wire(plane, url, question.who)) for url in (plane.url, twin)}
        taken = _by_turns(wires, question, repeats)
    return Cost(question.title, _percentiles(taken[twin]), _percentiles(taken[plane.url]))


def _by_turns(wires: Mapping[str, Wire], question: Question, repeats: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {url: [] for url in wires}
    gc.disable()
    try:
        for number in range(-_WARMING, repeats):
            for url in list(wires)[:: 1 if number % 2 else -1]:
                status, body, seconds = wires[url].send(question.request)
                if status not in question.answers:
                    raise RuntimeError(f"{question.title}: {status} {body.get('message')}")
                if number >= 0:
                    taken[url].append(seconds * 1000)
    finally:
        gc.enable()
    return taken


def _percentiles(times: Sequence[float]) -> tuple[float, float]:
    cuts = quantiles(times, n=20, method="inclusive")
    return cuts[9], cuts[18]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
