"""The installation that is measured: the shipped CRDs, roles and ServiceAccount, applied with kubectl.

Without admission policies: they would refuse to the peer what only Ringfence may write.
"""

import subprocess
from pathlib import Path

from ringfence.controlplane import ControlPlane, find_tools

_MANIFESTS = Path(__file__).parents[2] / "manifests" / "install"


def install(plane: ControlPlane) -> None:
    """Apply manifests/install; its Deployment stays without pods, since there are no nodes."""
    kubectl = [str(find_tools(["kubectl"])["kubectl"]), "--kubeconfig", str(plane.admin_kubeconfig)]
    apply = [*kubectl, "apply", "--server-side", "-k", str(_MANIFESTS)]
    subprocess.run(apply, check=True, stdout=subprocess.DEVNULL)
    wait = [*kubectl, "wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]
    subprocess.run(wait, check=True, stdout=subprocess.DEVNULL)
    bindings = "validatingadmissionpolicybindings,mutatingadmissionpolicybindings"
    subprocess.run([*kubectl, "delete", bindings, "--all"], check=True, stdout=subprocess.DEVNULL)
