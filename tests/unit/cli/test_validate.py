"""`ringfence validate` as people and pipelines see it."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from ringfence.cli.validate import validate
from tests.objects import COMPLETE, SAMPLES

GOOD = """\
apiVersion: ringfence.dev/v1alpha1
kind: Namespace
metadata: {name: dev, namespace: acme}
spec:
  environment: dev
"""
BAD = """\
# What can go wrong
apiVersion: ringfence.dev/v1alpha1
kind: Tenant
metadata:
  name: acme
spec:
  displayNmae: Acme
  budget:
    hard:
      pods: "5"
      pods: "6"
  providers:
  - name: openai
    schema: OpenAI
    endpoint:
      hosts: api.openai.com
    models: ["*"]
---
apiVersion: ringfence.dev/v1
kind: Tenant
metadata: {name: globex}
---
apiVersion: ringfence.dev/v1alpha1
kind: Namspace
metadata: {name: dev, namespace: acme}
---
- a list
"""
FINDINGS = """\
bad.yaml:7: Tenant/acme spec.displayNmae: is no such field; did you mean displayName?
bad.yaml:11: spec.budget.hard.pods: is there already, on line 10; kubectl would take the last one silently
bad.yaml:15: Tenant/acme spec.providers[0].endpoint.host: is required
bad.yaml:16: Tenant/acme spec.providers[0].endpoint.hosts: is no such field; did you mean host?
bad.yaml:17: Tenant/acme spec.providers[0].models[0]: must match ^[A-Za-z0-9][A-Za-z0-9._:/@-]*$
bad.yaml:19: Tenant/globex apiVersion: ringfence.dev/v1 is not served; write ringfence.dev/v1alpha1
bad.yaml:24: Namspace/acme/dev kind: Namspace is no kind of ringfence.dev/v1alpha1; did you mean Namespace?
bad.yaml:27: is not an object with apiVersion and kind
"""


def run(*arguments: object, stdin: str | None = None) -> Result:
    """Run the command with these arguments."""
    app = typer.Typer()
    app.command()(validate)
    return CliRunner().invoke(app, [*map(str, arguments)], input=stdin)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of one's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_we_show_is_valid() -> None:
    """Samples, and every field of the contract."""
    for path in (SAMPLES, COMPLETE):
        result = run(path)
        assert (result.exit_code, result.stdout) == (0, "")
        assert "all is well" in result.stderr


def test_findings_have_file_line_object_field_and_what_was_meant(folder: Path) -> None:
    """Editors jump to the place."""
    (folder / "bad.yaml").write_text(BAD)
    result = run("bad.yaml")
    assert (result.exit_code, result.stdout) == (1, FINDINGS)
    assert result.stderr == "3 objects in 1 file: 8 findings\n"


def test_json_says_the_same_for_programs() -> None:
    """With a version, and nothing on standard output besides."""
    result = run("-", "-o", "json", stdin=BAD)
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["version"], len(answer["findings"])) == (1, 1, 8)
    assert answer["findings"][0] == {
        "file": "-",
        "line": 7,
        "object": "Tenant/acme",
        "field": "spec.displayNmae",
        "message": "is no such field; did you mean displayName?",
    }


def test_objects_of_others_are_passed_over_with_a_note(folder: Path) -> None:
    """A folder of manifests has more than ours; nobody shall think that it was checked."""
    (folder / "a.yml").write_text(f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: acme}}\n---\n{GOOD}")
    result = run(".")
    assert result.exit_code == 0
    assert "a.yml:1: Namespace/acme is not one of ringfence.dev, not checked" in result.stderr
    assert "1 object in 1 file: all is well" in result.stderr


def test_a_folder_means_the_manifests_below_it(folder: Path) -> None:
    """Hidden folders and other files are not looked at."""
    for name in ("a.yaml", "b/c.json", ".git/d.yaml", "notes.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("[]")
    result = run(folder)
    assert [Path(line.split(":")[0]).relative_to(folder).as_posix() for line in result.stdout.splitlines()] == [
        "a.yaml",
        "b/c.json",
    ]


def test_an_object_that_is_there_twice_is_found_across_files(folder: Path) -> None:
    """Whoever applies both keeps the last one."""
    (folder / "a.yaml").write_text(GOOD)
    (folder / "b.yaml").write_text(GOOD)
    result = run("a.yaml", "b.yaml")
    assert result.exit_code == 1
    assert result.stdout == "b.yaml:3: Namespace/acme/dev metadata.name: is there already, in a.yaml:1\n"


TENANT = """\
apiVersion: ringfence.dev/v1alpha1
kind: Tenant
metadata: {name: acme}
spec:
  residency: {regions: [eu-central-1, eu-west-1]}
---
"""
ROUTE = """\
apiVersion: ringfence.dev/v1alpha1
kind: ModelRoute
metadata: {name: chat, namespace: acme}
spec:
  model: chat
  backends:
  - {provider: openai, model: gpt-4o}
  promotions: {qa: rev-01234567}
---
"""


def test_objects_are_judged_by_the_tenant_that_is_among_the_files(folder: Path) -> None:
    """A review shows what would wait for ever; without the Tenant nothing is guessed."""
    (folder / "a.yaml").write_text(ROUTE + GOOD.replace("environment: dev", "environment: prod"))
    assert run("a.yaml").exit_code == 0
    (folder / "b.yaml").write_text(TENANT)
    assert run("a.yaml", "b.yaml").stdout.splitlines() == [
        (
            "a.yaml:6: ModelRoute/acme/chat spec.backends: Tenant acme has no provider openai with model gpt-4o; "
            "ask the platform team for it"
        ),
        (
            "a.yaml:8: ModelRoute/acme/chat spec.promotions: nothing can be promoted to qa: "
            "it is no environment of Tenant acme"
        ),
        "a.yaml:13: Namespace/acme/dev spec.region: spec.region is missing; choose one of: eu-central-1, eu-west-1",
        "a.yaml:14: Namespace/acme/dev spec.environment: Tenant acme has no environment prod; it has dev",
    ]


def test_a_test_key_in_a_protected_environment_is_found_before_anyone_applies_it(folder: Path) -> None:
    """And a live one is not."""
    protected = TENANT.replace("spec:", "spec:\n  environments: [{name: dev, protected: true}]").replace(
        "[eu-central-1, eu-west-1]", "[eu-central-1]"
    )
    (folder / "a.yaml").write_text(protected)
    (folder / "b.yaml").write_text(GOOD + "  gatewayKeys: [{name: ci, mode: Live}]\n")
    assert run("a.yaml", "b.yaml").exit_code == 0
    (folder / "b.yaml").write_text(GOOD + "  gatewayKeys: [{name: ci}]\n")
    assert run("a.yaml", "b.yaml").stdout == (
        "b.yaml:6: Namespace/acme/dev spec.gatewayKeys: environment dev is protected and serves no key of mode Test: "
        "ci; declare a key of mode Live in spec.gatewayKeys\n"
    )


def test_the_items_of_a_list_are_judged_one_by_one(folder: Path) -> None:
    """`kubectl get -o yaml` writes lists."""
    item = "  kind: Namespace\n  metadata: {name: dev, namespace: acme}\n  spec: {}\n"
    start = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: ringfence.dev/v1alpha1\n"
    (folder / "a.yaml").write_text(start + item)
    assert run("a.yaml").stdout == "a.yaml:7: Namespace/acme/dev spec.environment: is required\n"


@pytest.mark.parametrize("arguments", [[], ["nowhere.yaml"], ["."], ["latin.yaml"], [".", "-o", "xml"]])
def test_a_command_line_that_makes_no_sense_is_2(folder: Path, arguments: list[str]) -> None:
    """A pipeline tells a wrong path from a wrong manifest."""
    (folder / "latin.yaml.txt").write_bytes(b"")
    if "latin.yaml" in arguments:
        (folder / "latin.yaml").write_bytes(b"a: \xe9")
    assert run(*arguments).exit_code == 2
