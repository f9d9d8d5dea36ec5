"""Where a key is used from: told by the connection, or by a proxy whose own network is trusted, and by nobody else."""

from dataclasses import replace
from typing import Final

import pytest

from tests.gateway import rows_http, rows_identity, rows_wire
from tests.gateway.asking import Request
from tests.gateway.judging import must_ignore, must_refuse
from tests.gateway.rows import Futile, Row
from tests.gateway.rows_proxies import FUTILE, PROXIES, ROWS, SIX
from tests.gateway.world import World

_CANARY: Final = "c0ffee00-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def behind(world: World) -> World:
    """The tenant acme with its gateway, where proxies are trusted."""
    callers = world.gateway.callers
    development = replace(callers["acme-dev"], keys=(*callers["acme-dev"].keys, SIX))
    world.serve(replace(world.gateway, trusted_proxies=PROXIES, callers={**callers, "acme-dev": development}))
    world.received()
    return world


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_a_claim_of_another_place_is_refused_and_its_twin_is_served(behind: World, row: Row) -> None:
    """Pods claim what they like; a trusted proxy is believed to the last address that is no proxy's."""
    must_refuse(behind, row)


@pytest.mark.parametrize("row", rows_identity.KEY_ROWS, ids=lambda row: row.title)
def test_what_is_refused_of_keys_without_proxies_is_refused_with_them(behind: World, row: Row) -> None:
    """For whoever connects by himself nothing is different."""
    must_refuse(behind, row)


@pytest.mark.parametrize("row", [*FUTILE, *rows_http.FUTILE, *rows_wire.FUTILE], ids=lambda row: row.title)
def test_a_trick_changes_nothing_where_proxies_are_trusted(behind: World, row: Futile) -> None:
    """Neither who is believed, nor what a provider is sent."""
    must_ignore(behind, row)


def test_no_client_chooses_the_id_of_its_request(behind: World) -> None:
    """Envoy would leave it as it comes, since behind a proxy it takes each request for one that was seen before."""
    answer, line = behind.logged(Request(headers=(("x-request-id", _CANARY),)))
    assert answer.header("x-request-id") == line["request_id"] != _CANARY
