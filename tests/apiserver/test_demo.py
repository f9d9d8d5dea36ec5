"""The demo as a newcomer runs it: it ends well, it fails when a promise breaks, and it leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import processes_of
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver

DEMO = (sys.executable, "-m", "ringfence", "demo")
_PROMISES = ("Ready", "it is back", "NameTaken", "0 writes", "verified", "LeafAltered")
_OF_THE_GATEWAY = (
    *("GatewayReady after", "403 model_not_allowed", "401 invalid_identity", "429 rate_limit_exceeded"),
    *("by second-large of api.second.example", "is approved for prod", "TOKENS"),
)
LONG = 300.0  # seconds, on a machine that runs other tests too


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Give the demo a place of its own for temporary files, short enough for unix sockets."""
    path = Path(tempfile.mkdtemp(prefix="rf-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


def start(scratch: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        DEMO,
        env={**os.environ, "TMPDIR": str(scratch), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def nothing_is_left(scratch: Path) -> bool:
    folders = [path for path in scratch.rglob("*") if path.is_dir() and path.parent != scratch]
    return not folders and not processes_of(scratch)


def test_every_promise_of_the_demo_holds_and_kept_running_it_ends_with_ctrl_c(scratch: Path) -> None:
    """Repaired in time, refused, served and metered, no write after a crash, verified; KEEP=1 stays to look around."""
    demo = start(scratch, KEEP="1")
    assert demo.stdout is not None
    shown = []
    for line in demo.stdout:
        shown.append(line)
        if "ringfence lineage log --ledger" in line:
            break
    output = "".join(shown)
    for promise in (*_PROMISES, *_OF_THE_GATEWAY):
        assert promise in output
    assert processes_of(scratch), output
    os.killpg(demo.pid, signal.SIGINT)  # as a terminal does: to the whole group
    assert "nothing is left" in demo.stdout.read()
    assert demo.wait(LONG) == 0
    demo.stdout.close()
    assert nothing_is_left(scratch)


def test_a_broken_promise_ends_the_demo_with_an_error(scratch: Path) -> None:
    """An operator that can't start is told with its own words, not hidden."""
    demo = start(scratch, RINGFENCE_SIGNING_KEY="/nonexistent/key.pem")
    output, _ = demo.communicate(timeout=LONG)
    assert demo.returncode == 1, output
    assert "/nonexistent/key.pem" in output
    assert nothing_is_left(scratch)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_interrupts_the_demo_has_nothing_to_clean_up(scratch: Path, number: signal.Signals) -> None:
    """Ctrl-C in the middle, with the control plane and the operator running."""
    demo = start(scratch)
    eventually(lambda: any("kube-controller-manager" in command for command in processes_of(scratch)), timeout=LONG)
    demo.send_signal(number)
    output, _ = demo.communicate(timeout=LONG)
    assert demo.returncode == 130, output
    eventually(lambda: nothing_is_left(scratch), timeout=90)
