"""Who is measured: Ringfence as it is shipped, and a Go reconciler that makes the same twelve children."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ringfence import names
from ringfence.controlplane import ControlPlane, cache_folder
from tests.operating import operator_kubeconfig

_REFERENCE = Path(__file__).parent / "reference"


@dataclass(frozen=True)
class Contender:
    """A program that serves Namespace objects on one control plane."""

    name: str
    user: str
    """The user by which the API server's audit log knows it."""
    policy_name: str
    """A NetworkPolicy of every namespace that it repairs."""
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def ringfence(plane: ControlPlane) -> Contender:
    """Ringfence with a token of its own ServiceAccount, the shipped roles and a durable ledger."""
    kubeconfig = operator_kubeconfig(plane)
    ledger = plane.folder / "ledger"
    command = (
        sys.executable,
        "-m",
        "ringfence",
        "run",
        "--kubeconfig",
        str(kubeconfig),
        "--ledger",
        f"sqlite:///{ledger}",
        "--unsafe-without-policies",
    )
    user = f"system:serviceaccount:{names.OPERATOR_NAMESPACE}:{names.OPERATOR_SERVICE_ACCOUNT}"
    return Contender("ringfence", user, names.DENY_ALL, command)


def reference(plane: ControlPlane) -> Contender:
    """The controller-runtime peer, with all rights and no ledger."""
    kubeconfig = plane.kubeconfig("reference", ["system:masters"])
    return Contender(
        "controller-runtime", "reference", "reference-deny-all", (str(_built()), "-kubeconfig", str(kubeconfig))
    )


def _built() -> Path:
    binary = cache_folder() / "bench-reference"
    print("building the Go peer", file=sys.stderr, flush=True)
    subprocess.run(["go", "build", "-o", str(binary), "."], cwd=_REFERENCE, check=True)
    return binary
