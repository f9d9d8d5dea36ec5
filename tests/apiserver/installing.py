"""An empty control plane a module, and the real kubectl and helm on it."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from ringfence.cli.glass import in_force
from ringfence.controlplane import ControlPlane, find_tools
from tests.controlplane_fixtures import Kubectl
from tests.waiting import eventually

REPOSITORY: Final = Path(__file__).parents[2]
CRDS: Final = REPOSITORY / "crds"
INSTALL: Final = REPOSITORY / "manifests" / "install"
POLICIES: Final = REPOSITORY / "manifests" / "policies"
SAMPLES: Final = REPOSITORY / "manifests" / "samples"
CHART: Final = REPOSITORY / "charts" / "ringfence"


@dataclass(frozen=True)
class Helm:
    """Runs the real helm against a control plane, or without one for `template` and `lint`."""

    folder: Path
    kubeconfig: Path | None = None

    def __call__(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run it. With `check`, a failure fails the test and is shown."""
        own = {f"HELM_{kind}_HOME": str(self.folder / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        done = subprocess.run(
            [find_tools(["helm"])["helm"], *arguments],
            env={**os.environ, **own, "KUBECONFIG": str(self.kubeconfig or os.devnull)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, f"helm {' '.join(arguments)}: {done.stderr}"
        return done


@dataclass(frozen=True)
class Cluster:
    """A control plane, and the real tools for it."""

    plane: ControlPlane
    kubectl: Kubectl
    helm: Helm

    def get(self, resource: str, *arguments: str) -> list[dict[str, Any]]:
        """Get objects of a resource."""
        found = json.loads(self.kubectl("get", resource, "-o", "json", *arguments).stdout)
        return list(found["items"])


@contextmanager
def empty_cluster(folder: Path) -> Iterator[Cluster]:
    """Start one; it is gone when the block ends."""
    with ControlPlane() as plane:
        yield on(plane, folder)


def on(plane: ControlPlane, folder: Path) -> Cluster:
    """Return a control plane with its tools."""
    kubectl = Kubectl(plane, find_tools(["kubectl"])["kubectl"])
    return Cluster(plane, kubectl, Helm(folder, plane.admin_kubeconfig))


def install(kubectl: Kubectl, *options: str) -> None:
    """Run the documented command, and wait until all that it installs is in force.

    The definitions come first: an API server that meets a policy before the definition of its parameters refuses
    whatever the policy is about until it looks again, every 30 seconds.
    """
    kubectl("apply", *options, "-k", str(CRDS))
    kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
    kubectl("apply", *options, "-k", str(INSTALL))
    eventually(lambda: in_force(kubectl.plane.admin), 60)


def kustomized(folder: Path) -> str:
    """Return what `kubectl apply -k` would apply; that needs no cluster."""
    command = [str(find_tools(["kubectl"])["kubectl"]), "kustomize", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def documents(text: str) -> list[dict[str, Any]]:
    """Return the objects of a bundle. By the parser in C: the one in Python takes 0.8 s for what is installed."""
    return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]


def by_identity(objects: list[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Index manifests by kind, namespace and name."""
    return {(item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): item for item in objects}
