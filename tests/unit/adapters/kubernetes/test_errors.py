"""What an answer of the API server means for whoever asked."""

import pytest

from ringfence.adapters.kubernetes.errors import MESSAGE_LIMIT, from_answer, from_status_object
from ringfence.ports.cluster import (
    ClusterError,
    ConflictError,
    ExpiredError,
    NotFoundError,
    NotJudgedError,
    RefusedError,
    ThrottledError,
    UnauthorizedError,
    UnreachableError,
)

STATUS = b'{"kind":"Status","message":"no","details":{"retryAfterSeconds":7}}'


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RefusedError),
        (401, UnauthorizedError),
        (403, RefusedError),
        (404, NotFoundError),
        (409, ConflictError),
        (410, ExpiredError),
        (422, RefusedError),
        (429, ThrottledError),
        (500, UnreachableError),
        (504, UnreachableError),
    ],
)
def test_each_status_says_what_to_do_next(status: int, kind: type[ClusterError]) -> None:
    """Wait, look again, list anew or give up: one error each, with the server's words."""
    error = from_answer(status, STATUS, {})
    assert type(error) is kind
    assert (error.message, error.status) == ("no", status)


@pytest.mark.parametrize("what", ["policy", "binding"])
def test_a_policy_that_could_not_be_asked_yet_is_no_denial(what: str) -> None:
    """The API server uses one status for both; only its words tell them apart."""
    words = f"denied request: failed to configure {what}: failed to find resource referenced by paramKind"
    error = from_answer(403, STATUS.replace(b"no", words.encode()), {})
    assert type(error) is NotJudgedError
    assert error.message == words


def test_a_watch_too_old_is_told_in_its_stream() -> None:
    """An ERROR line with code 410 means: list anew."""
    assert isinstance(from_status_object({"code": 410, "message": "too old resource version"}), ExpiredError)


def test_the_servers_wish_to_wait_is_heard_wherever_it_is() -> None:
    """In the header first, else in the body; a date is no number of seconds."""
    assert from_answer(429, STATUS, {"Retry-After": "3"}).retry_after == 3
    assert from_answer(429, STATUS, {}).retry_after == 7
    assert from_answer(429, b"{}", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}).retry_after is None


@pytest.mark.parametrize("body", [b"", b"plain words", b"[1]", b"\xff\xfe"])
def test_an_answer_that_is_no_status_object_still_has_a_message(body: bytes) -> None:
    """A proxy in between may say anything."""
    assert from_answer(502, body, {}).message


def test_a_message_is_bounded() -> None:
    """Some of them repeat the whole object."""
    assert len(from_answer(422, b'{"message":"' + b"x" * 9000 + b'"}', {}).message) == MESSAGE_LIMIT
