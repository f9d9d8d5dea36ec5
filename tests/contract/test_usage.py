"""What every store of usage promises, told once and asked of all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ringfence.adapters.sqlite.usage import SqliteUsage, SqliteUsageReader
from ringfence.ports.usage import UsageReader, UsageStore
from ringfence.usage.outcome import Outcome
from ringfence.usage.page import Page
from ringfence.usage.tally import HOUR, Row
from tests.fakes.usage import MemoryUsage
from tests.lineage_samples import ACME
from tests.usage_samples import HOUR_OF_IT, INSTANCE, OTHER, hours_later, page, row

GLOBEX = "b8ad4d3c-5c0a-4b1c-9a43-2f1b3d0a7e55"
DAY = 86_400


@dataclass
class Store:
    """A store under test with the reader's side of the same content."""

    usage: UsageStore
    reader: UsageReader

    async def take(self, given: Page, *, log: str = ACME, source: str = "pod-0", keep: int = DAY) -> None:
        await self.usage.take(log, source, given, tenant="acme" if log == ACME else "globex", keep=keep)

    def rows(self, log: str = ACME) -> list[Row]:
        return list(self.reader.rows(log, since=0, until=2**40))


def _memory(_: Path) -> Store:
    store = MemoryUsage()
    return Store(store, store)


def _sqlite(directory: Path) -> Store:
    return Store(SqliteUsage(directory), SqliteUsageReader(directory))


@pytest.fixture(params=[_memory, _sqlite], ids=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    make: Callable[[Path], Store] = request.param
    return make(tmp_path / "ledger")


async def test_what_was_taken_is_read_back(store: Store) -> None:
    rows = [row(3), row(1, account="other"), row(2, outcome=Outcome.LIMITED)]
    await store.take(page(3, *rows))
    assert sorted(store.rows(), key=lambda each: each.key) == sorted(rows, key=lambda each: each.key)
    assert store.reader.tenants() == {ACME: "acme"}


async def test_a_page_that_is_taken_twice_counts_once(store: Store) -> None:
    for _ in range(2):
        await store.take(page(1, row(3)))
    assert store.rows() == [row(3)]


async def test_a_row_takes_the_place_of_what_its_collector_said_before(store: Store) -> None:
    await store.take(page(1, row(3)))
    await store.take(page(2, row(5)))
    assert store.rows() == [row(5)]


async def test_replicas_add_up(store: Store) -> None:
    await store.take(page(1, row(3)))
    await store.take(page(1, row(4), instance=OTHER), source="pod-1")
    assert store.rows() == [row(7)]


async def test_each_replica_goes_on_from_its_own_cursor(store: Store) -> None:
    assert await store.usage.cursor(ACME, "pod-0") == ""
    await store.take(page(7, row(3)))
    assert await store.usage.cursor(ACME, "pod-0") == f"{INSTANCE}.7"
    assert await store.usage.cursor(ACME, "pod-1") == ""
    assert await store.usage.cursor(GLOBEX, "pod-0") == ""


async def test_tenants_do_not_see_each_other(store: Store) -> None:
    await store.take(page(1, row(3)))
    await store.take(page(1, row(4, namespace="globex-dev")), log=GLOBEX)
    assert (store.rows(ACME), store.rows(GLOBEX)) == ([row(3)], [row(4, namespace="globex-dev")])
    assert sorted(await store.usage.logs()) == sorted([ACME, GLOBEX])


async def test_hours_are_read_from_and_to(store: Store) -> None:
    await store.take(page(3, *(row(1, hour=hours_later(each)) for each in range(3))))
    found = store.reader.rows(ACME, since=HOUR_OF_IT + 1, until=hours_later(2))
    assert [each.key.hour for each in found] == [hours_later(1)]


async def test_an_hour_is_due_until_it_is_recorded(store: Store) -> None:
    await store.take(page(2, row(3), row(1, hour=hours_later(1))))
    (due,) = await store.usage.due(ACME, hours_later(1))
    assert (due.tenant, due.hour, list(due.rows)) == ("acme", HOUR_OF_IT, [row(3)])
    assert store.reader.digests(ACME) == {HOUR_OF_IT: "", hours_later(1): ""}
    await store.usage.recorded(ACME, due, "sha256:1")
    assert list(await store.usage.due(ACME, hours_later(1))) == []
    assert store.reader.digests(ACME) == {HOUR_OF_IT: "sha256:1", hours_later(1): ""}


async def test_an_hour_that_changes_after_all_is_due_again(store: Store) -> None:
    """Also when it changed between the look at it and its record."""
    await store.take(page(1, row(3)))
    (due,) = await store.usage.due(ACME, hours_later(1))
    await store.take(page(2, row(4)))
    await store.usage.recorded(ACME, due, "sha256:1")
    assert store.reader.digests(ACME) == {HOUR_OF_IT: ""}
    (again,) = await store.usage.due(ACME, hours_later(1))
    assert list(again.rows) == [row(4)]


async def test_what_is_told_again_in_the_same_words_is_not_due_again(store: Store) -> None:
    await store.take(page(1, row(3)))
    (due,) = await store.usage.due(ACME, hours_later(1))
    await store.usage.recorded(ACME, due, "sha256:1")
    await store.take(page(9, row(3)))
    assert list(await store.usage.due(ACME, hours_later(1))) == []


async def test_an_hour_is_kept_for_as_long_as_any_page_said(store: Store) -> None:
    """A policy that was shortened does not reach back."""
    await store.take(page(1, row(3)), keep=9 * DAY)
    await store.take(page(2, row(4)), keep=2 * DAY)
    (due,) = await store.usage.due(ACME, hours_later(1))
    assert due.keep_until == HOUR_OF_IT + HOUR + 9 * DAY


async def test_where_nothing_was_taken_there_is_nothing(store: Store) -> None:
    assert list(await store.usage.due(ACME, hours_later(1))) == []
    assert list(await store.usage.logs()) == []
    assert store.reader.tenants() == {}
