"""Sums, groups and digests: laws."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ringfence.lineage.usage import rows_digest
from ringfence.usage.outcome import REFUSED, Outcome
from ringfence.usage.report import Dimension, grouped
from ringfence.usage.tally import BOUNDS, COLUMNS, NOTHING, Key, Numbers, Row, slot, total
from tests.usage_samples import row

COUNTS = st.integers(0, 2**40)
NUMBERS = st.lists(COUNTS, min_size=len(COLUMNS), max_size=len(COLUMNS)).map(Numbers.of)
KEYS = st.builds(
    Key,
    hour=st.sampled_from([0, 3600]),
    namespace=st.sampled_from(["", "acme-dev", "acme-prod"]),
    account=st.sampled_from(["", "ui"]),
    route=st.sampled_from(["", "chat"]),
    provider=st.sampled_from(["", "openai"]),
    outcome=st.sampled_from(Outcome),
)
ROWS = st.lists(st.builds(Row, KEYS, NUMBERS), max_size=12)


@given(NUMBERS)
def test_numbers_are_the_same_flat_and_not(numbers: Numbers) -> None:
    assert Numbers.of(numbers.flat()) == numbers
    assert len(numbers.flat()) == len(COLUMNS)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_sums_do_not_care_for_the_order(a: Numbers, b: Numbers, c: Numbers) -> None:
    assert a.plus(b).plus(c) == c.plus(a).plus(b) == total([b, c, a])
    assert a.plus(NOTHING) == a


@given(ROWS, st.lists(st.sampled_from(Dimension), unique=True))
def test_a_report_neither_loses_nor_invents_a_request(rows: list[Row], dimensions: list[Dimension]) -> None:
    groups = grouped(rows, dimensions)
    assert total(group.numbers for group in groups) == total(each.numbers for each in rows)
    assert len({group.values for group in groups}) == len(groups)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_digest_is_of_the_rows_and_not_of_their_order(rows: list[Row], random: Random) -> None:
    distinct = list({each.key: each for each in rows}.values())
    shuffled = distinct.copy()
    random.shuffle(shuffled)
    assert rows_digest(distinct) == rows_digest(shuffled)


def test_one_request_more_is_another_digest() -> None:
    assert rows_digest([row(1)]) != rows_digest([row(2)])


@given(st.integers(0, 10**7))
def test_a_duration_is_counted_once_under_the_bound_that_it_kept(milliseconds: int) -> None:
    counted = slot(milliseconds)
    assert sum(counted) == 1
    numbers = NOTHING._replace(requests=1, durations=counted)
    bound = numbers.within(1.0)
    assert bound == next((each for each in BOUNDS if milliseconds <= each), None)


def test_a_share_of_the_requests_kept_its_bound() -> None:
    numbers = total(NOTHING._replace(requests=1, durations=slot(each)) for each in (10, 10, 10, 700))
    assert (numbers.within(0.5), numbers.within(0.95)) == (50, 1000)


def test_refusals_are_those_of_the_gateway() -> None:
    (group,) = grouped([row(2, outcome=each) for each in Outcome], [])
    assert group.refused == 2 * len(REFUSED)
    assert group.served.requests == 2
