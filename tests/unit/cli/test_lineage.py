"""`ringfence lineage`: what an auditor with files and a key sees, and the exit codes that scripts rely on."""

import asyncio
import json
import sqlite3
from contextlib import closing
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from ringfence.adapters.signer import Ed25519Signer
from ringfence.adapters.sqlite.files import Files
from ringfence.adapters.sqlite.ledger import SqliteLedger
from ringfence.adapters.sqlite.reader import SqliteReader
from ringfence.cli.lineage import app
from ringfence.lineage import event, platform, runs
from ringfence.lineage.checkpoint import parse_checkpoint
from ringfence.lineage.entry import PLATFORM, Entry
from ringfence.lineage.note import VerifierKey
from tests.lineage_samples import ACME, DIGEST, OPERATOR, TIME_MS, ended, make_run, pairs, run_id, started

GLOBEX = "b8ad4d3c-5c0a-4b1c-9a43-2f1b3d0a7e55"
SIGNER = Ed25519Signer(Ed25519PrivateKey.generate())
RUN = make_run()


def _write(directory: Path, log: str, entries: list[Entry], *, publish: bool = True) -> None:
    async def write() -> None:
        ledger = SqliteLedger(directory)
        await ledger.append(log, entries)
        if publish:
            await ledger.publish_checkpoint(log, [SIGNER])
        await ledger.close()

    asyncio.run(write())


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Two tenants and the platform, each with a checkpoint."""
    directory = tmp_path / "ledger"
    begun = platform.operator_started(
        OPERATOR, run_id=run_id(), time_ms=TIME_MS, configuration_digest=DIGEST, policy_set_digest=DIGEST
    )
    denied = event.finish(
        make_run(tenant="globex"), runs.Outcome(runs.Result.DENIED, reason="NameTaken"), time_ms=TIME_MS + 1000
    )
    _write(directory, PLATFORM, [begun])
    _write(directory, ACME, [started(RUN), ended(RUN), *pairs(2)])
    _write(directory, GLOBEX, [denied])
    return directory


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(SIGNER.public_pem)
    return path


def _run(ledger: Path, *arguments: str | Path) -> Result:
    command, *rest = map(str, arguments)
    return CliRunner().invoke(app, [command, "--ledger", f"sqlite:///{ledger}", *rest])


def _rows(result: Result) -> list[list[str]]:
    return [line.split() for line in result.stdout.splitlines()]


def _break(ledger: Path, log: str, statement: str) -> None:
    with closing(sqlite3.connect(Files(ledger).database(log), isolation_level=None)) as file:
        for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        assert file.execute(statement).rowcount == 1


def test_log_is_a_line_for_each_record_of_every_log_by_time(ledger: Path) -> None:
    result = _run(ledger, "log")
    header, *rows = _rows(result)
    assert result.exit_code == 0
    assert header == ["LOG", "N", "TIME", "EVENT", "OBJECT", "TRIGGER", "RESULT", "CHANGED"]
    assert len(rows) == 8
    assert ["acme", "0", "2026-01-01T00:00:00Z", "START", "Namespace/acme/dev", "spec", "-", "3", "planned"] in rows
    assert ["acme", "1", "2026-01-01T00:00:00Z", "COMPLETE", "Namespace/acme/dev", "spec", "Applied", "3"] in rows
    assert rows[-1][0] == "globex"
    assert "Denied (NameTaken)" in result.stdout
    assert "OperatorStarted 0.1.0" in result.stdout


def test_a_tenant_is_found_by_the_name_in_its_records(ledger: Path) -> None:
    assert {row[0] for row in _rows(_run(ledger, "log", "--tenant", "acme"))[1:]} == {"acme"}
    assert {row[0] for row in _rows(_run(ledger, "log", "--log", GLOBEX))[1:]} == {"globex"}
    missing = _run(ledger, "log", "--tenant", "initech")
    assert missing.exit_code == 3
    assert "recorded tenants: acme, globex" in missing.stderr


def test_the_limit_leaves_the_latest(ledger: Path) -> None:
    rows = _rows(_run(ledger, "log", "--tenant", "acme", "--limit", "2"))[1:]
    assert [row[1] for row in rows] == ["4", "5"]


def test_a_log_keeps_its_own_order_whatever_the_clock_did(ledger: Path) -> None:
    """Starts and ends of these samples have the same two times."""
    rows = _rows(_run(ledger, "log", "--tenant", "acme"))[1:]
    assert [row[1] for row in rows] == list("012345")


@pytest.mark.parametrize(("output", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_machines_get_whole_records(ledger: Path, output: str, read: Any) -> None:
    records = read(_run(ledger, "log", "--tenant", "acme", "-o", output).stdout)
    assert sorted(record["n"] for record in records) == list(range(6))
    assert records[0]["log"] == ACME
    assert records[0]["event"]["run"]["runId"]


def test_show_prints_one_record_or_a_whole_run(ledger: Path) -> None:
    one = _run(ledger, "show", "1", "--tenant", "acme")
    assert one.exit_code == 0
    assert "body as committed" in one.stdout
    run = json.loads(_run(ledger, "show", RUN.run_id, "-o", "json").stdout)
    assert [record["event"]["eventType"] for record in run] == ["START", "COMPLETE"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["show", "1"], 2, "say which with --tenant or --log"),
        (["show", "99", "--tenant", "acme"], 3, "no record '99'"),
        (["show", "nonsense"], 2, "neither a record's number nor a run's id"),
        (["show", run_id()], 3, "no record"),
        (["log", "--tenant", "acme", "--log", ACME], 2, "not both"),
        (["log", "--log", "absent"], 3, "no log 'absent'"),
        (["verify", "--all", "--tenant", "acme"], 2, "--all goes with neither"),
        (["verify", "--key", "/nowhere.pem"], 2, "name the file"),
        (["dump", "x"], 2, "say which with --tenant or --log"),
    ],
)
def test_a_command_line_that_can_not_be_served_says_why(
    ledger: Path, arguments: list[str], code: int, message: str
) -> None:
    result = _run(ledger, *arguments)
    assert result.exit_code == code
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert result.stdout == ""


def test_a_ledger_that_is_not_there_is_no_empty_one(tmp_path: Path) -> None:
    result = _run(tmp_path / "absent", "log")
    assert result.exit_code == 3
    assert "no such directory" in result.stderr
    assert CliRunner().invoke(app, ["log", "--ledger", "/var/x"]).exit_code == 2


def test_verify_says_what_it_checked_and_what_it_could_not(ledger: Path, key: Path) -> None:
    with_key, without = _run(ledger, "verify", "--all", "--key", key), _run(ledger, "verify")
    assert (with_key.exit_code, without.exit_code) == (0, 0)
    assert with_key.stdout.splitlines() == [
        "platform: 1 record, verified, signed up to 1",
        f"acme ({ACME}): 6 records, verified, signed up to 6",
        f"globex ({GLOBEX}): 1 record, verified, signed up to 1",
    ]
    assert "signatures not checked (give --key)" in without.stdout


def test_verify_takes_verifier_keys_too(ledger: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.vkey"
    key.write_text(VerifierKey("any.example/name", SIGNER.public_key).encoded() + "\n")
    assert _run(ledger, "verify", "--key", key).exit_code == 0
    stranger = Ed25519Signer(Ed25519PrivateKey.generate())
    key.write_text(VerifierKey("any.example/name", stranger.public_key).encoded() + "\n")
    result = _run(ledger, "verify", "--key", key)
    assert result.exit_code == 1
    assert "SignatureWrong" in result.stdout


def test_verify_names_what_is_wrong_and_reports_the_other_logs_as_well(ledger: Path) -> None:
    assert _run(ledger, "verify").exit_code == 0
    _break(ledger, ACME, "DELETE FROM leaf WHERE n = 3")
    result = _run(ledger, "verify")
    assert result.exit_code == 1
    assert "LeafMissing: leaf 3: its body is there, the leaf is not" in result.stdout
    assert f"globex ({GLOBEX}): 1 record, verified" in result.stdout
    (finding,) = json.loads(_run(ledger, "verify", "--tenant", "acme", "-o", "json").stdout)["logs"][0]["findings"]
    assert (finding["kind"], finding["n"]) == ("LeafMissing", 3)


def test_verify_shows_open_runs_and_does_not_hold_them_against_the_log(ledger: Path) -> None:
    run = make_run()
    _write(ledger, ACME, [started(run)], publish=False)
    result = _run(ledger, "verify")
    assert result.exit_code == 0
    assert f"open run {run.run_id}" in result.stdout


def test_a_checkpoint_kept_elsewhere_gives_a_cut_log_away(ledger: Path, tmp_path: Path) -> None:
    """Even if the checkpoint beside the log was cut back with it."""
    kept = tmp_path / "kept"
    kept.write_text(Files(ledger).read_checkpoint(ACME) or "")
    assert _run(ledger, "verify", "--checkpoint", kept).exit_code == 0
    for path in (Files(ledger).database(ACME), Files(ledger).checkpoint(ACME)):
        path.unlink()
    assert _run(ledger, "verify").exit_code == 0
    gone = _run(ledger, "verify", "--checkpoint", kept)
    assert gone.exit_code == 3
    assert "its records are not here" in gone.stdout
    _write(ledger, ACME, pairs(1))
    cut = _run(ledger, "verify", "--checkpoint", kept)
    assert cut.exit_code == 1
    assert "CheckpointAhead" in cut.stdout


def test_a_log_that_can_not_be_read_is_told_after_the_others(ledger: Path) -> None:
    Files(ledger).database(ACME).write_bytes(b"garbage" * 1000)
    result = _run(ledger, "verify")
    assert result.exit_code == 3
    assert "no SQLite database" in result.stdout
    assert f"globex ({GLOBEX}): 1 record, verified" in result.stdout


def test_reading_changes_no_file_and_needs_no_operator(ledger: Path) -> None:
    before = {path: path.read_bytes() for path in ledger.glob("*.db")}
    for arguments in (["log"], ["verify"], ["show", RUN.run_id]):
        assert _run(ledger, *arguments).exit_code == 0
    assert {path: path.read_bytes() for path in ledger.glob("*.db")} == before


def test_records_can_not_write_to_the_terminal(ledger: Path) -> None:
    """An object's name comes from users; API server messages may have anything in them."""
    bad = event.finish(make_run(), runs.Outcome(runs.Result.FAILED, reason="\x1b[2J"), time_ms=TIME_MS)
    _write(ledger, ACME, [bad])
    result = _run(ledger, "log")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout


def test_a_dump_ends_with_its_checkpoint(ledger: Path, tmp_path: Path) -> None:
    _write(ledger, ACME, pairs(1), publish=False)
    target = tmp_path / "dump"
    result = _run(ledger, "dump", target, "--tenant", "acme")
    assert result.exit_code == 0
    assert "6 records" in result.stderr
    assert "2 newer" in result.stderr
    with SqliteReader(ledger).open(ACME) as view:
        bodies = [record.body for record in view.records()][:6]
    assert (target / "events.ndjson").read_bytes().splitlines() == bodies
    assert [json.loads(line)["n"] for line in (target / "salts.ndjson").read_text().splitlines()] == list(range(6))
    assert parse_checkpoint((target / "log" / "checkpoint").read_text()).checkpoint.size == 6
    shipped = (resources.files("ringfence.lineage") / "schemas").iterdir()
    assert {path.name for path in (target / "schemas").iterdir()} == {path.name for path in shipped}
    assert _run(ledger, "dump", target, "--tenant", "acme").exit_code == 2


def test_a_log_without_a_checkpoint_is_not_dumped(ledger: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    _write(other, ACME, pairs(1), publish=False)
    result = _run(other, "dump", tmp_path / "dump")
    assert result.exit_code == 2
    assert "no checkpoint yet" in result.stderr
