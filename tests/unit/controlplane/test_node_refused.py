"""Where the kernel lets nobody have namespaces, the node says so and what to do."""

import os
import subprocess
import sys
from pathlib import Path

FORBID = "echo 0 > /proc/sys/user/max_user_namespaces"
"""user_namespaces(7): the limit of the user namespace that it is written in."""


def started(folder: Path, first: str) -> subprocess.CompletedProcess[str]:
    """Start a node where there is no control plane, as root of a user namespace."""
    node = f"{sys.executable} -m ringfence.controlplane.node {folder} '{{}}'"
    command = ["unshare", "--user", "--map-root-user", "sh", "-c", f"{first}; {node}"]
    return subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)


def test_a_machine_without_user_namespaces_is_told_what_to_allow(tmp_path: Path) -> None:
    """The same start fails for the missing control plane alone where they are allowed."""
    allowed = started(tmp_path, "true")
    assert "no control plane runs" in allowed.stderr
    refused = started(tmp_path, FORBID)
    assert refused.returncode == 1
    assert "unshare: No space left on device: pods run in namespaces of their own" in refused.stderr
    assert "seccomp=unconfined" in refused.stderr
    assert "Traceback" not in refused.stderr
