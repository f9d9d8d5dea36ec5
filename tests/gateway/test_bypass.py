"""The bypass table: what real Envoy refuses, beside what it serves.

Law: no attack reaches a provider, each is refused in words that OpenAI's clients understand, and its twin, which
differs in one thing, is served.
"""

from collections.abc import Sequence

import pytest

from tests.gateway import rows_body, rows_fields, rows_identity, rows_proxies
from tests.gateway.judging import must_ignore, must_refuse
from tests.gateway.rows import Futile, Row
from tests.gateway.table import FUTILE, ROWS
from tests.gateway.world import World


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_an_attack_is_refused_and_its_twin_is_served(world: World, row: Row) -> None:
    """By the gateway itself, for the reason that is meant, once, and in the API's own words."""
    must_refuse(world, row)


@pytest.mark.parametrize("row", FUTILE, ids=lambda row: row.title)
def test_a_trick_changes_nothing_of_what_a_provider_is_sent(world: World, row: Futile) -> None:
    """Neither where it goes to, nor its path, nor a header, nor a byte of the body."""
    must_ignore(world, row)


def test_no_two_rows_send_the_same() -> None:
    """A row that repeats another one proves nothing."""
    rows: tuple[Row | Futile, ...] = (*ROWS, *FUTILE, *rows_proxies.ROWS, *rows_proxies.FUTILE)
    assert _twice([row.title for row in rows]) == []
    assert _twice([row.attack for row in rows]) == []


def _twice(found: Sequence[object]) -> list[object]:
    return [each for index, each in enumerate(found) if each in found[:index]]


def test_what_was_refused_stands_in_the_log_in_few_letters(world: World) -> None:
    """A client chooses what it asks for, and not how much of it is kept."""
    (longest,) = [row for row in rows_body.MODELS if row.title == "so long that it fills the headers"]
    _, line = world.logged(longest.attack)
    assert len(str(line["refused_model"])) == 64


def test_the_name_of_a_field_is_told_to_who_wrote_it_and_to_nobody_else(world: World) -> None:
    """The log says that a field was refused, and for whom."""
    answer, line = world.logged(rows_fields.asked(canary=True))
    assert answer.json["error"]["param"] == "canary"
    assert "[field]" in str(line["details"])
    assert "canary" not in str(line)


def test_a_stranger_leaves_no_line_with_a_name(world: World) -> None:
    """What a token claims is nothing, until it is verified."""
    forged = next(row for row in rows_identity.TOKEN_ROWS if row.title == "signed by a stranger under the same name")
    _, line = world.logged(forged.attack)
    assert not {"namespace", "service_account"} & set(line)
