"""The real API server for tests: one a file, started when the first test asks for it.

Laws: no file sees another's objects; nothing here skips. A test that needs the control plane and can't have it fails.
"""

import itertools
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from ringfence.controlplane import Client, ControlPlane, find_tools
from tests import rights_used
from tests.waiting import eventually

REPOSITORY: Final = Path(__file__).parents[1]
AUDIT_POLICY: Final = Path(__file__).with_name("audit-policy.yaml")
_NUMBERS: Final = itertools.count(1)

Input = str | Mapping[str, Any] | Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Kubectl:
    """Runs the real kubectl as an administrator, as any user in any groups, or with a kubeconfig of your own."""

    plane: ControlPlane
    program: Path

    def __call__(
        self,
        *arguments: str,
        user: str | None = None,
        groups: Sequence[str] = (),
        kubeconfig: Path | None = None,
        stdin: Input | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run it; `stdin` is text, a manifest or several. With `check`, a refusal fails the test and is shown."""
        config = kubeconfig or (self.plane.kubeconfig(user, groups) if user else self.plane.admin_kubeconfig)
        done = subprocess.run(
            [self.program, f"--cache-dir={self.plane.folder}/kubectl-cache", *arguments],
            input=None if stdin is None else _text(stdin),
            env={**os.environ, "KUBECONFIG": str(config), "KUBERC": "off"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done


@pytest.fixture(scope="module")
def controlplane(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[ControlPlane]:
    """Run one control plane a file, with an audit log of all requests. Leave its servers running.

    It is empty, but in a file that is marked `installed`.
    """
    whole = request.node.get_closest_marker("installed")
    plane: ControlPlane = request.getfixturevalue("installed_plane" if whole else "empty_plane")
    yield plane
    rights_used.note(pytestconfig, plane.audit_log)


@pytest.fixture(scope="module")
def empty_plane() -> Iterator[ControlPlane]:
    """Run one on which nothing was installed."""
    with ControlPlane(audit_policy=AUDIT_POLICY) as plane:
        yield plane


@pytest.fixture(scope="module")
def admin(controlplane: ControlPlane) -> Client:
    """Speak to the API server with all rights: `admin.get(path).must()`, `admin.request(method, path, body)`."""
    return controlplane.admin


@pytest.fixture(scope="module")
def kubectl(controlplane: ControlPlane) -> Kubectl:
    """Run the real one: `kubectl("apply", "-f-", stdin=manifest, user="ann", groups=["acme-admins"], check=False)`."""
    return Kubectl(controlplane, find_tools(["kubectl"])["kubectl"])


@pytest.fixture(scope="module")
def crds(kubectl: Kubectl, admin: Client) -> list[str]:
    """Apply Ringfence's CRDs, wait until they are served, and return their names."""
    names = kubectl("apply", "--server-side", "-f", str(REPOSITORY / "crds"), "-o", "name").stdout.split()
    kubectl("wait", "--for=condition=Established", "--timeout=30s", *names)
    eventually(lambda: all(_is_served(admin, name.partition("/")[2]) for name in names), timeout=30)
    return names


@pytest.fixture
def tenant_name() -> Callable[[], str]:
    """Make names of tenants that no other test on this control plane uses."""
    return lambda: f"tenant{next(_NUMBERS)}"


@pytest.fixture
def audit_events(controlplane: ControlPlane) -> Callable[[], list[dict[str, Any]]]:
    """Return the audit events written since the test began."""
    log = controlplane.audit_log
    start = log.stat().st_size

    def read() -> list[dict[str, Any]]:
        with log.open("rb") as events:
            events.seek(start)
            return [json.loads(line) for line in events if line.endswith(b"\n")]

    return read


def _text(stdin: Input) -> str:
    if isinstance(stdin, str):
        return stdin
    manifests = [stdin] if isinstance(stdin, Mapping) else stdin
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})


def _is_served(admin: Client, crd: str) -> bool:
    """Ask for the resource itself: an established CRD may still answer 404 for a moment."""
    definition = admin.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd}").must()
    versions = [version["name"] for version in definition["spec"]["versions"] if version["served"]]
    plural, _, group = crd.partition(".")
    return all(admin.get(f"/apis/{group}/{version}/{plural}?limit=1").ok for version in versions)
