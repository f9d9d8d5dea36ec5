"""One contender, one size, one fresh control plane: converge, rest, drift, restart."""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ringfence.controlplane import ControlPlane
from tests.bench import world
from tests.bench.contenders import Contender
from tests.bench.drift import percentiles, repair_times
from tests.bench.install import install
from tests.bench.process import MeasuredProcess
from tests.bench.requests import POLICY, Counted

_IDLE: Final = 20.0  # seconds of rest that are measured
_DRIFTS: Final = 50
_DEADLINE: Final = 600.0


@dataclass(frozen=True)
class Figures:
    """What was measured. Times are wall-clock seconds on a machine that also runs the API server."""

    contender: str
    namespaces: int
    converge: float
    cpu_each: float  # milliseconds of the process' CPU for a new Namespace
    requests_each: float
    reads: int  # single objects that were read while converging
    rss: float  # MB after converging
    idle: float  # per cent of a core
    drift_p50: float  # milliseconds
    drift_p95: float
    restart: float  # from the process' start until it serves a new Namespace
    restart_writes: int  # besides those for that Namespace


def measure(make: Callable[[ControlPlane], Contender], count: int) -> Figures:
    """Run the whole scenario."""
    with _plane() as plane:
        install(plane)
        contender = make(plane)
        tenants = world.tenant_names(count)
        _say(f"{contender.name}: {count} Namespaces")
        log = plane.folder / f"{contender.name}.log"
        with MeasuredProcess(contender.command, log=log, environment=contender.environment) as process:
            world.create_tenants(plane, [*tenants, world.EXTRA])
            _settle(plane, contender)
            converge, cpu, counted = _converge(plane, contender, process, tenants, count)
            _settle(plane, contender)
            rss = process.rss
            idle = _idle(process)
            namespaces = world.core_namespaces(tenants, count)
            repairs = repair_times(plane, (namespaces * _DRIFTS)[:_DRIFTS], contender.policy_name)
            _settle(plane, contender)
            process.end(signal.SIGTERM)
        restart, restart_writes = _restart(plane, contender, log)
    median, slow = percentiles(repairs)
    return Figures(
        contender.name,
        count,
        converge,
        cpu / count * 1000,
        counted.all / count,
        counted.by_verb["get"],
        rss,
        idle,
        median,
        slow,
        restart,
        restart_writes,
    )


@contextmanager
def _plane() -> Iterator[ControlPlane]:
    with TemporaryDirectory() as folder:
        policy = Path(folder) / "audit-policy.yaml"
        policy.write_text(json.dumps(POLICY))
        with ControlPlane(audit_policy=policy) as plane:
            yield plane


def _converge(
    plane: ControlPlane, contender: Contender, process: MeasuredProcess, tenants: list[str], count: int
) -> tuple[float, float, Counted]:
    position = plane.audit_log.stat().st_size
    cpu, start = process.cpu, time.perf_counter()
    world.create_namespaces(plane, tenants, count)
    world.wait_ready(plane, count, deadline=_DEADLINE, alive=process.must_run)
    elapsed = time.perf_counter() - start
    _settle(plane, contender)
    return elapsed, process.cpu - cpu, Counted.since(plane.audit_log, position, contender.user)


def _settle(plane: ControlPlane, contender: Contender) -> None:
    """Wait until the contender has written nothing for three seconds."""
    while True:
        position = plane.audit_log.stat().st_size
        time.sleep(3)
        if not Counted.since(plane.audit_log, position, contender.user).writes:
            return


def _idle(process: MeasuredProcess) -> float:
    before = process.cpu
    time.sleep(_IDLE)
    return (process.cpu - before) / _IDLE * 100


def _restart(plane: ControlPlane, contender: Contender, log: Path) -> tuple[float, int]:
    """Start it again over an unchanged world and ask for one Namespace of another tenant, which is counted apart."""
    position = plane.audit_log.stat().st_size
    start = time.perf_counter()
    with MeasuredProcess(contender.command, log=log, environment=contender.environment) as process:
        world.create_extra(plane)
        world.wait_extra_ready(plane, deadline=_DEADLINE, alive=process.must_run)
        elapsed = time.perf_counter() - start
        _settle(plane, contender)
        process.end(signal.SIGTERM)
    return elapsed, Counted.since(plane.audit_log, position, contender.user, without=world.EXTRA).writes


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
