"""The bypass table: what real Envoy refuses, beside what it serves.

Law: no attack reaches a provider, each is refused in words that OpenAI's clients understand, and its twin, which
differs in one thing, is served.
"""

from collections.abc import Sequence
from typing import Final

import pytest

from tests.gateway import rows_body, rows_identity
from tests.gateway.asking import Answer, Attempt
from tests.gateway.provider import Received
from tests.gateway.rows import Futile, Row
from tests.gateway.table import FUTILE, ROWS
from tests.gateway.world import World

ERROR: Final = {"message", "type", "param", "code"}
"""What an error of the OpenAI API has."""


def served(world: World, attempt: Attempt) -> tuple[str, Received]:
    """What some provider was sent of it; fails unless it is answered."""
    answer = world.ask(attempt)
    assert answer.status == 200, answer
    (received,) = world.received()
    return received


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_an_attack_is_refused_and_its_twin_is_served(world: World, row: Row) -> None:
    """By the gateway itself, for the reason that is meant, once, and in the API's own words."""
    assert served(world, row.twin)
    answer = world.ask(row.attack)
    assert row.refused(answer), answer
    assert world.received() == []
    assert not answer.status or is_worded(answer), answer
    assert b"HTTP/1.1" not in answer.more, "one request was taken for two"


@pytest.mark.parametrize("row", FUTILE, ids=lambda row: row.title)
def test_a_trick_changes_nothing_of_what_a_provider_is_sent(world: World, row: Futile) -> None:
    """Neither where it goes to, nor its path, nor a header, nor a byte of the body."""
    assert served(world, row.attack) == served(world, row.twin)


def is_worded(answer: Answer) -> bool:
    """Whether it is an error as OpenAI's clients expect it."""
    return answer.is_json and set(answer.json) == {"error"} and set(answer.json["error"]) >= ERROR


def test_no_two_rows_send_the_same() -> None:
    """A row that repeats another one proves nothing."""
    rows: tuple[Row | Futile, ...] = (*ROWS, *FUTILE)
    assert _twice([row.title for row in rows]) == []
    assert _twice([row.attack for row in rows]) == []


def _twice(found: Sequence[object]) -> list[object]:
    return [each for index, each in enumerate(found) if each in found[:index]]


def test_what_was_refused_stands_in_the_log_in_few_letters(world: World) -> None:
    """A client chooses what it asks for, and not how much of it is kept."""
    (longest,) = [row for row in rows_body.MODELS if row.title == "so long that it fills the headers"]
    _, line = world.logged(longest.attack)
    assert len(str(line["refused_model"])) == 64


def test_a_stranger_leaves_no_line_with_a_name(world: World) -> None:
    """What a token claims is nothing, until it is verified."""
    forged = next(row for row in rows_identity.TOKEN_ROWS if row.title == "signed by a stranger under the same name")
    _, line = world.logged(forged.attack)
    assert not {"namespace", "service_account"} & set(line)
