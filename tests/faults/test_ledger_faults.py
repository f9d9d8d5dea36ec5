"""The ledger when the disk is full, when the process is killed, when a commit's end is not known."""

import asyncio
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.adapters.signer import Ed25519Signer
from ringfence.adapters.sqlite.connection import connect_to_write, ledger_errors
from ringfence.adapters.sqlite.files import Files
from ringfence.adapters.sqlite.ledger import SqliteLedger
from ringfence.adapters.sqlite.logfile import open_log_file
from ringfence.adapters.sqlite.reader import SqliteReader
from ringfence.lineage.verify import Evidence, Verdict, verify
from ringfence.ports.ledger import LedgerUnavailableError
from tests.lineage_samples import ACME, pairs, started

GLOBEX = "b8ad4d3c-5c0a-4b1c-9a43-2f1b3d0a7e55"
ROOT = Path(__file__).parents[2]
SIGNER = Ed25519Signer(Ed25519PrivateKey.generate())


def _verified(directory: Path, log: str = ACME) -> Verdict:
    with SqliteReader(directory).open(log) as view:
        return verify(Evidence(log, view.origin, view.head, view.records(), view.checkpoints()))


def _recorded_runs(directory: Path) -> set[str]:
    with SqliteReader(directory).open(ACME) as view:
        bodies = [orjson.loads(record.body or b"") for record in view.records()]
    return {body["run"]["runId"] for body in bodies if body["eventType"] == "COMPLETE"}


def _runs_until_killed(directory: Path, count: int) -> set[str]:
    """Kill a writer once it has acknowledged ``count`` runs; answer which."""
    command = [sys.executable, "-m", "tests.faults.ledger_writer", str(directory)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        acknowledged = {line.strip() for line in islice(writer.stdout, count)}
        writer.send_signal(signal.SIGKILL)
    return acknowledged


@contextmanager
def _disk_with(size: int) -> Iterator[None]:
    """No file grows beyond ``size`` bytes: the operating system refuses the write, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_what_a_full_disk_refused_is_taken_once_there_is_room(tmp_path: Path) -> None:
    """The same entries are appended again, as the engine does; none is lost and none is there twice."""
    ledger = SqliteLedger(tmp_path)
    await ledger.append(ACME, pairs(1))
    wal = tmp_path / f"{ACME}.db-wal"
    refused = pairs(20)
    with _disk_with(wal.stat().st_size + 4096):
        for _ in range(2):
            with pytest.raises(LedgerUnavailableError, match=rf"{ACME}\.db: .*goes on by itself"):
                await ledger.append(ACME, refused)
    receipt = await ledger.append(ACME, refused)
    assert list(receipt.indices) == list(range(2, 42))
    await ledger.close()
    assert _verified(tmp_path).findings == []


async def test_a_full_disk_keeps_no_half_checkpoint(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path)
    await ledger.append(ACME, pairs(1))
    first = await ledger.publish_checkpoint(ACME, [SIGNER])
    await ledger.append(ACME, pairs(1))
    with _disk_with(0), pytest.raises(LedgerUnavailableError):
        await ledger.publish_checkpoint(ACME, [SIGNER])
    assert Files(tmp_path).read_checkpoint(ACME) == first.note
    assert set(Files(tmp_path).logs()) == {ACME}
    assert (await ledger.publish_checkpoint(ACME, [SIGNER])).size == 4
    await ledger.close()


def test_a_full_and_a_read_only_database_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with closing(connect_to_write(path)) as writer:
        writer.execute("PRAGMA max_page_count = 1")
        with pytest.raises(LedgerUnavailableError, match="disk is full"), ledger_errors(path):
            writer.execute("CREATE TABLE big AS SELECT zeroblob(1000000)")
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader,
        pytest.raises(LedgerUnavailableError, match="read-only"),
        ledger_errors(path),
    ):
        reader.execute("CREATE TABLE t (x)")


def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    with closing(connect_to_write(tmp_path / "log.db")) as writer:
        assert writer.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert writer.execute("PRAGMA secure_delete").fetchone() == (1,)


@pytest.mark.parametrize("after", [3, 40])
async def test_what_was_answered_for_survives_a_kill(tmp_path: Path, after: int) -> None:
    """Four tasks append when SIGKILL comes: every run that was acknowledged is there, and the log verifies."""
    acknowledged = await asyncio.to_thread(_runs_until_killed, tmp_path, after)
    assert len(acknowledged) == after
    assert acknowledged <= _recorded_runs(tmp_path)
    verdict = _verified(tmp_path)
    assert verdict.findings == []

    ledger = SqliteLedger(tmp_path)
    assert {run.run_id for run in await ledger.open_runs()} == set(verdict.open_runs)
    assert (await ledger.append(ACME, pairs(1))).head.size == verdict.size + 2
    await ledger.close()
    assert _verified(tmp_path).findings == []


@pytest.mark.parametrize("took_effect", [True, False])
def test_a_commit_whose_end_is_not_known_is_looked_up(tmp_path: Path, took_effect: bool) -> None:
    """The disk may fail after it has kept the commit: the next try must neither lose nor repeat it, nor see a fork."""
    files = Files(tmp_path)
    file = open_log_file(files, ACME, None)
    file.append([pairs(1)])
    entries = pairs(1)
    broken = _BreaksAtCommit(file.connection, took_effect=took_effect)
    file.connection = broken  # type: ignore[assignment]
    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        file.append([entries])
    file.close()

    again = open_log_file(files, ACME, file.position)
    assert again.position.tail.size == (4 if took_effect else 2)
    assert list(again.append([entries])[0].indices) == [2, 3]
    again.close()
    assert _verified(tmp_path).findings == []


class _BreaksAtCommit:
    """A connection whose commit answers with an error, having taken effect or not."""

    def __init__(self, connection: sqlite3.Connection, *, took_effect: bool) -> None:
        self._connection = connection
        self._took_effect = took_effect

    def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:
        if sql != "COMMIT":
            return self._connection.execute(sql, *parameters)  # type: ignore[arg-type]
        if self._took_effect:
            self._connection.execute(sql)
        raise sqlite3.OperationalError("disk I/O error")

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)


async def test_one_logs_trouble_is_answered_to_its_own_callers_only(tmp_path: Path) -> None:
    """In one batch of the writer: a broken file among good ones."""
    ledger = SqliteLedger(tmp_path)
    (tmp_path / f"{ACME}.db").write_bytes(b"garbage" * 1000)
    answers = await asyncio.gather(
        *(ledger.append(log, [started()]) for log in (ACME, GLOBEX) * 10), return_exceptions=True
    )
    assert all(isinstance(answer, LedgerUnavailableError) for answer in answers[0::2])
    assert not any(isinstance(answer, BaseException) for answer in answers[1::2])
    await ledger.close()
