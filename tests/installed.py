"""Clusters on which everything is installed: by the documented command once a run; all further ones start from a copy.

Laws: a copy is what etcd had written when the first cluster was whole and stood still; nothing of a test is in it.
Policies are not in it, and come last: an API server that meets one before the definition of its parameters refuses
whatever it is about until it looks again, every 30 seconds; and a started one reads what etcd has in no such order.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from ringfence.cli.glass import in_force
from ringfence.controlplane import APPLY_PATCH, ControlPlane, find_tools
from ringfence.model.kinds import GROUP, GUARDRAIL, VERSION
from tests.apiserver.installing import POLICIES, documents, install, kustomized
from tests.controlplane_fixtures import AUDIT_POLICY, Kubectl
from tests.waiting import eventually

ETCD: Final = "etcd"
"""Etcd's folder in a control plane's own."""
LONGEST: Final = 90  # seconds
_FOLDER: Final = pytest.StashKey[Path]()
_WORKERS_FOLDER: Final = "installed"


@pytest.fixture(scope="module")
def installed_plane(pytestconfig: pytest.Config) -> Iterator[ControlPlane]:
    """Run one on which all policies are in force."""
    with installed(pytestconfig) as plane:
        yield plane


@contextmanager
def installed(config: pytest.Config, audit_policy: Path = AUDIT_POLICY) -> Iterator[ControlPlane]:
    """Start a copy of the cluster on which everything was installed."""
    kept = _kept(config.stash[_FOLDER])
    plane = ControlPlane(audit_policy=audit_policy)
    shutil.copytree(kept, plane.folder / ETCD)
    with plane:
        eventually(lambda: _discovered(plane), LONGEST)
        for policy in documents(kustomized(POLICIES)):
            plane.admin.request("PATCH", _as_kubectl(policy), policy, content_type=APPLY_PATCH).must()
        eventually(lambda: in_force(plane.admin), LONGEST)
        yield plane


def _discovered(plane: ControlPlane) -> bool:
    """Whether the API server tells of our kinds: by that it finds parameters, and it serves them some time before."""
    groups = plane.admin.get("/apis").must()["groups"]
    told = plane.admin.get(f"/apis/{GROUP}/{VERSION}")
    return (
        GROUP in {each["name"] for each in groups}
        and told.ok
        and GUARDRAIL.plural in {each["name"] for each in told.body["resources"]}
    )


def _as_kubectl(policy: dict[str, Any]) -> str:
    plural = f"{policy['kind'].lower()}s".replace("policys", "policies")
    path = f"/apis/{policy['apiVersion']}/{plural}/{policy['metadata']['name']}"
    return f"{path}?fieldManager=kubectl&force=true"


def _kept(folder: Path) -> Path:
    """What etcd wrote, made by whichever process of the run comes first."""
    kept = folder / ETCD
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            _keep(kept)
    return kept


def _keep(kept: Path) -> None:
    with ControlPlane() as plane:
        kubectl = Kubectl(plane, find_tools(["kubectl"])["kubectl"])
        install(kubectl, "--server-side")
        kubectl("delete", "-k", str(POLICIES))
        for server in (plane.controller_manager, plane.apiserver, plane.etcd):
            server.kill()
        shutil.copytree(plane.folder / ETCD, kept.with_suffix(".half"))
    kept.with_suffix(".half").rename(kept)


def pytest_configure(config: pytest.Config) -> None:
    """Make one folder for all processes of a run."""
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        config.stash[_FOLDER] = Path(worker[_WORKERS_FOLDER])
        return
    folder = tempfile.TemporaryDirectory(prefix="ringfence-installed-")
    config.add_cleanup(folder.cleanup)
    config.stash[_FOLDER] = Path(folder.name)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each worker where it is."""
    node.workerinput[_WORKERS_FOLDER] = str(node.config.stash[_FOLDER])
