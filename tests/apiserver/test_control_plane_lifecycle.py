"""Starting, breaking and ending control planes of their own: nothing is lost, nothing is left."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from ringfence.controlplane import ControlPlane, ControlPlaneError
from ringfence.controlplane.folder import owner_of
from tests.processes import processes_of
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver

CLI: Final = (sys.executable, "-m", "ringfence.cli.dev")
OWNER: Final = """
import signal
from ringfence.controlplane import ControlPlane
plane = ControlPlane().start()
print(plane.folder, flush=True)
signal.pause()
"""


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder with a path short enough for unix sockets; the place of all temporary folders meanwhile."""
    path = Path(tempfile.mkdtemp(prefix="rf-", dir="/tmp"))
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield path
    shutil.rmtree(path)


def dev(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CLI, *arguments], capture_output=True, text=True, check=False, timeout=120)


def test_two_control_planes_know_nothing_of_each_other() -> None:
    """Parallel test workers each own one."""
    with ControlPlane() as first, ControlPlane() as second:
        first.admin.request("POST", "/api/v1/namespaces", {"metadata": {"name": "only-here"}}).must()
        assert first.admin.get("/api/v1/namespaces/only-here").ok
        assert second.admin.get("/api/v1/namespaces/only-here").status == 404
        assert first.url != second.url
        folders = (first.folder, second.folder)
    for folder in folders:
        assert not folder.exists()
        assert processes_of(folder) == []


def test_a_broken_server_comes_back_at_its_address_with_its_data() -> None:
    """Tests of faults kill, freeze and restart servers under the feet of the operator."""
    with ControlPlane() as plane:
        plane.admin.request("POST", "/api/v1/namespaces", {"metadata": {"name": "kept"}}).must()
        config = plane.kubeconfig("ann").read_text()
        plane.apiserver.kill()
        with pytest.raises(OSError, match="refused"):
            plane.admin.get("/readyz")
        plane.apiserver.start()
        plane.etcd.kill()
        plane.etcd.start()
        eventually(lambda: plane.admin.get("/api/v1/namespaces/kept").ok, timeout=90)
        plane.restart_apiserver()
        assert plane.admin.get("/api/v1/namespaces/kept").ok
        assert plane.kubeconfig("ann").read_text() == config


def test_a_frozen_server_answers_nothing_until_it_thaws() -> None:
    """A hanging API server is another fault than one that is gone."""
    with ControlPlane() as plane:
        plane.apiserver.freeze()
        with pytest.raises((TimeoutError, http.client.HTTPException)):
            plane.admin.request("GET", "/readyz", timeout=0.5)
        plane.apiserver.thaw()
        eventually(lambda: plane.admin.get("/readyz").ok)


def test_a_server_that_does_not_start_shows_its_log_and_leaves_nothing(short: Path) -> None:
    """A mistyped flag is explained by the server itself."""
    plane = ControlPlane(folder=short / "plane", apiserver_flags={"no-such-flag": "1"})
    with pytest.raises(ControlPlaneError, match="unknown flag: --no-such-flag"):
        plane.start()
    assert not (short / "plane").exists()
    assert processes_of(short) == []


def test_kill_9_of_the_owner_ends_all_servers_and_the_next_start_sweeps_its_folder(short: Path) -> None:
    """The owner had no chance to clean up."""
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        folder = Path(owner.stdout.readline().strip())
        assert len([line for line in processes_of(folder) if "guard.py" not in line]) == 3
        owner.kill()
    # A process that ends has lost its command line before it lets go of the lock.
    eventually(lambda: processes_of(folder) == [] and owner_of(folder) is None)
    assert folder.is_relative_to(short)
    assert folder.exists()
    with ControlPlane():
        assert not folder.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interrupted_dev_up_leaves_nothing(short: Path, number: signal.Signals) -> None:
    """Ctrl-C is the way to end it, so it is a success."""
    command = [*CLI, "up", "--dir", str(short / "dev"), "-o", "json", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        facts = json.loads(up.stdout.readline())
        assert Path(facts["kubeconfig"]).exists()
        assert processes_of(short / "dev" / "etcd") != []
        up.send_signal(number)
    assert up.returncode == 0
    assert not (short / "dev").exists()
    assert processes_of(short / "dev" / "etcd") == []


def test_dev_up_tells_when_a_server_dies_and_ends(short: Path) -> None:
    """Half a control plane would only confuse."""
    command = [*CLI, "up", "--dir", str(short / "dev"), "-o", "json", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        assert up.stderr is not None
        json.loads(up.stdout.readline())
        [etcd] = [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cmdline") if _is_etcd_of(path, short)]
        os.kill(etcd, signal.SIGKILL)
        told = up.stderr.read()
    assert "etcd ended by itself" in told
    assert up.returncode == 3
    assert not (short / "dev").exists()


def test_a_background_control_plane_is_found_used_and_ended_by_other_commands(short: Path) -> None:
    """Up, a second up refused, kubeconfigs, down, down again."""
    where = ("--dir", str(short / "dev"))
    up = dev("up", "--detach", "-o", "json", *where)
    assert up.returncode == 0, up.stderr
    assert json.loads(up.stdout)["version"] == "v1.36.3"
    again = dev("up", "--detach", *where)
    assert (again.returncode, "already runs" in again.stderr) == (3, True)
    config = Path(dev("kubeconfig", "--user", "ann", "--group", "acme", *where).stdout.strip())
    assert "client-certificate-data" in config.read_text()
    account = Path(dev("kubeconfig", "--service-account", "default/default", *where).stdout.strip())
    assert "token" in account.read_text()
    down = dev("down", *where)
    assert down.returncode == 0, down.stderr
    assert not (short / "dev").exists()
    assert processes_of(short / "dev") == []
    assert dev("down", *where).returncode == 0


def _is_etcd_of(cmdline: Path, folder: Path) -> bool:
    try:
        words = cmdline.read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return words[0].endswith(b"/etcd") and any(str(folder).encode() in word for word in words)
