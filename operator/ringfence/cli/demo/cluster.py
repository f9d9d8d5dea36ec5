"""The control plane, kubectl and the operator's process of the demo: started in order, gone in any case."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ringfence import names
from ringfence.cli.demo.operator import OperatorProcess
from ringfence.cli.demo.promise import BrokenPromiseError
from ringfence.cli.glass import REASON
from ringfence.controlplane import ControlPlane, find_tools


class DemoCluster:
    """What the story acts on."""

    def __init__(self, plane: ControlPlane, kubectl: Path) -> None:
        self.plane = plane
        self._kubectl = kubectl
        self.folder = plane.folder / "demo"
        """For everything that the story keeps."""
        self.folder.mkdir(mode=0o700)
        self._operator: OperatorProcess | None = None

    @property
    def ledger(self) -> Path:
        """The folder where the operator keeps its records."""
        return self.folder / "ledger"

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run the real kubectl with all rights. Raises BrokenPromiseError where it is refused."""
        done = self._run_kubectl(arguments, stdin)
        if done.returncode:
            raise BrokenPromiseError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def refusal(self, *arguments: str) -> str:
        """Run kubectl with all rights, and return why it was refused. Raises BrokenPromiseError where it was not."""
        done = self._run_kubectl(arguments, None)
        if not done.returncode:
            raise BrokenPromiseError(f"kubectl {' '.join(arguments)}: was not refused")
        return done.stderr.strip()

    def _run_kubectl(self, arguments: Sequence[str], stdin: str | None) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 - the kubectl that we found
            [self._kubectl, f"--cache-dir={self.folder}/kubectl", *arguments],
            input=stdin,
            env={**os.environ, "KUBECONFIG": str(self.plane.admin_kubeconfig), "KUBERC": "off"},
            capture_output=True,
            text=True,
            check=False,
        )

    def lineage(self, command: str, *arguments: str, ledger: Path | None = None) -> tuple[int, str]:
        """Run `ringfence lineage`; return its exit code and what it printed."""
        return self.ringfence("lineage", command, *arguments, ledger=ledger)

    def ringfence(self, *arguments: str, ledger: Path | None = None) -> tuple[int, str]:
        """Run `ringfence`; return its exit code and what it printed."""
        whole = [sys.executable, "-m", "ringfence", *arguments]
        url = f"sqlite:///{ledger or self.ledger}"
        environment = {**os.environ, "RINGFENCE_LEDGER": url, "NO_COLOR": "1"}
        done = subprocess.run(  # noqa: S603 - our own command
            whole, env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode, (done.stdout + done.stderr).rstrip()

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        """Get objects with kubectl."""
        found: list[dict[str, Any]] = json.loads(self.kubectl("get", *arguments, "-o", "json"))["items"]
        return found

    def start_operator(self) -> OperatorProcess:
        """Start the operator with a token of its own ServiceAccount, and thus with the shipped roles only."""
        account = names.OPERATOR_NAMESPACE, names.OPERATOR_SERVICE_ACCOUNT
        config = self.plane.service_account_kubeconfig(*account, annotations=REASON)
        self._operator = OperatorProcess(kubeconfig=config, ledger=f"sqlite:///{self.ledger}", folder=self.folder)
        return self._operator

    @property
    def operator(self) -> OperatorProcess:
        """The operator that was started last."""
        if self._operator is None:
            raise BrokenPromiseError("the operator was not started")
        return self._operator

    def close(self) -> None:
        """Leave no process."""
        if self._operator is not None:
            self._operator.kill()


@contextmanager
def demo_cluster(plane: ControlPlane) -> Iterator[DemoCluster]:
    """Have the operator's process gone when the block ends, in whatever way."""
    cluster = DemoCluster(plane, find_tools(["kubectl"])["kubectl"])
    try:
        yield cluster
    finally:
        cluster.close()
