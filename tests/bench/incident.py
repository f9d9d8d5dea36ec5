"""`make bench BENCH=incident`: how long a tenant stays open after its quarantine was accepted.

One tenant with ten Namespaces, all policies in force, the shipped operator with a durable ledger; each round declares
an incident and lifts it again as two persons. Milliseconds from the answer to the PATCH, as other clients of the API
server see it; asking takes some of them itself.
"""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from ringfence.cli.glass import in_force
from ringfence.controlplane import ControlPlane
from tests.bench.contenders import ringfence
from tests.bench.drift import percentiles
from tests.bench.install import apply_manifests
from tests.bench.process import MeasuredProcess
from tests.containment import Contained, Tenantry
from tests.waiting import eventually

_NAMESPACES: Final = tuple(f"n{number}" for number in range(10))
_DEADLINE: Final = 60.0  # seconds
_ABOUT: Final = {
    "policies": "the last policy that opens something is gone",
    "bindings": "every binding is read-only",
    "refused": "a developer's write is refused in every namespace",
    "whole": "all of it",
}


def show(count: int) -> None:
    """Measure so many rounds and print a Markdown table."""
    rounds = measure(count)
    print(f"{len(rounds)} rounds, {len(_NAMESPACES)} Namespaces and a home\n")
    print("| until | p50 ms | p95 ms | worst ms |\n| --- | --- | --- | --- |")
    for name, about in _ABOUT.items():
        times = [getattr(each, name) * 1000 for each in rounds]
        median, slow = percentiles(times)
        print(f"| {about} | {median:.0f} | {slow:.0f} | {max(times):.0f} |")


def measure(rounds: int) -> Sequence[Contained]:
    """Declare and lift so many incidents, one after another."""
    with _tenant() as tenant:
        ann, ben = tenant.administrator("ann"), tenant.administrator("ben")
        found = []
        for _ in range(rounds):
            found.append(tenant.time_containment(lambda: tenant.declare(ann), _DEADLINE))
            tenant.confirm_release(ann)
            tenant.lift(ben).must()
            eventually(tenant.is_open, _DEADLINE)
        return found


@contextmanager
def _tenant() -> Iterator[Tenantry]:
    with ControlPlane() as plane:
        apply_manifests(plane)
        contender = ringfence(plane)
        with MeasuredProcess(contender.command, log=plane.folder / "ringfence.log") as process:
            tenant = Tenantry(plane, "acme", _NAMESPACES)
            eventually(lambda: in_force(plane.admin), _DEADLINE)
            tenant.begin()
            eventually(tenant.is_open, _DEADLINE)
            yield tenant
            process.end(signal.SIGTERM)
