"""A container's program sees its own files, and never outlives the node."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ringfence.controlplane.node import container

AS_ROOT = ("unshare", "--user", "--map-root-user")
"""Of a user namespace, as the node is; the launcher takes its place, so that this process stays its parent."""


def launched(folder: Path, *command: str, **otherwise: Any) -> subprocess.CompletedProcess[str]:
    """Run a program as a container does."""
    (folder / "root").mkdir(exist_ok=True)
    (folder / "hosts").write_text("127.1.0.1 provider.example\n")
    (folder / "volume").mkdir(exist_ok=True)
    (folder / "volume" / "file").write_text("of the volume")
    whole = {
        "parent": os.getpid(),
        "root": str(folder / "root"),
        "files": {"/etc/ssl/authorities.pem": str(folder / "hosts")},
        "mounts": [
            {"source": str(folder / "volume"), "target": "/etc/app", "read_only": True},
            {"source": str(folder / "volume"), "target": "/var/run/app", "read_only": False},
            {"source": str(folder / "hosts"), "target": "/etc/hosts", "read_only": True},
        ],
        "command": ["/bin/sh", "-c", *command],
        "environment": {"PATH": "/usr/bin:/bin", "OWN": "variable"},
        **otherwise,
    }
    launcher = [*AS_ROOT, sys.executable, "-I", "-S", str(Path(container.__file__)), json.dumps(whole)]
    return subprocess.run(launcher, capture_output=True, text=True, check=False)


def test_a_program_finds_what_its_pod_and_image_bring(tmp_path: Path) -> None:
    """Volumes, single files and variables; not the machine's own /etc."""
    done = launched(tmp_path, "cat /etc/app/file /etc/hosts /etc/ssl/authorities.pem; echo $OWN; ls /etc/hostname")
    assert done.stdout.splitlines() == [
        "of the volume127.1.0.1 provider.example",
        "127.1.0.1 provider.example",
        "variable",
    ]
    assert "No such file" in done.stderr


def test_a_program_writes_where_it_may(tmp_path: Path) -> None:
    """To a volume that is mounted so, and nowhere else; the machine's folders stay as they were."""
    places = ("/var/run/app/new", "/etc/app/new", "/etc/new", "/usr/new", "/new", str(tmp_path / "new"))
    done = launched(tmp_path, "; ".join(f"touch {place} 2>/dev/null && echo {place}" for place in places))
    assert done.stdout.splitlines() == ["/var/run/app/new"]
    assert (tmp_path / "volume" / "new").exists()


def test_a_program_is_not_started_for_a_node_that_is_gone(tmp_path: Path) -> None:
    """It may have ended while the container was made: then nobody would end the program."""
    assert launched(tmp_path, "echo started").stdout == "started\n"
    orphan = launched(tmp_path, "echo started", parent=1)
    assert orphan.stdout == ""
    assert orphan.returncode == 1
