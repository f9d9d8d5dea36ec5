"""What is read of a line, and what never is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.gateway.access_log import FIELDS
from ringfence.usage.line import UnreadableLineError, read_line
from ringfence.usage.outcome import Outcome
from ringfence.usage.page import decode, encode
from ringfence.usage.tally import Key, Numbers, slot
from tests.usage_samples import HOUR_OF_IT, line, page

CANARY = "canary-prompt-7f3a"


def test_a_served_request_counts_for_who_asked_and_what_it_took() -> None:
    found = read_line(line())
    assert found
    assert found.key == Key(HOUR_OF_IT, "acme-dev", "chat-ui", "chat", "openai", Outcome.SERVED)
    assert found.numbers == Numbers(1, 0, 9, 12, 21, 69, 265, 120, slot(120))


def test_every_field_that_is_read_is_one_that_the_gateway_writes() -> None:
    """The samples have the same names, so that a renamed field is noticed here and not in a bill."""
    assert set(json.loads(line())) <= set(FIELDS)


def test_a_request_counts_in_the_hour_in_which_its_answer_ended() -> None:
    """So an hour that is over stays as it is, however long an answer takes."""
    begun = read_line(line(ts="2026-11-22T19:59:59.900Z", duration_ms=99))
    later = read_line(line(ts="2026-11-22T19:59:59.900Z", duration_ms=100))
    assert begun
    assert later
    assert (begun.key.hour, later.key.hour) == (HOUR_OF_IT, HOUR_OF_IT + 3600)


@pytest.mark.parametrize("kind", [int, float])
def test_tokens_are_read_with_and_without_a_fraction(kind: type) -> None:
    found = read_line(line(prompt_tokens=kind(9), completion_tokens=kind(12), total_tokens=None))
    assert found
    assert found.numbers[2:5] == (9, 12, 21)


@pytest.mark.parametrize("told", [-1, 1e300, 10**12, "9", True, None, [9]], ids=str)
def test_what_is_no_number_of_tokens_counts_as_not_told(told: Any) -> None:
    """Providers are somebody else's: a number of theirs can't break our sums."""
    allowed = read_line(line(prompt_tokens=None, completion_tokens=None, total_tokens=9))
    assert allowed
    assert (allowed.numbers.total_tokens, allowed.numbers.unmetered) == (9, 0)
    found = read_line(line(prompt_tokens=None, completion_tokens=None, total_tokens=told))
    assert found
    assert (found.numbers.total_tokens, found.numbers.unmetered) == (0, 1)


def test_a_refusal_is_no_unmetered_answer() -> None:
    found = read_line(line(status=403, details="direct_response", prompt_tokens=None, total_tokens=None))
    assert found
    assert found.numbers.unmetered == 0


def test_a_refusal_counts_for_no_provider_though_the_route_had_one() -> None:
    asked, refused = read_line(line()), read_line(line(status=413, details="request_payload_too_large", attempts=0))
    assert asked
    assert refused
    assert (asked.key.provider, refused.key.provider) == ("openai", "")


@pytest.mark.parametrize("stranger", ["globex-dev", "globex", "kube-system", "acmeco-dev"])
def test_a_strangers_request_counts_for_nobody_known(stranger: str) -> None:
    """His token may be good: he is refused all the same, and his name would be refused with the whole page."""
    ours, theirs = (
        read_line(line(namespace=namespace, status=403, details="direct_response"))
        for namespace in ("acme-dev", stranger)
    )
    assert ours
    assert theirs
    assert (ours.key.namespace, ours.key.account) == ("acme-dev", "chat-ui")
    assert (theirs.key.namespace, theirs.key.account) == ("", "")
    assert decode(encode(page(1, theirs)), tenant="acme", until=HOUR_OF_IT).rows == (theirs,)


def test_the_operators_own_probes_are_nobodys_usage() -> None:
    assert read_line(line()) is not None
    assert read_line(line(namespace="ringfence-system", service_account="ringfence-probe")) is None


@pytest.mark.parametrize("field", ["refused_model", "model", "details", "flags", "request_id"])
def test_no_text_of_a_caller_is_kept(field: str) -> None:
    """Whatever a client may write into a line is not among what is counted by."""
    found = read_line(line(**{field: CANARY}))
    assert found
    assert CANARY not in repr(found)


@pytest.mark.parametrize("field", ["namespace", "service_account", "route", "upstream"])
@pytest.mark.parametrize("value", ["a b", "A", "x" * 254, "a\nb", 7, {"a": 1}, "é"], ids=repr)
def test_what_is_no_name_counts_for_nobody(field: str, value: Any) -> None:
    found = read_line(line(**{field: value}))
    assert found
    assert "" in found.key[1:5]


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"null", b"\0" * 9, line()[:-5], line() + line(), line(ts=None), line(ts="today"), line(ts=7)],
    ids=lambda text: repr(text[:12]),
)
def test_a_line_that_cannot_be_read_is_refused_without_showing_it(text: bytes) -> None:
    with pytest.raises(UnreadableLineError) as refused:
        read_line(text)
    assert str(refused.value) == "not a line of the access log"
    assert refused.value.__cause__ is None


@given(
    st.binary(max_size=200)
    | st.dictionaries(st.sampled_from(sorted(FIELDS)), st.text() | st.floats()).map(
        lambda fields: json.dumps(fields).encode()
    )
)
def test_nothing_that_is_written_breaks_the_reader(text: bytes) -> None:
    """Every line is counted, passed by or refused; there is no fourth way."""
    try:
        read_line(text)
    except UnreadableLineError:
        return
