"""The installation that is measured: the shipped CRDs, roles and ServiceAccount, applied with kubectl.

Without admission policies: they would refuse to the peer what only Ringfence may write.
"""

import subprocess
from pathlib import Path

from ringfence.controlplane import ControlPlane, find_tools

_MANIFESTS = Path(__file__).parents[2] / "manifests" / "install"


def install(plane: ControlPlane) -> None:
    """Apply manifests/install without what puts policies in force."""
    apply_manifests(plane)
    bindings = "validatingadmissionpolicybindings,mutatingadmissionpolicybindings"
    subprocess.run([*_kubectl(plane), "delete", bindings, "--all"], check=True, stdout=subprocess.DEVNULL)


def apply_manifests(plane: ControlPlane) -> None:
    """Apply manifests/install; its Deployment stays without pods, since there are no nodes."""
    kubectl = _kubectl(plane)
    apply = [*kubectl, "apply", "--server-side", "-k", str(_MANIFESTS)]
    subprocess.run(apply, check=True, stdout=subprocess.DEVNULL)
    wait = [*kubectl, "wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]
    subprocess.run(wait, check=True, stdout=subprocess.DEVNULL)


def _kubectl(plane: ControlPlane) -> list[str]:
    return [str(find_tools(["kubectl"])["kubectl"]), "--kubeconfig", str(plane.admin_kubeconfig)]
