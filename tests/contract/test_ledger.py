"""What every ledger promises, told once and asked of all of them: SQLite and the stand-in that other tests use."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.adapters.signer import Ed25519Signer
from ringfence.adapters.sqlite.ledger import SqliteLedger
from ringfence.adapters.sqlite.reader import SqliteReader
from ringfence.lineage.checkpoint import parse_checkpoint
from ringfence.lineage.entry import PLATFORM
from ringfence.lineage.leaf import NO_LEAF, commitment, decode_leaf
from ringfence.lineage.merkle import leaf_hash, root_of
from ringfence.ports.ledger import Ledger, LedgerReader, LedgerUnavailableError
from tests.fakes.ledger import MemoryLedger
from tests.lineage_samples import ACME, ended, make_run, pairs, started

GLOBEX = "b8ad4d3c-5c0a-4b1c-9a43-2f1b3d0a7e55"


@dataclass
class Store:
    """A ledger under test with the auditor's side of the same content."""

    ledger: Ledger
    reader: LedgerReader


def _memory(_: Path) -> Store:
    ledger = MemoryLedger()
    return Store(ledger, ledger)


def _sqlite(directory: Path) -> Store:
    return Store(SqliteLedger(directory), SqliteReader(directory))


def _sqlite_with_few_handles(directory: Path) -> Store:
    return Store(SqliteLedger(directory, max_open=1), SqliteReader(directory))


@pytest.fixture(params=[_memory, _sqlite, _sqlite_with_few_handles], ids=["memory", "sqlite", "sqlite-one-handle"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    make: Callable[[Path], Store] = request.param
    store = make(tmp_path / "ledger")
    yield store
    await store.ledger.close()


@pytest.fixture
def signer() -> Ed25519Signer:
    return Ed25519Signer(Ed25519PrivateKey.generate())


async def test_what_was_appended_is_read_back_byte_for_byte(store: Store) -> None:
    """Bodies, salts and leaves belong together, and an auditor gets exactly what was committed to."""
    entries = pairs(3)
    receipt = await store.ledger.append(ACME, entries)
    with store.reader.open(ACME) as view:
        records = list(view.records())
        assert [record.body for record in records] == [entry.body for entry in entries]
        assert view.head == receipt.head
    assert receipt.indices == list(range(6))
    for record in records:
        assert record.leaf
        assert record.body
        assert record.salt
        assert decode_leaf(record.leaf).commitment == commitment(record.body, record.salt)


async def test_every_leaf_names_the_one_before_it_and_the_head_is_over_all(store: Store) -> None:
    for entry in pairs(4):
        head = (await store.ledger.append(ACME, [entry])).head
    with store.reader.open(ACME) as view:
        leaves = [record.leaf or b"" for record in view.records()]
    hashes = [leaf_hash(leaf) for leaf in leaves]
    assert [decode_leaf(leaf).previous for leaf in leaves] == [NO_LEAF, *hashes[:-1]]
    assert (head.size, head.last, head.root) == (8, hashes[-1], root_of(hashes))


async def test_equal_bodies_are_committed_to_differently(store: Store) -> None:
    """Else whoever has leaves only could tell that two tenants' records are the same."""
    entry = started()
    await store.ledger.append(ACME, [entry])
    await store.ledger.append(GLOBEX, [entry])
    commitments = set()
    for log in (ACME, GLOBEX):
        with store.reader.open(log) as view:
            commitments |= {decode_leaf(record.leaf or b"").commitment for record in view.records()}
    assert len(commitments) == 2


async def test_appending_again_changes_nothing_and_says_where_it_is(store: Store) -> None:
    run = make_run()
    first = await store.ledger.append(ACME, [started(run)])
    await store.ledger.append(ACME, pairs(1))
    again = await store.ledger.append(ACME, [started(run), ended(run)])
    assert first.indices == [0]
    assert list(again.indices) == [0, 3]
    assert again.head.size == 4


async def test_one_entry_twice_in_one_append_is_one_record(store: Store) -> None:
    entry = started()
    receipt = await store.ledger.append(ACME, [entry, entry])
    assert list(receipt.indices) == [0, 0]
    assert receipt.head.size == 1


async def test_logs_are_apart_and_the_platform_comes_first(store: Store) -> None:
    await store.ledger.append(GLOBEX, pairs(1))
    await store.ledger.append(ACME, pairs(2))
    await store.ledger.append(PLATFORM, pairs(1))
    assert list(store.reader.logs()) == [PLATFORM, ACME, GLOBEX]
    with store.reader.open(ACME) as acme, store.reader.open(GLOBEX) as globex:
        assert (acme.head.size, globex.head.size) == (4, 2)
        assert acme.origin != globex.origin


async def test_concurrent_appends_all_arrive_in_one_chain(store: Store) -> None:
    """Sixty tasks on three logs: each gets its own places, none is lost, no chain forks."""
    logs = (ACME, GLOBEX, PLATFORM)
    receipts = await asyncio.gather(*(store.ledger.append(logs[i % 3], pairs(1)) for i in range(60)))
    for log in logs:
        places = sorted(index for receipt in receipts if receipt.log == log for index in receipt.indices)
        assert places == list(range(40))
        with store.reader.open(log) as view:
            hashes = [leaf_hash(record.leaf or b"") for record in view.records()]
            assert view.head.root == root_of(hashes)


async def test_a_run_is_open_until_its_outcome_is_there(store: Store) -> None:
    done, killed = make_run(), make_run()
    await store.ledger.append(ACME, [started(done), started(killed)])
    assert {run.run_id for run in await store.ledger.open_runs()} == {done.run_id, killed.run_id}
    await store.ledger.append(ACME, [ended(done)])
    (left,) = await store.ledger.open_runs()
    assert (left.log, left.run_id, left.index, left.start) == (ACME, killed.run_id, 1, started(killed).body)


async def test_an_outcome_without_a_start_opens_nothing(store: Store) -> None:
    await store.ledger.append(ACME, [ended(make_run())])
    assert await store.ledger.open_runs() == []


async def test_one_run_and_the_latest_records_are_found(store: Store) -> None:
    run = make_run()
    await store.ledger.append(ACME, [started(run), *pairs(2), ended(run)])
    with store.reader.open(ACME) as view:
        assert [record.index for record in view.run(run.run_id)] == [0, 5]
        assert [record.index for record in view.latest(3)] == [5, 4, 3]
        assert [record.index for record in view.records(4)] == [4, 5]


async def test_a_checkpoint_is_of_the_head_and_signed_for_this_log(store: Store, signer: Ed25519Signer) -> None:
    head = (await store.ledger.append(ACME, pairs(2))).head
    published = await store.ledger.publish_checkpoint(ACME, [signer])
    read = parse_checkpoint(published.note)
    assert (published.size, published.root) == (head.size, head.root)
    assert (read.checkpoint.size, read.checkpoint.root) == (head.size, head.root)
    assert read.is_signed_by(signer.public_key)
    with store.reader.open(ACME) as view:
        assert read.checkpoint.origin == view.origin
        assert view.published() == published.note
        assert list(view.checkpoints()) == [published.note]


async def test_while_a_key_is_rotated_both_keys_sign(store: Store, signer: Ed25519Signer) -> None:
    other = Ed25519Signer(Ed25519PrivateKey.generate())
    await store.ledger.append(ACME, pairs(1))
    read = parse_checkpoint((await store.ledger.publish_checkpoint(ACME, [signer, other])).note)
    assert read.is_signed_by(signer.public_key)
    assert read.is_signed_by(other.public_key)
    assert not read.is_signed_by(Ed25519Signer(Ed25519PrivateKey.generate()).public_key)


async def test_a_log_that_did_not_grow_gets_no_new_checkpoint(store: Store, signer: Ed25519Signer) -> None:
    """Else an idle cluster would sign for ever."""
    await store.ledger.append(ACME, pairs(1))
    await store.ledger.append(GLOBEX, pairs(1))
    assert list(await store.ledger.unpublished()) == [ACME, GLOBEX]
    first = await store.ledger.publish_checkpoint(ACME, [signer])
    assert list(await store.ledger.unpublished()) == [GLOBEX]
    assert await store.ledger.publish_checkpoint(ACME, [signer]) == first
    await store.ledger.append(ACME, pairs(1))
    assert list(await store.ledger.unpublished()) == [ACME, GLOBEX]
    assert (await store.ledger.publish_checkpoint(ACME, [signer])).size == 4


async def test_what_is_not_there_is_named(store: Store, signer: Ed25519Signer) -> None:
    with pytest.raises(LedgerUnavailableError, match=ACME), store.reader.open(ACME):
        pass
    with pytest.raises(LedgerUnavailableError, match=ACME):
        await store.ledger.publish_checkpoint(ACME, [signer])


async def test_an_empty_ledger_has_nothing_to_tell(store: Store) -> None:
    assert list(store.reader.logs()) == []
    assert list(await store.ledger.open_runs()) == []
    assert list(await store.ledger.unpublished()) == []
