"""The operator's process as the demo sees it: started, asked how it is, killed, stopped."""

import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from ringfence.cli.demo.promise import BrokenPromiseError
from ringfence.controlplane.process import GuardedProcess

_GRACE: Final = 15.0  # seconds for it to end in good order
_TIMEOUT: Final = 2.0  # seconds for an answer
# A container that restarts in its pod keeps its name in the Lease, and so takes it up again at once.
_IDENTITY: Final = "demo"


class OperatorProcess:
    """`ringfence run`, guarded: it can't outlive this process."""

    def __init__(self, *, kubeconfig: Path, ledger: str, folder: Path) -> None:
        self._port = _free_port()
        options = {
            "--kubeconfig": str(kubeconfig),
            "--ledger": ledger,
            "--identity": _IDENTITY,
            "--metrics-host": "127.0.0.1",
            "--metrics-port": str(self._port),
            "--usage": "2",
            # No node here tells these; providers outside of the cluster are reachable only once they are known.
            "--pod-ranges": "10.244.0.0/16",
            "--node-ranges": "192.0.2.0/24",
        }
        arguments = [part for option in options.items() for part in option]
        command = [sys.executable, "-m", "ringfence", "run", *arguments]
        self._process = GuardedProcess(command, log=folder / "operator.log", cwd=folder)

    def leads(self) -> bool:
        """Whether it holds the Lease."""
        return self._metrics().get("ringfence_leader") == 1

    def settled(self) -> bool:
        """Whether it leads, has looked at every object, and has nothing left to do."""
        metrics = self._metrics()
        looked = metrics.get("ringfence_reconciles_total", 0) >= metrics.get("ringfence_objects", 0) > 0
        idle = metrics.get("ringfence_queue_depth") == metrics.get("ringfence_working") == 0
        return metrics.get("ringfence_leader") == 1 and looked and idle

    def kill(self) -> None:
        """End it as a crash would: SIGKILL."""
        self._process.kill()

    def stop(self) -> None:
        """Ask it to end."""
        self._process.stop(_GRACE)

    def _metrics(self) -> Mapping[str, float]:
        """Sums of its metrics over their labels; none before it listens.

        Raises:
            BrokenPromiseError: it ended by itself; the message has the end of its log.
        """
        if not self._process.running:
            raise BrokenPromiseError(f"the operator ended:\n{self._process.log_tail()}")
        try:
            address = f"http://127.0.0.1:{self._port}/metrics"
            with urllib.request.urlopen(address, timeout=_TIMEOUT) as answer:
                text = answer.read().decode()
        except (urllib.error.URLError, OSError):
            return {}
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                sums[sample.name] = sums.get(sample.name, 0) + sample.value
        return sums


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        number: int = probe.getsockname()[1]
        return number
