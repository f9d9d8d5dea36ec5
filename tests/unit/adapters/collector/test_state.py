"""What a collector keeps: within bounds, and for whoever asks late."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ringfence.adapters.collector import state as module
from ringfence.adapters.collector.log import Place
from ringfence.adapters.collector.state import OTHERS, State
from ringfence.usage.page import MOST_NUMBER, MOST_ROWS, decode, encode
from ringfence.usage.tally import Row
from tests.usage_samples import HOUR_OF_IT, INSTANCE, hours_later, row


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with closing(State.open(tmp_path / "usage.db")) as state:
        yield state


def _take(state: State, *rows: Row) -> None:
    state.take({each.key: each.numbers for each in rows}, Place("1:2", state.place.offset + 1))


def _all(state: State) -> list[Row]:
    """Page by page, as somebody who begins anew."""
    cursor, found = "", dict[object, Row]()
    while (page := state.page(cursor)).cursor != cursor:
        found |= {each.key: each for each in page.rows}
        cursor = page.cursor
    return list(found.values())


def test_counts_add_up_and_pages_tell_them_whole(state: State) -> None:
    _take(state, row(3))
    after = state.page("").cursor
    _take(state, row(2))
    assert state.page(after).rows == (row(5),)


def test_what_did_not_change_is_not_told_again(state: State) -> None:
    _take(state, row(3), row(1, account="other"))
    after = state.page("").cursor
    assert state.page(after).rows == ()
    assert state.page(after).cursor == after
    _take(state, row(1, account="other"))
    assert state.page(after).rows == (row(2, account="other"),)


def test_many_rows_come_in_many_pages_and_none_is_missed(state: State) -> None:
    rows = [row(1, account=f"a{number}") for number in range(2 * MOST_ROWS + 1)]
    _take(state, *rows)
    assert state.page("").more
    assert len(_all(state)) == len(rows)


@pytest.mark.parametrize("cursor", [f"{INSTANCE}.3", "", "x", ".", "999"])
def test_who_has_another_collectors_cursor_is_told_everything(state: State, cursor: str) -> None:
    _take(state, row(3))
    assert state.page(cursor).rows == (row(3),)


def test_a_cursor_from_the_future_is_told_everything(state: State) -> None:
    """So a state that was set back by a restored volume is noticed by nobody."""
    _take(state, row(3))
    assert state.page(f"{state.instance}.99").rows == (row(3),)


def test_what_was_counted_is_there_for_the_next_process(state: State, tmp_path: Path) -> None:
    _take(state, row(3))
    with closing(State.open(tmp_path / "usage.db")) as successor:
        assert (successor.instance, successor.place, successor.sequence) == (state.instance, state.place, 1)
        assert _all(successor) == [row(3)]


def test_callers_beyond_the_bound_are_counted_together(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody fills the volume by calling under many names, and no request is missing from the sum."""
    monkeypatch.setattr(module, "MOST_OF_AN_HOUR", 3)
    _take(state, *(row(1, account=f"a{number}") for number in range(5)))
    _take(state, *(row(1, account=f"a{number}") for number in range(9)))
    found = {each.key.account: each.numbers.requests for each in _all(state)}
    assert found == {"a0": 2, "a1": 2, "a2": 2, OTHERS: 8}
    _take(state, row(1, account="b", hour=hours_later(1)))
    assert row(1, account="b", hour=hours_later(1)) in _all(state)


def test_old_hours_go(state: State) -> None:
    _take(state, row(3), row(1, hour=hours_later(1)))
    state.forget(hours_later(1))
    assert _all(state) == [row(1, hour=hours_later(1))]


def test_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    """As another collector: a gateway must not stop because its accountant did."""
    path = tmp_path / "usage.db"
    with closing(State.open(path)) as state:
        _take(state, row(3))
        instance = state.instance
    path.write_bytes(b"not a database, and longer than a header of one" * 90)
    path.with_name("usage.db-wal").unlink(missing_ok=True)
    with closing(State.open(path)) as state:
        assert state.instance != instance
        _take(state, row(1, hour=HOUR_OF_IT))
        assert _all(state) == [row(1)]


def test_a_sum_stays_where_a_page_can_say_it(state: State) -> None:
    """A provider tells how many tokens it took; by what it says it keeps nobody from being counted."""
    told = replace(row(1), numbers=row(1).numbers._replace(total_tokens=MOST_NUMBER - 30))
    _take(state, told)
    _take(state, row(1))
    assert state.page("").rows[0].numbers.total_tokens == MOST_NUMBER - 30 + row(1).numbers.total_tokens
    _take(state, row(1))
    (found,) = decode(encode(state.page("")), tenant="acme", until=2**40).rows
    assert (found.numbers.requests, found.numbers.total_tokens) == (3, MOST_NUMBER)
