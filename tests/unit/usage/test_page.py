"""Pages between a tenant's pod and the operator."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.usage.page import MOST_BYTES, MOST_ROWS, Page, PageError, decode, encode, make_cursor, sequence_of
from tests.usage_samples import HOUR_OF_IT, INSTANCE, OTHER, page, row


def _decoded(body: bytes) -> Page:
    return decode(body, tenant="acme", until=HOUR_OF_IT + 10)


def test_a_page_is_read_as_it_was_written() -> None:
    sent = page(7, row(3), row(1, namespace=""), more=True)
    assert _decoded(encode(sent)) == sent


Change = Callable[[dict[str, Any]], None]


def _with(place: int, value: Any) -> Change:
    def change(fields: dict[str, Any]) -> None:
        fields["rows"][0][place] = value

    return change


def _set(name: str, value: Any) -> Change:
    return lambda fields: fields.__setitem__(name, value)


REFUSED: dict[str, Change] = {
    "an hour to come": _with(0, HOUR_OF_IT + 3600),
    "no hour": _with(0, HOUR_OF_IT + 1),
    "an hour with a fraction": _with(0, float(HOUR_OF_IT)),
    "somebody else's namespace": _with(1, "globex-dev"),
    "a namespace of no tenant": _with(1, "kube-system"),
    "a name too long": _with(2, "x" * 254),
    "a name with a control character": _with(2, "a\x1b[31m"),
    "no name": _with(3, None),
    "an outcome that we do not know": _with(5, "Stolen"),
    "a negative number": _with(6, -1),
    "a number beyond what is exact": _with(6, 2**53),
    "a truth for a number": _with(6, True),
    "another version": _set("version", 2),
    "no instance": _set("instance", "../../etc"),
    "too many rows": lambda fields: fields.__setitem__("rows", fields["rows"] * (MOST_ROWS + 1)),
    "a short row": lambda fields: fields["rows"][0].pop(),
    "rows that are none": _set("rows", 7),
    "no cursor": lambda fields: fields.pop("cursor"),
    "a cursor that is none": _set("cursor", 7),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_what_a_pod_may_not_say_is_refused(change: Change) -> None:
    """Whole, so that nothing of a page is kept that lies in one place."""
    fields = json.loads(encode(page(7, row(3))))
    assert _decoded(json.dumps(fields).encode()).rows
    change(fields)
    with pytest.raises(PageError):
        _decoded(json.dumps(fields).encode())


def test_a_page_that_is_too_large_is_not_even_read() -> None:
    with pytest.raises(PageError, match="the most are"):
        _decoded(b" " * (MOST_BYTES + 1))


def test_a_full_page_is_not_too_large() -> None:
    """With the longest of names."""
    longest = row(2**40, namespace="acme-" + "n" * 58, account="a" * 253, route="r" * 40)
    assert len(encode(page(7, *[longest] * MOST_ROWS))) < MOST_BYTES


@given(
    st.binary()
    | st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["version", "instance", "cursor", "more", "rows", "x"]), inner)
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_whatever_a_pod_answers_is_a_page_or_refused(body: bytes) -> None:
    try:
        _decoded(body)
    except PageError:
        return


def test_only_the_collector_that_made_a_cursor_goes_on_from_it() -> None:
    assert sequence_of(make_cursor(INSTANCE, 41), INSTANCE) == 41
    for cursor in (make_cursor(OTHER, 41), "", "41", f"{INSTANCE}.", f"{INSTANCE}.-1", f"{INSTANCE}.{10**20}", "x.y"):
        assert sequence_of(cursor, INSTANCE) == 0
