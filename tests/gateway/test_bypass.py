"""The bypass table: what real Envoy refuses, beside what it serves.

Law: no attack reaches a provider, each is refused in words that OpenAI's clients understand, and its twin, which
differs in one thing, is served.
"""

from typing import Final

import pytest

from tests.gateway import rows_body
from tests.gateway.rows import Futile, Row
from tests.gateway.world import World

ROWS: Final[tuple[Row, ...]] = (*rows_body.ROWS,)
FUTILE: Final[tuple[Futile, ...]] = (*rows_body.FUTILE,)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_an_attack_is_refused_and_its_twin_is_served(world: World, row: Row) -> None:
    """By the gateway itself, and for the reason that is meant."""
    assert world.ask(row.twin).status == 200
    assert len(world.received()) == 1
    answer = world.ask(row.attack)
    assert row.refused(answer), f"{answer.status} {answer.body!r} {answer.headers}"
    assert world.received() == []
