"""`make bench BENCH=incident`: how long a tenant stays open after its quarantine was accepted.

One tenant with ten Namespaces, all policies in force, the shipped operator with a durable ledger; each round declares
an incident and lifts it again as two persons. Milliseconds from the API server's answer to the PATCH, by its own audit
log; a developer who goes on writing in one namespace after the other tells when he is refused in all of them.
"""

import json
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from ringfence.cli.glass import in_force
from ringfence.controlplane import Client, ControlPlane
from ringfence.model.kinds import TENANT
from tests.bench.contenders import ringfence
from tests.bench.drift import percentiles
from tests.bench.install import apply_manifests
from tests.bench.process import MeasuredProcess
from tests.containment import Tenantry
from tests.controlplane_fixtures import AUDIT_POLICY
from tests.waiting import eventually

Times = dict[str, float]
"""Seconds, by what they end with."""

_NAMESPACES: Final = tuple(f"n{number}" for number in range(10))
_DEADLINE: Final = 60.0  # seconds
_ABOUT: Final = {
    "policies": "the last policy that opens something is gone",
    "bindings": "the last binding that gives more than reading is gone",
    "refused": "a developer's write is refused in every namespace",
}
_WITHDRAWN: Final = {"networkpolicies": "policies", "rolebindings": "bindings"}


def show(count: int) -> None:
    """Measure so many rounds and print a Markdown table."""
    rounds = measure(count)
    print(f"{len(rounds)} rounds, {len(_NAMESPACES)} Namespaces and a home\n")
    print("| until | p50 ms | p95 ms | worst ms |\n| --- | --- | --- | --- |")
    for name, about in _ABOUT.items():
        times = [each[name] * 1000 for each in rounds]
        median, slow = percentiles(times)
        print(f"| {about} | {median:.0f} | {slow:.0f} | {max(times):.0f} |")


def measure(rounds: int) -> Sequence[Times]:
    """Declare and lift so many incidents, one after another."""
    with _tenant() as tenant:
        ann, ben = tenant.administrator("ann"), tenant.administrator("ben")
        found = []
        for _ in range(rounds):
            found.append(_contain(tenant, ann))
            tenant.confirm_release(ann)
            tenant.lift(ben).must()
            eventually(tenant.is_open, _DEADLINE)
        return found


def _contain(tenant: Tenantry, by: Client) -> Times:
    log = tenant.plane.audit_log
    position, before = log.stat().st_size, time.time()
    tenant.declare(by)
    for core in tenant.cores[1:]:
        while tenant.developer_writes(core):
            if time.time() - before > _DEADLINE:
                raise TimeoutError(f"a developer still writes in {core} after {_DEADLINE:.0f} s")
    refused = time.time()
    eventually(lambda: not tenant.openings() and not tenant.writers(), _DEADLINE)
    accepted, withdrawn = _read(log, position)
    return {**{name: at - accepted for name, at in withdrawn.items()}, "refused": refused - accepted}


def _read(log: Path, position: int) -> tuple[float, Times]:
    """When the declaration was answered, and the last withdrawal of each kind, by the API server's clock."""
    accepted, withdrawn = 0.0, Times()
    with log.open("rb") as lines:
        lines.seek(position)
        for event in map(json.loads, lines):
            at = datetime.fromisoformat(event["stageTimestamp"]).timestamp()
            resource = event.get("objectRef", {}).get("resource", "")
            if (event["verb"], resource, event["user"]["username"]) == ("patch", TENANT.plural, "ann"):
                accepted = at
            elif event["verb"] == "delete" and resource in _WITHDRAWN:
                withdrawn[_WITHDRAWN[resource]] = at
    return accepted, withdrawn


@contextmanager
def _tenant() -> Iterator[Tenantry]:
    with ControlPlane(audit_policy=AUDIT_POLICY) as plane:
        apply_manifests(plane)
        contender = ringfence(plane)
        with MeasuredProcess(contender.command, log=plane.folder / "ringfence.log") as process:
            tenant = Tenantry(plane, "acme", _NAMESPACES)
            eventually(lambda: in_force(plane.admin), _DEADLINE)
            tenant.begin()
            eventually(tenant.is_open, _DEADLINE)
            yield tenant
            process.end(signal.SIGTERM)
