"""The control plane, kubectl and the operator's process of the demo: started in order, gone in any case."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ringfence import names
from ringfence.cli.demo.promise import BrokenPromiseError
from ringfence.controlplane import ControlPlane, find_tools
from ringfence.controlplane.process import GuardedProcess

_GRACE: Final = 15.0  # seconds for the operator to end in good order


class DemoCluster:
    """What the story acts on."""

    def __init__(self, plane: ControlPlane, kubectl: Path) -> None:
        self.plane = plane
        self._kubectl = kubectl
        self._folder = plane.folder / "demo"
        self._folder.mkdir(mode=0o700)
        self._operator: GuardedProcess | None = None

    @property
    def ledger(self) -> str:
        """Where the operator keeps its records."""
        return f"sqlite:///{self._folder}/ledger"

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run the real kubectl with all rights. Raises BrokenPromiseError where it is refused."""
        command = [self._kubectl, f"--cache-dir={self._folder}/kubectl", *arguments]
        environment = {**os.environ, "KUBECONFIG": str(self.plane.admin_kubeconfig), "KUBERC": "off"}
        return _run(f"kubectl {' '.join(arguments)}", command, environment, stdin)

    def ringfence(self, *arguments: str) -> str:
        """Run a command of ours. Raises BrokenPromiseError where it fails."""
        command = [sys.executable, "-m", "ringfence", *arguments]
        return _run(f"ringfence {' '.join(arguments)}", command, {**os.environ, "NO_COLOR": "1"}, None)

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        """Get objects with kubectl."""
        found: list[dict[str, Any]] = json.loads(self.kubectl("get", *arguments, "-o", "json"))["items"]
        return found

    def start_operator(self) -> None:
        """Start the operator with a token of its own ServiceAccount, and thus with the shipped roles only."""
        config = self.plane.service_account_kubeconfig(names.OPERATOR_NAMESPACE, names.OPERATOR_SERVICE_ACCOUNT)
        command = [sys.executable, "-m", "ringfence", "run", "--kubeconfig", str(config), "--ledger", self.ledger]
        self._operator = GuardedProcess(command, log=self._folder / "operator.log", cwd=self._folder)

    def must_run(self) -> None:
        """Raise BrokenPromiseError, with the end of its log, where the operator has ended by itself."""
        if self._operator is not None and not self._operator.running:
            raise BrokenPromiseError(f"the operator ended:\n{self._operator.log_tail()}")

    def kill_operator(self) -> None:
        """End the operator as a crash would: SIGKILL."""
        if self._operator is not None:
            self._operator.kill()

    def stop_operator(self) -> None:
        """Ask the operator to end."""
        if self._operator is not None:
            self._operator.stop(_GRACE)


@contextmanager
def demo_cluster(plane: ControlPlane) -> Iterator[DemoCluster]:
    """Have the operator's process gone when the block ends, in whatever way."""
    cluster = DemoCluster(plane, find_tools(["kubectl"])["kubectl"])
    try:
        yield cluster
    finally:
        cluster.kill_operator()


def _run(title: str, command: list[Any], environment: dict[str, str], stdin: str | None) -> str:
    done = subprocess.run(  # noqa: S603 - programs of our own choice
        command, input=stdin, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BrokenPromiseError(f"{title}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
