"""Building is the last source; what goes wrong there is said in full."""

import io
from pathlib import Path

import pytest

from ringfence.controlplane.errors import ControlPlaneError
from ringfence.controlplane.gobuild import GoBuild
from ringfence.controlplane.progress import Progress
from ringfence.controlplane.tools import KUBERNETES

QUIET = Progress(quiet=True)


def fake_go(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "bin" / "go"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def test_without_go_the_message_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways out are told."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ControlPlaneError, match=r"install Go 1\.26 .*KUBEBUILDER_ASSETS"):
        GoBuild().fetch(KUBERNETES, "etcd", tmp_path, QUIET)


def test_a_build_uses_the_pins_and_flags_of_its_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a copy of the module, so that an installed package may be read-only."""
    fake_go(tmp_path, 'env > env; printf "%s\\n" "$@" > arguments; ls go.mod go.sum > files', monkeypatch)
    monkeypatch.setenv("GOFLAGS", "-mod=mod -trimpath")
    assert GoBuild().fetch(KUBERNETES, "etcd", tmp_path, QUIET)
    assert (tmp_path / "files").read_text().split() == ["go.mod", "go.sum"]
    assert {"CGO_ENABLED=0", "GOFLAGS=-mod=readonly"} <= set((tmp_path / "env").read_text().splitlines())
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert arguments[-2:] == [str(tmp_path / "etcd"), "go.etcd.io/etcd/server/v3"]
    assert KUBERNETES.ldflags in arguments


def test_a_failed_build_shows_what_the_compiler_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to run it again by hand to learn why."""
    fake_go(tmp_path, "echo 'disk is full' >&2; exit 1", monkeypatch)
    with pytest.raises(ControlPlaneError, match="disk is full"):
        GoBuild().fetch(KUBERNETES, "etcd", tmp_path, QUIET)


def test_progress_says_what_is_built_and_that_it_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes of silence look like a hang."""
    fake_go(tmp_path, "true", monkeypatch)
    stream = io.StringIO()
    GoBuild().fetch(KUBERNETES, "etcd", tmp_path, Progress(stream=stream))
    assert "building etcd (kubernetes v1.36.3)" in stream.getvalue()
    assert "done in" in stream.getvalue()
