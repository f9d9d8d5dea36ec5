"""What only the SQLite ledger can get wrong: two writers, old copies, damaged and foreign files, handles."""

import os
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.adapters.signer import Ed25519Signer
from ringfence.adapters.sqlite import files as files_module
from ringfence.adapters.sqlite.files import Files, filesystem_type, parse_url
from ringfence.adapters.sqlite.ledger import SqliteLedger
from ringfence.adapters.sqlite.reader import SqliteReader
from ringfence.lineage.entry import PLATFORM
from ringfence.ports.ledger import ForkRefusedError, LedgerUnavailableError, RolledBackError
from tests.lineage_samples import ACME, ended, make_run, pairs, started

GLOBEX = "b8ad4d3c-5c0a-4b1c-9a43-2f1b3d0a7e55"
SIGNER = Ed25519Signer(Ed25519PrivateKey.generate())

Opener = Callable[[], SqliteLedger]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
async def open_ledger(directory: Path) -> AsyncIterator[Opener]:
    """Opens ledgers on one directory, as often as a test wants, and closes them all."""
    opened: list[SqliteLedger] = []

    def opener() -> SqliteLedger:
        opened.append(SqliteLedger(directory))
        return opened[-1]

    yield opener
    for ledger in opened:
        await ledger.close()


def _size(directory: Path, log: str = ACME) -> int:
    with SqliteReader(directory).open(log) as view:
        return view.head.size


async def test_records_outlive_the_process(open_ledger: Opener, directory: Path) -> None:
    first = open_ledger()
    await first.append(ACME, pairs(2))
    await first.close()
    receipt = await open_ledger().append(ACME, pairs(1))
    assert list(receipt.indices) == [4, 5]
    assert _size(directory) == 6


async def test_a_second_writer_fences_the_first_for_good_and_no_log_forks(open_ledger: Opener, directory: Path) -> None:
    """Whoever appends last was elected last; the other one must learn that it no longer leads."""
    old, new = open_ledger(), open_ledger()
    await old.append(ACME, pairs(1))
    await new.append(ACME, pairs(1))
    for _ in range(2):
        with pytest.raises(ForkRefusedError, match="another operator"):
            await old.append(ACME, pairs(1))
    assert (await new.append(ACME, pairs(1))).head.size == 6
    assert _size(directory) == 6


async def test_a_second_writer_of_another_log_disturbs_nobody(open_ledger: Opener) -> None:
    old, new = open_ledger(), open_ledger()
    await old.append(ACME, pairs(1))
    await new.append(GLOBEX, pairs(1))
    assert (await old.append(ACME, pairs(1))).head.size == 4


async def test_a_checkpoint_is_refused_too_when_another_writes(open_ledger: Opener) -> None:
    old, new = open_ledger(), open_ledger()
    await old.append(ACME, pairs(1))
    await new.append(ACME, pairs(1))
    with pytest.raises(ForkRefusedError):
        await old.publish_checkpoint(ACME, [SIGNER])


async def test_an_old_copy_of_a_log_takes_nothing_until_the_right_one_is_back(
    open_ledger: Opener, directory: Path, tmp_path: Path
) -> None:
    """A restored snapshot would otherwise grow into a second history under the same name."""
    files, backup = Files(directory), tmp_path / "backup.db"
    ledger = open_ledger()
    await ledger.append(ACME, pairs(1))
    await ledger.close()
    shutil.copy(files.database(ACME), backup)
    ledger = open_ledger()
    await ledger.append(ACME, pairs(1))
    await ledger.publish_checkpoint(ACME, [SIGNER])
    await ledger.close()
    newest = files.database(ACME).read_bytes()
    shutil.copy(backup, files.database(ACME))

    ledger = open_ledger()
    with pytest.raises(RolledBackError, match="restore the newest backup"):
        await ledger.append(ACME, pairs(1))
    assert (await ledger.append(GLOBEX, pairs(1))).head.size == 2
    files.database(ACME).write_bytes(newest)
    assert (await ledger.append(ACME, pairs(1))).head.size == 6


async def test_an_old_copy_that_grew_again_is_found_by_its_missing_checkpoint(
    open_ledger: Opener, directory: Path
) -> None:
    """More records than the checkpoint has do not help, if they are others."""
    files = Files(directory)
    ledger = open_ledger()
    await ledger.append(ACME, pairs(1))
    await ledger.publish_checkpoint(ACME, [SIGNER])
    await ledger.close()
    published = files.checkpoint(ACME)
    kept = published.read_text()
    files.database(ACME).unlink()
    published.unlink()
    ledger = open_ledger()
    await ledger.append(ACME, pairs(3))
    await ledger.close()
    published.write_text(kept)
    with pytest.raises(RolledBackError, match="2 leaves"):
        await open_ledger().append(ACME, pairs(1))


async def test_a_deleted_log_is_not_begun_anew_under_its_checkpoint(open_ledger: Opener, directory: Path) -> None:
    ledger = open_ledger()
    await ledger.append(ACME, pairs(1))
    await ledger.publish_checkpoint(ACME, [SIGNER])
    await ledger.close()
    Files(directory).database(ACME).unlink()
    with pytest.raises(RolledBackError, match="is gone"):
        await open_ledger().append(ACME, pairs(1))
    Files(directory).checkpoint(ACME).unlink()
    assert (await open_ledger().append(ACME, pairs(1))).head.size == 2


def _overwrite(path: Path) -> None:
    path.write_bytes(b"not a database at all " * 100)


def _scramble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    path.write_bytes(data)


def _make_foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE t (x)")


def _make_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as own:
        own.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_overwrite, "no SQLite database"),
        (_scramble, "damaged"),
        (_make_foreign, "something else"),
        (_make_newer, "newer release"),
    ],
)
async def test_a_file_that_can_not_be_used_says_why_and_stops_no_other_log(
    open_ledger: Opener, directory: Path, damage: Callable[[Path], None], message: str
) -> None:
    path = Files(directory).database(ACME)
    ledger = open_ledger()
    await ledger.append(ACME, [started()])
    await ledger.append(GLOBEX, [started()])
    await ledger.close()
    good = path.read_bytes()
    damage(path)

    ledger = open_ledger()
    with pytest.raises(LedgerUnavailableError, match=message) as refusal:
        await ledger.append(ACME, pairs(1))
    assert str(path) in str(refusal.value)
    assert [run.log for run in await ledger.open_runs()] == [GLOBEX]
    assert list(await ledger.unpublished()) == [GLOBEX]
    assert (await ledger.append(GLOBEX, pairs(1))).head.size == 3
    path.write_bytes(good)
    assert (await ledger.append(ACME, pairs(1))).head.size == 3


async def test_a_file_under_another_logs_name_is_refused(open_ledger: Opener, directory: Path) -> None:
    """Else a tenant's records would go where another tenant reads."""
    ledger = open_ledger()
    await ledger.append(ACME, pairs(1))
    await ledger.close()
    Files(directory).database(ACME).rename(Files(directory).database(GLOBEX))
    with pytest.raises(LedgerUnavailableError, match="put each file back"):
        await open_ledger().append(GLOBEX, pairs(1))
    with pytest.raises(LedgerUnavailableError), SqliteReader(directory).open(GLOBEX):
        pass


async def test_a_damaged_checkpoint_file_is_named(open_ledger: Opener, directory: Path) -> None:
    ledger = open_ledger()
    await ledger.append(ACME, pairs(1))
    await ledger.publish_checkpoint(ACME, [SIGNER])
    await ledger.close()
    Files(directory).checkpoint(ACME).write_text("garbage")
    with pytest.raises(LedgerUnavailableError, match=r"\.checkpoint is damaged"):
        await open_ledger().append(ACME, pairs(1))


async def test_a_crash_between_the_two_places_of_a_checkpoint_is_made_good(
    open_ledger: Opener, directory: Path
) -> None:
    ledger = open_ledger()
    await ledger.append(ACME, pairs(1))
    published = await ledger.publish_checkpoint(ACME, [SIGNER])
    Files(directory).checkpoint(ACME).unlink()
    assert await ledger.publish_checkpoint(ACME, [SIGNER]) == published
    assert Files(directory).read_checkpoint(ACME) == published.note


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE leaf SET leaf = x'00'",
        "DELETE FROM leaf",
        "UPDATE body SET deflated = x'00'",
        "DELETE FROM body",
        "UPDATE head SET size = size - 1",
        "DELETE FROM head",
        "UPDATE log SET origin = 'x'",
        "DELETE FROM log",
        "UPDATE open_run SET n = 0",
        "DELETE FROM open_run",
        "UPDATE checkpoint SET note = ''",
        "DELETE FROM checkpoint",
    ],
)
async def test_an_accident_with_the_file_is_refused_by_the_file(
    open_ledger: Opener, directory: Path, statement: str
) -> None:
    ledger = open_ledger()
    await ledger.append(ACME, [*pairs(1), started()])
    await ledger.publish_checkpoint(ACME, [SIGNER])
    await ledger.close()
    with closing(sqlite3.connect(Files(directory).database(ACME))) as file:
        with pytest.raises(sqlite3.IntegrityError):
            file.execute(statement)
        verb, *rest = statement.split()
        file.execute(f"DROP TRIGGER {_trigger(file, rest[1 if verb == 'DELETE' else 0], verb)}")
        assert file.execute(statement).rowcount > 0  # so it was the trigger that refused


def _trigger(file: sqlite3.Connection, table: str, verb: str) -> str:
    rows = file.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", (table,))
    return next(str(name) for name, sql in rows if f"BEFORE {verb}" in sql)


async def test_a_body_that_is_due_may_go_and_its_leaf_stays(open_ledger: Opener, directory: Path) -> None:
    """An open run's body stays whatever its date: the next leader has to read it."""
    run = make_run()
    await open_ledger().append(ACME, [replace(entry, keep_until_ms=0) for entry in (started(run), ended(run))])
    await open_ledger().append(GLOBEX, [replace(started(run), keep_until_ms=0)])
    with closing(sqlite3.connect(Files(directory).database(ACME))) as file:
        assert file.execute("DELETE FROM body").rowcount == 2
        assert file.execute("SELECT count(*) FROM leaf").fetchone() == (2,)
    with (
        closing(sqlite3.connect(Files(directory).database(GLOBEX))) as file,
        pytest.raises(sqlite3.IntegrityError, match="not due"),
    ):
        file.execute("DELETE FROM body")


def _handles() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_a_thousand_tenants_need_few_handles(directory: Path) -> None:
    ledger = SqliteLedger(directory, max_open=8)
    before = _handles()
    for n in range(40):
        await ledger.append(f"tenant-{n}", [started()])
    assert _handles() - before <= 8 * 3
    await ledger.append("tenant-0", [started()])
    assert len(await ledger.open_runs()) == 41
    await ledger.close()
    assert _handles() <= before


def test_the_directory_is_its_owners_only(directory: Path) -> None:
    Files(directory).prepare()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@pytest.mark.parametrize("log", ["", "../x", "a/b", "A", "x.db", "a" * 129])
async def test_a_log_that_would_be_another_path_is_refused(open_ledger: Opener, log: str) -> None:
    with pytest.raises(ValueError, match="is no log"):
        await open_ledger().append(log, pairs(1))


async def test_a_network_filesystem_is_refused(
    open_ledger: Opener, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite can't tell writers on two machines apart there."""
    await open_ledger().append(ACME, pairs(1))
    monkeypatch.setattr(files_module, "filesystem_type", lambda _: "nfs4")
    with pytest.raises(LedgerUnavailableError, match="nfs4"):
        await open_ledger().append(ACME, pairs(1))


def test_the_kind_of_filesystem_is_read_from_the_mounts(tmp_path: Path) -> None:
    assert filesystem_type(Path("/proc")) == "proc"
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    line = f"36 35 {os.major(device)}:{os.minor(device)} / /srv rw - nfs4 server:/x rw\n"
    mounts.write_text("22 1 0:99 / /other rw shared:1 - ext4 /dev/x rw\n" + line)
    assert filesystem_type(tmp_path, mounts) == "nfs4"
    assert filesystem_type(tmp_path, tmp_path / "absent") is None


@pytest.mark.parametrize(("url", "path"), [("sqlite:///a/b", "a/b"), ("sqlite:////var/x", "/var/x")])
def test_ledger_urls_are_paths_of_directories(url: str, path: str) -> None:
    assert parse_url(url) == Path(path)


@pytest.mark.parametrize("url", ["", "sqlite:///", "sqlite://x", "/var/x", "postgresql://x"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///PATH"):
        parse_url(url)


async def test_the_platform_log_of_another_ledger_has_another_origin(tmp_path: Path) -> None:
    """Tenants have unique uids; the platform's log of each ledger must be told apart as well."""
    origins = set()
    for name in ("one", "other"):
        ledger = SqliteLedger(tmp_path / name)
        await ledger.append(PLATFORM, pairs(1))
        await ledger.close()
        with SqliteReader(tmp_path / name).open(PLATFORM) as view:
            origins.add(view.origin)
    assert len(origins) == 2


async def test_one_views_answers_are_of_one_moment(open_ledger: Opener, directory: Path) -> None:
    ledger = open_ledger()
    await ledger.append(ACME, pairs(1))
    with SqliteReader(directory).open(ACME) as view:
        assert view.head.size == 2
        await ledger.append(ACME, pairs(1))
        assert view.head.size == 2
        assert len(list(view.records())) == 2
    assert _size(directory) == 4
