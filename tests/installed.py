"""Clusters on which everything is installed: by the documented command once a run; all further ones start from a copy.

Law: a copy is what etcd had written when the first cluster was whole and stood still; nothing of a test is in it.
Installing costs an API server 7 s of CPU, and a start from such a copy 1 s.
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
from ringfence.controlplane import ControlPlane, find_tools
from tests.apiserver.installing import install
from tests.controlplane_fixtures import AUDIT_POLICY, Kubectl
from tests.waiting import eventually

ETCD: Final = "etcd"
"""Etcd's folder in a control plane's own."""
LONGEST: Final = 90  # seconds: a server that was just started looks for parameters of policies every 30
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
        eventually(lambda: in_force(plane.admin), LONGEST)
        yield plane


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
        install(Kubectl(plane, find_tools(["kubectl"])["kubectl"]), "--server-side")
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
