"""`ringfence usage`: the report, and whether the record says the same."""

import asyncio
import csv
import io
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from ringfence.adapters.sqlite.ledger import SqliteLedger
from ringfence.adapters.sqlite.usage import FOLDER, SqliteUsage
from ringfence.cli import dispatch
from ringfence.lineage.usage import rows_digest, usage_recorded
from ringfence.usage.outcome import Outcome
from ringfence.usage.tally import Row
from tests.lineage_samples import ACME, OPERATOR, TIME_MS, pairs
from tests.usage_samples import HOUR_OF_IT, hours_later, page, row

GLOBEX = "b8ad4d3c-5c0a-4b1c-9a43-2f1b3d0a7e55"
ROWS = (
    row(3),
    row(1, account="batch"),
    row(2, outcome=Outcome.LIMITED),
    row(1, namespace="acme-prod", route="reports", hour=hours_later(1)),
)
SINCE = ("--since", "2026-11-22T00:00:00Z", "--until", "2026-11-23T00:00:00Z")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    asyncio.run(_kept(tmp_path, ACME, "acme", *ROWS))
    asyncio.run(_kept(tmp_path, GLOBEX, "globex", row(7, namespace="globex-dev")))
    return tmp_path


async def _kept(directory: Path, log: str, tenant: str, *rows: Row) -> None:
    """Usage of a tenant, on record as far as its first hour."""
    store, ledger = SqliteUsage(directory), SqliteLedger(directory)
    await ledger.append(log, pairs(1))
    await store.take(log, "pod-0", page(1, *rows), tenant=tenant, keep=0)
    for due in await store.due(log, hours_later(1)):
        entry = usage_recorded(
            OPERATOR, log, tenant=tenant, hour=due.hour, rows=due.rows, time_ms=TIME_MS, keep=timedelta(days=90)
        )
        await ledger.append(log, [entry])
        await store.recorded(log, due, rows_digest(due.rows))
    await ledger.close()


def _run(ledger: Path, *arguments: str) -> int:
    """The exit code."""
    with pytest.raises(SystemExit) as ended:
        dispatch("ringfence", ["usage", "--ledger", f"sqlite:///{ledger}", *SINCE, *arguments])
    return int(ended.value.code or 0)


def test_it_tells_each_namespace_and_route(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(ledger) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == [
        *("TENANT", "NAMESPACE", "ROUTE", "REQUESTS", "SERVED", "REFUSED", "FAILED", "TOKENS", "P50", "P95")
    ]
    assert lines[0].split() == ["acme", "acme-dev", "chat", "6", "4", "2", "0", "126", "250ms", "250ms"]
    assert max(map(len, lines)) < 100


def test_wide_it_tells_more(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(ledger, "-o", "wide") == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == [
        *("TENANT", "NAMESPACE", "ROUTE", "REQUESTS", "SERVED", "REFUSED", "LIMITED", "FAILED", "ABANDONED"),
        *("PROMPT", "COMPLETION", "TOKENS", "UNMETERED", "P50", "P95"),
    ]
    assert [line.split() for line in lines] == [
        ["acme", "acme-dev", "chat", "6", "4", "2", "2", "0", "0", "54", "72", "126", "0", "250ms", "250ms"],
        ["acme", "acme-prod", "reports", "1", "1", "0", "0", "0", "0", "9", "12", "21", "0", "250ms", "250ms"],
        ["globex", "globex-dev", "chat", "7", "7", "0", "0", "0", "0", "63", "84", "147", "0", "250ms", "250ms"],
    ]


@pytest.mark.parametrize(
    ("by", "values"),
    [
        (["hour"], [["2026-11-22T19:00:00Z", "6"], ["2026-11-22T20:00:00Z", "1"]]),
        (["workload"], [["acme-dev/batch", "1"], ["acme-dev/chat-ui", "5"], ["acme-prod/chat-ui", "1"]]),
        (["provider"], [["openai", "7"]]),
        (["outcome"], [["Limited", "2"], ["Served", "5"]]),
        (["route", "hour"], [["chat", "2026-11-22T19:00:00Z", "6"], ["reports", "2026-11-22T20:00:00Z", "1"]]),
    ],
    ids=str,
)
def test_it_puts_together_what_one_wants_to_know(
    ledger: Path, capsys: pytest.CaptureFixture[str], by: list[str], values: list[list[str]]
) -> None:
    options = [option for each in by for option in ("--by", each)]
    assert _run(ledger, "--tenant", "acme", "-o", "csv", *options) == 0
    header, *lines = csv.reader(io.StringIO(capsys.readouterr().out))
    assert header[: len(by) + 2] == ["tenant", *by, "requests"]
    assert [line[1 : len(by) + 2] for line in lines] == values


def test_every_form_has_the_same_numbers(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = {}
    for form in ("json", "yaml", "csv"):
        assert _run(ledger, "-o", form) == 0
        told[form] = capsys.readouterr().out
    value = json.loads(told["json"])
    assert yaml.safe_load(told["yaml"]) == value
    assert value["version"] == 1
    first = value["usage"][0]
    assert (first["requests"], first["outcomes"], first["totalTokens"]) == (6, {"Limited": 2, "Served": 4}, 126)
    rows = list(csv.DictReader(io.StringIO(told["csv"])))
    assert [int(each["totalTokens"]) for each in rows] == [each["totalTokens"] for each in value["usage"]]


def test_only_whole_hours_from_the_one_asked_for_are_told(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(ledger, "--tenant", "acme", "--by", "hour", "-o", "csv", "--since", "2026-11-22T20:30:00Z") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_usage_that_is_as_recorded_is_said_to_be(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(ledger, "--check") == 0
    assert "2 recorded hours, 0 not as recorded" in capsys.readouterr().err


def test_a_log_with_usage_in_it_verifies_and_is_told(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Like any other: its verifier needs to know nothing of usage."""
    url = f"sqlite:///{ledger}"
    for arguments in (["verify"], ["log"], ["log", "-o", "json"]):
        with pytest.raises(SystemExit) as ended:
            dispatch("ringfence", ["lineage", arguments[0], "--ledger", url, *arguments[1:]])
        assert not ended.value.code
    told = capsys.readouterr().out
    assert "3 records, verified" in told
    assert "UsageRecorded 2026-11-22T19:00:00.000Z" in told
    assert "6 requests, 126 tokens" in told


def test_a_number_that_somebody_changed_is_noticed(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever owns the file can write anything into it, but not into the record."""
    assert _run(ledger, "--check") == 0
    with closing(sqlite3.connect(ledger / FOLDER / f"{ACME}.db")) as store, store:
        store.execute("UPDATE usage SET total_tokens = 1 WHERE hour = ?", (HOUR_OF_IT,))
    assert _run(ledger, "--check") == 1
    assert (
        "not as recorded: acme 2026-11-22T19:00:00Z: what is kept is not what was recorded" in capsys.readouterr().err
    )


def test_a_new_digest_beside_a_changed_number_does_not_help(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger / FOLDER / f"{ACME}.db")) as store, store:
        store.execute("DELETE FROM usage WHERE hour = ?", (HOUR_OF_IT,))
        store.execute("UPDATE hour SET digest = ? WHERE hour = ?", (rows_digest([]), HOUR_OF_IT))
    assert _run(ledger, "--check") == 1


def test_an_hour_that_is_recorded_and_not_kept_is_noticed(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(ledger / FOLDER / f"{ACME}.db")) as store, store:
        store.execute("DELETE FROM usage WHERE hour = ?", (HOUR_OF_IT,))
        store.execute("DELETE FROM hour WHERE hour = ?", (HOUR_OF_IT,))
    assert _run(ledger, "--check") == 1
    assert "2026-11-22T19:00:00Z: it is recorded, and not kept" in capsys.readouterr().err


def test_who_is_not_there_is_said_with_who_is(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(ledger, "--tenant", "nobody") == 3
    assert "there is of: acme, globex" in capsys.readouterr().err


@pytest.mark.parametrize("time", ["yesterday", "-3", "9y"])
def test_a_time_that_is_none_is_refused(ledger: Path, time: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(ledger, "--since", time) == 2
    assert "write a time like" in capsys.readouterr().err
