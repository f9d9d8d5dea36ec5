"""The operator's process in tests: with a token of its own ServiceAccount and the shipped roles, as everywhere."""

import itertools
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
from prometheus_client.parser import text_string_to_metric_families

from ringfence import names
from ringfence.adapters.sqlite.reader import SqliteReader
from ringfence.cli.glass import REASON
from ringfence.controlplane import ControlPlane
from tests.forking import ForkedProcess
from tests.waiting import eventually

_NUMBERS: Final = itertools.count(1)
STILL: Final = 1.0  # seconds
USER: Final = f"system:serviceaccount:{names.OPERATOR_NAMESPACE}:{names.OPERATOR_SERVICE_ACCOUNT}"


def operator_kubeconfig(plane: ControlPlane) -> Path:
    """A kubeconfig with a new token of the operator, for which its node would ask elsewhere."""
    return plane.service_account_kubeconfig(
        names.OPERATOR_NAMESPACE, names.OPERATOR_SERVICE_ACCOUNT, annotations=REASON
    )


@dataclass
class OperatorProcess:
    """`ringfence run` against a control plane; it can't outlive the tests."""

    plane: ControlPlane
    folder: Path
    kubeconfig: Path | None = None
    arguments: tuple[str, ...] = ()
    process: ForkedProcess | None = None
    number: int = field(default_factory=lambda: next(_NUMBERS))
    still: tuple[float, float] = (-1.0, 0.0)
    """How many looks there were, and since when there were no more."""

    @property
    def ledger(self) -> Path:
        """The directory of its records."""
        return self.folder / "ledger"

    @property
    def log(self) -> Path:
        """Its log file."""
        return self.folder / f"operator-{self.number}.log"

    def start(self) -> "OperatorProcess":
        """Start it and return at once."""
        kubeconfig = self.kubeconfig or operator_kubeconfig(self.plane)
        options = ("--kubeconfig", str(kubeconfig), "--ledger", f"sqlite:///{self.ledger}", "--log-format", "json")
        self.log.write_bytes(b"")
        self.kill()  # what is left of the one before, which has ended: its socket
        self.process = ForkedProcess(["run", *options, *self.arguments], log=self.log, cwd=self.folder)
        return self

    def keep_running(self) -> bool:
        """Start it anew where it has ended, as a Deployment would; answers whether it runs."""
        if not self.running:
            self.start()
        return True

    def lines(self) -> list[dict[str, Any]]:
        """Every event of its log so far."""
        whole = self.log.read_bytes().rpartition(b"\n")[0].splitlines()
        return [orjson.loads(line) for line in whole if line.startswith(b"{")]

    def said(self, event: str) -> dict[str, Any] | None:
        """The first log line with that event."""
        return next((line for line in self.lines() if event in line["event"]), None)

    def leads(self) -> bool:
        """Whether it leads; fails where it has ended instead."""
        assert self.running, self.log.read_text()
        return self.said("leading") is not None

    def settled(self) -> bool:
        """Whether it leads, has looked at everything, and has had nothing to do for a second."""
        metrics = self.metrics()
        looks = metrics.get("ringfence_reconciles_total", 0.0)
        busy = metrics.get("ringfence_queue_depth", 1) + metrics.get("ringfence_working", 1)
        done = metrics.get("ringfence_leader") == 1 and looks >= metrics.get("ringfence_objects", 1) and not busy
        if not done or looks != self.still[0]:
            self.still = looks, time.monotonic()
        return done and time.monotonic() - self.still[1] > STILL

    def expect_work(self) -> None:
        """Say that something was changed: only stillness from now on counts."""
        self.still = (-1.0, 0.0)

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.running

    def probe(self, path: str) -> tuple[int, str]:
        """Status and text of a probe; 0 where nobody answers."""
        started = self.said("starting")
        if started is None:
            return 0, ""
        try:
            with urllib.request.urlopen(f"{started['probes']}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def metrics(self) -> dict[str, float]:
        """Its metrics, summed over their labels."""
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(self.probe("/metrics")[1]):
            for sample in family.samples:
                sums[sample.name] = sums.get(sample.name, 0) + sample.value
        return sums

    def kill(self) -> None:
        """End it as a crash would."""
        if self.process:
            self.process.kill()

    def kill_quickly(self) -> None:
        """Send SIGKILL and return at once; from any thread."""
        if self.process:
            os.kill(self.process.pid, signal.SIGKILL)

    def stop(self, grace: float = 15.0) -> int:
        """Ask it to end, and return its exit code."""
        assert self.process is not None
        self.process.signal(signal.SIGTERM)
        return self.exit_code(grace)

    def exit_code(self, timeout: float = 15.0) -> int:
        """Wait until it has ended by itself, and return its exit code."""
        assert self.process is not None
        return self.process.wait(timeout)

    def records(self) -> list[dict[str, Any]]:
        """Every event of every log of its ledger."""
        reader = SqliteReader(self.ledger)
        found = []
        for name in reader.logs():
            with reader.open(name) as view:
                found += [orjson.loads(record.body) for record in view.records() if record.body]
        return found


@contextmanager
def operating(
    plane: ControlPlane, folder: Path, *arguments: str, kubeconfig: Path | None = None
) -> Iterator[OperatorProcess]:
    """Run the operator while the block does."""
    operator = OperatorProcess(plane, folder, kubeconfig, arguments).start()
    try:
        eventually(operator.leads, 60)
        yield operator
    finally:
        operator.kill()
