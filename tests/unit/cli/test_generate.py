"""`ringfence generate` and `ringfence crds`."""

from pathlib import Path

import typer
import yaml
from typer.testing import CliRunner, Result

from ringfence.cli.crds import crds
from ringfence.cli.generate import generate, outputs


def run(command: object, *arguments: object) -> Result:
    """Run one command with these arguments."""
    app = typer.Typer()
    app.command()(command)  # type: ignore[type-var]
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_files_are_written_once_and_then_left_alone(tmp_path: Path) -> None:
    """A clean tree stays clean."""
    assert run(generate, "--root", tmp_path).stdout.count("written: ") == len(outputs())
    assert run(generate, "--root", tmp_path).stdout == ""


def test_check_writes_nothing_and_names_what_differs(tmp_path: Path) -> None:
    """CI shows which file was forgotten."""
    run(generate, "--root", tmp_path)
    assert run(generate, "--root", tmp_path, "--check").exit_code == 0
    changed = tmp_path / "crds" / "tenants.yaml"
    changed.write_text("edited by hand")
    result = run(generate, "--root", tmp_path, "--check")
    assert (result.exit_code, result.stdout) == (1, "differs: crds/tenants.yaml\n")
    assert changed.read_text() == "edited by hand"


def test_crds_prints_what_kubectl_applies() -> None:
    """All of them, as one stream."""
    kinds = [document["spec"]["names"]["kind"] for document in yaml.safe_load_all(run(crds).stdout)]
    assert kinds == ["Tenant", "Namespace", "ModelRoute", "RetentionPolicy", "Guardrail"]
