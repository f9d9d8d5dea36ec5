"""`ringfence dev`: mistakes are answered with what to do, results are printed so that scripts can use them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ringfence.cli.dev import app
from ringfence.controlplane.tools import KUBERNETES

RUN = CliRunner()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "ringfence"


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "assets"
    folder.mkdir()
    for tool in KUBERNETES.packages:
        (folder / tool).touch(mode=0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(folder))
    return folder


def test_tools_prints_a_path_a_line(assets: Path) -> None:
    """`$(ringfence dev tools kubectl)` works in a shell."""
    assert RUN.invoke(app, ["tools", "kubectl"]).stdout == f"{assets / 'kubectl'}\n"


def test_tools_prints_json_by_name(assets: Path) -> None:
    """Without names, those of the control plane."""
    answer = json.loads(RUN.invoke(app, ["tools", "-o", "json"]).stdout)
    assert answer == {tool: str(assets / tool) for tool in KUBERNETES.packages}


def test_an_unknown_tool_is_told_with_those_that_exist() -> None:
    """A usage error has exit code 2."""
    result = RUN.invoke(app, ["tools", "kubelet"])
    assert result.exit_code == 2
    assert "kubelet" in result.stderr
    assert "helm" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [["--group", "acme"], ["--service-account", "default"], ["--service-account", "a/b", "--user", "ann"]],
    ids=["group without user", "no namespace", "user and service account"],
)
def test_identities_that_make_no_sense_are_usage_errors(arguments: list[str]) -> None:
    """Before any server is asked."""
    assert RUN.invoke(app, ["kubeconfig", *arguments]).exit_code == 2


def test_a_kubeconfig_of_nothing_says_how_to_start_something(cache: Path) -> None:
    """Exit code 3: nothing is there to be asked."""
    result = RUN.invoke(app, ["kubeconfig", "--user", "ann"])
    assert (result.exit_code, result.stdout) == (3, "")
    assert "ringfence dev up" in result.stderr


def test_down_without_a_control_plane_is_a_success(cache: Path) -> None:
    """Scripts call it without looking first."""
    result = RUN.invoke(app, ["down"])
    assert result.exit_code == 0
    assert f"no control plane runs in {cache / 'dev'}" in result.stderr


def test_down_removes_what_a_crash_has_left(cache: Path) -> None:
    """The lock of a dead owner is free."""
    (cache / "dev").mkdir(parents=True)
    (cache / "dev" / ".lock").touch()
    (cache / "dev" / "etcd.log").touch()
    assert RUN.invoke(app, ["down"]).exit_code == 0
    assert not (cache / "dev").exists()


def test_down_never_removes_a_folder_of_something_else(tmp_path: Path) -> None:
    """A mistyped --dir is refused."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    assert RUN.invoke(app, ["down", "--dir", str(tmp_path / "mine")]).exit_code == 3
    assert (tmp_path / "mine" / "thesis.tex").exists()


def test_the_module_is_cheap_to_import() -> None:
    """`ringfence --help` may not wait for certificates and YAML."""
    probe = (
        "import sys, ringfence.cli.dev; print({'cryptography', 'yaml', 'ringfence.controlplane'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
