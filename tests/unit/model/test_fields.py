"""The types of single fields."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from ringfence.model.addresses import network
from ringfence.model.fields import Duration, Schedule, Timestamp
from ringfence.model.principals import Principal


@pytest.mark.parametrize(("text", "seconds"), [("15s", 15), ("10m", 600), ("24h", 86400), ("90d", 7_776_000)])
def test_a_duration_has_its_seconds(text: str, seconds: int) -> None:
    """And stays the text that was written."""
    assert (Duration(text).seconds, Duration(text)) == (seconds, text)


@pytest.mark.parametrize("text", ["", "0s", "1", "1w", "1h30m", "-1s", "1s\n", "1000000s", "\uff11s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """A span that somebody guesses is a key that lives too long."""
    with pytest.raises(ValueError, match="not a duration"):
        Duration(text)


def test_a_timestamp_is_a_moment_in_utc() -> None:
    """Planners compare it with their own clock's data."""
    moment = TypeAdapter(Timestamp).validate_json('"2026-11-01T12:30:00Z"')
    assert moment == datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["17 3 * * *", "*/5 1-5,7 * * 0", "0 22-2 1 12 7"])
def test_a_schedule_is_a_cron_line(text: str) -> None:
    """Five fields, in their ranges."""
    assert TypeAdapter[Any](Schedule).validate_python(text) == text


@pytest.mark.parametrize(
    "text", ["203.0.113.0", "203.0.113.1/24", "::ffff:1.2.3.0/120", "1.2.3.4/33", "a/8", "10.0.0.0/08"]
)
def test_what_only_one_judge_takes_for_a_network_is_none(text: str) -> None:
    """Python's parser is more generous than Go's."""
    assert network(text) is None


def test_models_are_frozen_and_take_python_names() -> None:
    """Tests and planners build specs without aliases; nobody changes one."""
    principal = Principal(group="oidc:acme")
    with pytest.raises(ValidationError, match="frozen"):
        principal.group = "oidc:globex"  # type: ignore[misc]
