"""How requests end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.usage.outcome import Outcome, outcome

UPSTREAM = "via_upstream"
ROWS = (
    (200, "-", UPSTREAM, Outcome.SERVED),
    (200, "-", "direct_response", Outcome.LISTED),
    (401, "-", "jwt_authn_access_denied{Jwt_is_missing}", Outcome.UNIDENTIFIED),
    (401, "-", UPSTREAM, Outcome.REJECTED),
    (403, "-", "direct_response", Outcome.NOT_ALLOWED),
    (403, "-", UPSTREAM, Outcome.REJECTED),
    (429, "RL", "local_rate_limited", Outcome.LIMITED),
    (429, "-", UPSTREAM, Outcome.REJECTED),
    (404, "-", "direct_response", Outcome.INVALID),
    (413, "-", "request_payload_too_large", Outcome.INVALID),
    (408, "-", "request_overall_timeout", Outcome.INVALID),
    (500, "-", UPSTREAM, Outcome.FAILED),
    (503, "UF", "upstream_reset_before_response_started{connection_failure}", Outcome.FAILED),
    (504, "UT", "response_timeout", Outcome.FAILED),
    (200, "UR", "upstream_reset_after_response_started{remote_reset}", Outcome.FAILED),
    (0, "DC", "downstream_remote_disconnect", Outcome.ABANDONED),
    (200, "DC", "downstream_remote_disconnect", Outcome.ABANDONED),
    (503, "UF,DC", "downstream_remote_disconnect", Outcome.ABANDONED),
    (0, "-", "", Outcome.ABANDONED),
)


@pytest.mark.parametrize(("status", "flags", "details", "expected"), ROWS)
def test_who_refused_is_told_apart(status: int, flags: str, details: str, expected: Outcome) -> None:
    """A provider's 429 is not the gateway's, and an answer that broke off was not served."""
    assert outcome(status, flags, details) is expected


def test_the_table_has_every_outcome() -> None:
    """But for that of lines that can't be read."""
    assert {expected for *_, expected in ROWS} == set(Outcome) - {Outcome.UNREAD}


@given(st.integers(0, 999), st.text(max_size=20), st.text(max_size=20))
def test_every_answer_has_one(status: int, flags: str, details: str) -> None:
    assert outcome(status, flags, details) in Outcome
