"""What one tenant's flood costs another: the time from an apply to Ready, with and without 10,000 writes meanwhile.

Method: the shipped installation with its policies, flows and roles, and the operator as a process. In turns, a member
of the quiet tenant makes Namespace objects, one after another, and waits until each is Ready; first alone, then while
members of the other tenant write ConfigMaps in their core namespaces and change the specs of their Namespace objects,
each of which wakes the operator. The API server is told how many requests two cores can take at once: with the 600 that
are the default, for large machines, nothing is ever queued and everything is slow.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, count, takewhile
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, Final

from ringfence import names
from ringfence.cli.glass import in_force
from ringfence.controlplane import ControlPlane
from ringfence.model.kinds import CONFIG_MAP, NAMESPACE, TENANT
from tests.attack.asking import Request, Who
from tests.bench.admission.wire import Wire
from tests.bench.install import apply_manifests
from tests.operating import operating
from tests.waiting import eventually

API: Final = "ringfence.dev/v1alpha1"
LOUD: Final = "loud"
QUIET: Final = "quiet"
_ADMIN: Final = Who("kubernetes-admin", ("system:masters",))
_MERGE: Final = "application/merge-patch+json"
_DEADLINE: Final = 120.0  # seconds
_POLL: Final = 0.02
_TWO_CORES: Final = {"max-requests-inflight": "40", "max-mutating-requests-inflight": "20"}


@dataclass(frozen=True)
class Fairness:
    """Seconds until Ready, medians, and what happened meanwhile."""

    alone: float
    flooded: float
    measured: int
    """How many times, alone and flooded."""
    writes: int
    refused: int
    """How many of them the API server put off (429) because the flow was full."""
    per_second: float

    @property
    def ratio(self) -> float:
        """How many times longer it takes."""
        return self.flooded / self.alone


@dataclass
class Flood:
    """Writes by members of one tenant, over so many connections, until their number is reached or it is stopped."""

    plane: ControlPlane
    namespaces: int
    total: int
    connections: int = 16
    sent: int = 0
    """So far."""
    per_second: float = 0.0
    refused: int = 0

    def __post_init__(self) -> None:
        self._stopped = Event()

    def run(self) -> None:
        """Send them."""
        who = member(LOUD, "admin")
        self.plane.certificate(who.user, who.groups)  # made once, before many ask for it at a time
        begun = time.perf_counter()
        with ThreadPoolExecutor(self.connections) as pool:
            shares = [self.total // self.connections] * self.connections
            list(pool.map(self._send, range(self.connections), shares))
        self.per_second = self.sent / (time.perf_counter() - begun)

    def stop(self) -> None:
        """Send no more."""
        self._stopped.set()

    def _send(self, connection: int, share: int) -> None:
        with Wire(self.plane, self.plane.url, member(LOUD, "admin")) as wire:
            for number in takewhile(lambda _: not self._stopped.is_set(), range(share)):
                status, body, _ = wire.send(self._request(connection, number))
                self.sent += 1
                self.refused += status == 429
                if status not in (200, 201, 409, 429):
                    raise RuntimeError(f"the flood is refused: {status} {body.get('message')}")

    def _request(self, connection: int, number: int) -> Request:
        """Every other one changes a Namespace object, each of them in turn."""
        namespace = f"n{(connection + number // 2) % self.namespaces}"
        if number % 2:
            change = {"spec": {"quota": {"hard": {"pods": str(number % 5 + 1)}}}}
            return Request("PATCH", NAMESPACE.path(LOUD, namespace), change, {}, _MERGE)
        path = CONFIG_MAP.collection_path(names.core_namespace(LOUD, namespace))
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"flood-{connection}-{number}"}}
        return Request("POST", path, body, {"dryRun": "All"})


def member(tenant: str, role: str) -> Who:
    """One of a tenant's people."""
    return Who(f"{role}@{tenant}", (f"oidc:{tenant}-{role}s",))


def measure(*, writes: int = 10_000, namespaces: int = 20, rounds: int = 5, repeats: int = 5) -> Fairness:
    """Measure by turns, alone and during a part of the flood: the quiet tenant grows, and that costs time, too."""
    with TemporaryDirectory() as folder, grounds(Path(folder), namespaces) as plane:
        times = Times(plane, repeats)
        times.until_ready()  # the first ones wait for the Tenant's own reports
        found = [_one_round(plane, times, Flood(plane, namespaces, writes // rounds)) for _ in range(rounds)]
    floods = [flood for _, _, flood in found]
    return Fairness(
        alone=median(chain.from_iterable(alone for alone, _, _ in found)),
        flooded=median(chain.from_iterable(flooded for _, flooded, _ in found)),
        measured=rounds * repeats,
        writes=sum(flood.sent for flood in floods),
        refused=sum(flood.refused for flood in floods),
        per_second=median(flood.per_second for flood in floods),
    )


def _one_round(plane: ControlPlane, times: "Times", flood: Flood) -> tuple[list[float], list[float], Flood]:
    alone = times.until_ready()
    with ThreadPoolExecutor(1) as pool:
        flooding = pool.submit(flood.run)
        _until(lambda: flood.sent > flood.total // 5 or flooding.done())
        flooded = times.until_ready()
        if flooding.done():
            raise RuntimeError("the flood was over too soon: more writes are needed")
        flooding.result()
    with Wire(plane, plane.url, _ADMIN) as wire:
        for number in range(flood.namespaces):
            _until(partial(_is_ready, wire, NAMESPACE.path(LOUD, f"n{number}")))
    _say(f"alone {_seconds(alone)} s, flooded {_seconds(flooded)} s, {flood.per_second:.0f} writes a second")
    return alone, flooded, flood


@dataclass
class Times:
    """Makes Namespaces of the quiet tenant, one after another."""

    plane: ControlPlane
    repeats: int

    def __post_init__(self) -> None:
        self._numbers = count()

    def until_ready(self) -> list[float]:
        """Seconds from the request until Ready, of each."""
        return [self._until_ready() for _ in range(self.repeats)]

    def _until_ready(self) -> float:
        with Wire(self.plane, self.plane.url, member(QUIET, "owner")) as wire:
            name = f"n{next(self._numbers)}"
            begun = time.perf_counter()
            _must(wire, Request("POST", NAMESPACE.collection_path(QUIET), namespace_object(name, QUIET), {}))
            _until(lambda: _is_ready(wire, NAMESPACE.path(QUIET, name)))
            return time.perf_counter() - begun


@contextmanager
def grounds(folder: Path, namespaces: int) -> Iterator[ControlPlane]:
    """The shipped installation with an operator, a tenant with so many Namespaces, and one with none."""
    with ControlPlane(apiserver_flags=_TWO_CORES) as plane:
        apply_manifests(plane)
        eventually(lambda: in_force(plane.admin), 60)
        with operating(plane, folder), Wire(plane, plane.url, _ADMIN) as wire:
            for tenant in (LOUD, QUIET):
                _must(wire, Request("POST", TENANT.collection_path(), tenant_object(tenant, 500), {}))
                _until(partial(_is_ready, wire, TENANT.path(None, tenant)))
            for number in range(namespaces):
                made = namespace_object(f"n{number}", LOUD)
                _must(wire, Request("POST", NAMESPACE.collection_path(LOUD), made, {}))
            for number in range(namespaces):
                _until(partial(_is_ready, wire, NAMESPACE.path(LOUD, f"n{number}")))
            yield plane


def tenant_object(name: str, namespaces: int) -> dict[str, Any]:
    """A Tenant with a group for every role."""
    spec = {
        "access": {f"{role}s": [{"group": f"oidc:{name}-{role}s"}] for role in names.ROLES},
        "environments": [{"name": "dev"}],
        "budget": {"namespaces": namespaces, "hard": {"pods": "1000"}},
    }
    return {"apiVersion": API, "kind": "Tenant", "metadata": {"name": name}, "spec": spec}


def namespace_object(name: str, home: str) -> dict[str, Any]:
    """A Namespace object."""
    spec = {"environment": "dev", "quota": {"hard": {"pods": "1"}}}
    return {"apiVersion": API, "kind": "Namespace", "metadata": {"name": name, "namespace": home}, "spec": spec}


def _must(wire: Wire, request: Request) -> None:
    status, body, _ = wire.send(request)
    if status >= 300:
        raise RuntimeError(f"{request.method} {request.path}: {status} {body.get('message')}")


def _is_ready(wire: Wire, path: str) -> bool:
    status, body, _ = wire.send(Request("GET", path, None, {}))
    conditions: Sequence[dict[str, Any]] = body.get("status", {}).get("conditions", ()) if status == 200 else ()
    generation = body.get("metadata", {}).get("generation")
    return any(
        each["type"] == "Ready" and each["status"] == "True" and each["observedGeneration"] == generation
        for each in conditions
    )


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + _DEADLINE
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {_DEADLINE:.0f} s")
        time.sleep(_POLL)


def _seconds(times: Sequence[float]) -> str:
    return " ".join(f"{each:.2f}" for each in times)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
