"""`ringfence evidence`: the story of an incident from what an engine recorded, and how far it can be believed."""

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from ringfence import names
from ringfence.adapters.signer import Ed25519Signer
from ringfence.adapters.sqlite.files import Files
from ringfence.adapters.sqlite.ledger import SqliteLedger
from ringfence.cli.evidence.command import evidence
from ringfence.model import kinds
from ringfence.model.kinds import Ref
from tests.unit.engine.conftest import Bench, namespace, tenant
from tests.unit.engine.test_episodes import INCIDENT, annotated, told

SIGNER: Final = Ed25519Signer(Ed25519PrivateKey.generate())
OWN: Final = Ref(kinds.NETWORK_POLICY, "acme-web", "own")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an engine recorded of an incident from its declaration to its end, with all that happened meanwhile."""
    directory = tmp_path_factory.mktemp("recorded") / "ledger"
    asyncio.run(_record(directory))
    return directory


async def _record(directory: Path) -> None:
    bench = Bench()
    bench.cluster.put(kinds.TENANT, tenant())
    bench.cluster.put(kinds.NAMESPACE, namespace())
    bench.cluster.put(kinds.TENANT, tenant("globex"))
    async with bench.running():
        await bench.until(bench.is_ready)
        await bench.settled()
        await _incident(bench)
    store = SqliteLedger(directory)
    for log, content in bench.ledger.content.items():
        await store.append(log, content.entries)
        await store.publish_checkpoint(log, [SIGNER])
    await store.close()


async def _incident(bench: Bench) -> None:
    bench.cluster.put(kinds.TENANT, annotated(tenant(**INCIDENT), requested_by="ann"))
    await bench.until(lambda: bench.ready(kinds.NAMESPACE, "acme", "web")[1] == "Quarantined")
    await bench.settled()
    bench.cluster.put(kinds.NETWORK_POLICY, _policy())
    await bench.until(lambda: OWN not in bench.cluster.objects)
    bench.cluster.put(kinds.NAMESPACE, namespace("more", environment="unknown"))
    await bench.until(lambda: bench.ready(kinds.NAMESPACE, "acme", "more")[1] == "UnknownEnvironment")
    await bench.settled()
    bench.cluster.put(kinds.TENANT, annotated(tenant(), requested_by="cleo", confirm_release_by="ben"))
    await bench.until(lambda: len(told(bench)) == 2 and bench.is_ready())
    await bench.settled()


def _policy() -> dict[str, Any]:
    metadata = {"name": OWN.name, "namespace": OWN.namespace}
    spec: dict[str, Any] = {"podSelector": {}, "ingress": [{}]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(SIGNER.public_pem)
    return path


def _run(ledger: Path, *arguments: str | Path, incident: str = "INC-7") -> Result:
    import typer

    app = typer.Typer(add_completion=False)
    app.command()(evidence)
    options = ["--ledger", f"sqlite:///{ledger}", "--incident", incident, *map(str, arguments)]
    return CliRunner().invoke(app, options)


def _story(ledger: Path, *arguments: str | Path) -> dict[str, Any]:
    result = _run(ledger, "-o", "json", *arguments)
    assert result.exit_code == 0, result.output
    (story,) = json.loads(result.stdout)["logs"]
    return dict(story)


def test_it_tells_when_by_whom_and_what_was_affected(ledger: Path, key: Path) -> None:
    story = _story(ledger, "--key", key)
    steps = {each["step"]: each for each in story["incident"]}
    assert (steps["declared"]["by"], steps["declared"]["detail"]) == ("ann", "key leak")
    assert (steps["lifted"]["by"], steps["lifted"]["confirmedBy"]) == ("cleo", "ben")
    closed = {each["object"] for each in story["incident"] if each["step"] == "closed"}
    assert closed >= {"Tenant/acme", "Namespace/acme/web"}
    assert {each["object"] for each in story["incident"] if each["step"] == "opened"} >= {"Namespace/acme/web"}
    assert (story["tenant"], story["lasts"], story["verified"]) == ("acme", False, True)
    assert 0 <= story["closedAfterMs"] < 10_000
    assert story["signedSize"] == story["size"]


def test_it_lists_exactly_what_was_withdrawn(ledger: Path) -> None:
    """Each policy that opened something, each binding; with the leaf that says so."""
    withdrawn = {(each["object"], each["verb"]) for each in _story(ledger)["withdrawn"]}
    assert withdrawn == {
        (f"NetworkPolicy/acme/{names.ALLOW_DNS}", "deleted"),
        (f"NetworkPolicy/acme/{names.ALLOW_GATEWAY}", "deleted"),
        (f"NetworkPolicy/acme-web/{names.ALLOW_DNS}", "deleted"),
        (f"NetworkPolicy/acme-web/{names.ALLOW_GATEWAY}", "deleted"),
        ("RoleBinding/acme/ringfence-owner", "deleted"),
        ("RoleBinding/acme/ringfence-viewer", "made read-only"),
        ("RoleBinding/acme-web/ringfence-owner", "deleted"),
        ("RoleBinding/acme-web/ringfence-shell", "deleted"),
        ("RoleBinding/acme-web/ringfence-viewer", "made read-only"),
    }


def test_it_tells_what_was_refused_and_repaired_meanwhile(ledger: Path) -> None:
    meanwhile = [(each["step"], each["object"], each.get("detail", "")) for each in _story(ledger)["meanwhile"]]
    assert ("repaired", "Namespace/acme/web", "NetworkPolicy/acme-web/own") in meanwhile
    assert any(step == "refused" and name == "Namespace/acme/more" for step, name, _ in meanwhile)


def test_people_read_the_same_as_programs(ledger: Path) -> None:
    text, markdown = _run(ledger).stdout, _run(ledger, "-o", "markdown").stdout
    for each in _story(ledger)["withdrawn"]:
        assert each["object"] in text
        assert each["object"] in markdown
    assert "cleo, confirmed by ben" in text
    assert "| cleo, confirmed by ben |" in markdown


def test_what_people_wrote_is_no_markup(ledger: Path) -> None:
    """A reason is anybody's text; a report is opened in browsers."""
    from ringfence.cli.evidence.render import _cell

    assert _cell("<img src=x>|a*b*\x1b[0m") == "\\<img src=x\\>\\|a\\*b\\*�\\[0m"


def test_an_unknown_incident_ends_with_those_that_are_known(ledger: Path) -> None:
    result = _run(ledger, incident="INC-8")
    assert result.exit_code == 1
    assert "known are: INC-7" in result.stderr


def test_a_record_that_does_not_verify_is_said_first(ledger: Path, key: Path, tmp_path: Path) -> None:
    """Whatever follows rests on it."""
    log = _story(ledger)["log"]
    damaged = Path(shutil.copytree(ledger, tmp_path / "damaged"))
    with closing(sqlite3.connect(Files(damaged).database(log), isolation_level=None)) as file:
        for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        assert file.execute("UPDATE body SET salt = zeroblob(16) WHERE n = 5").rowcount == 1
    for output in ("text", "markdown", "json"):
        result = _run(damaged, "--key", key, "-o", output)
        assert result.exit_code == 1
        if output != "json":
            assert "THE RECORD DOES NOT VERIFY" in "".join(result.stdout.splitlines()[:3])
        else:
            assert json.loads(result.stdout)["verified"] is False


def test_a_foreign_key_verifies_nothing(ledger: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.pem"
    path.write_bytes(Ed25519Signer(Ed25519PrivateKey.generate()).public_pem)
    result = _run(ledger, "--key", path)
    assert "no signed checkpoint yet" in result.stdout or result.exit_code == 1
