"""What a row of the bypass table must show.

Law: its twin is served first, so that what is refused is refused for what the row is about.
"""

from typing import Final

from tests.gateway.asking import Answer, Attempt
from tests.gateway.provider import Received
from tests.gateway.rows import Futile, Row
from tests.gateway.world import World

ERROR: Final = {"message", "type", "param", "code"}
"""What an error of the OpenAI API has."""


def must_refuse(world: World, row: Row) -> None:
    """By the gateway itself, for the reason that is meant, once, and in the API's own words."""
    assert served(world, row.twin)
    answer = world.ask(row.attack)
    assert row.refused(answer), answer
    assert world.received() == []
    assert not answer.status or _is_worded(answer), answer
    assert b"HTTP/1.1" not in answer.more, "one request was taken for two"


def must_ignore(world: World, row: Futile) -> None:
    """A provider is sent the same without the trick."""
    assert served(world, row.attack) == served(world, row.twin)


def served(world: World, attempt: Attempt) -> tuple[str, Received]:
    """What some provider was sent of it; fails unless it is answered."""
    answer = world.ask(attempt)
    assert answer.status == 200, answer
    (received,) = world.received()
    return received


def _is_worded(answer: Answer) -> bool:
    """Whether it is an error as OpenAI's clients expect it."""
    return answer.is_json and set(answer.json) == {"error"} and set(answer.json["error"]) >= ERROR
