"""Each part of the chain matters: without it either an attack gets through, or nobody is served.

Law: a filter that nothing is lost without proves nothing, and a row that is refused without its filter tests another.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import orjson
import pytest

from ringfence.gateway.files import configuration
from tests.gateway.asking import Request
from tests.gateway.rows import Row
from tests.gateway.table import ROWS
from tests.gateway.world import World
from tests.waiting import eventually

Manager = dict[str, Any]
Edit = Callable[[Manager], object]

OPENS: Final = {
    "envoy.filters.http.jwt_authn": "signed by a stranger under the same name",
    "ringfence.admitted": "a key from another place",
    "ringfence.size": "a byte too many, in chunks",
    "ringfence.agreement": "a second model in capitals",
    "ringfence.route-size": "a byte too many for the route",
}
"""The attack that each filter is there for."""
CLOSES: Final = {"ringfence.caller", "ringfence.wanted", "ringfence.reading"}
"""Without these nobody is served."""
SEEN_ELSEWHERE: Final = {
    "ringfence.numbered": "test_serving: a line of the log is found by its number",
    "ringfence.route-limit": "test_limits",
    "ringfence.usage": "test_serving: tokens of an answer",
    "ringfence.streamed": "test_serving: tokens of a stream",
    "envoy.filters.http.router": "without it Envoy takes no configuration",
}
SETTINGS: Final[dict[str, tuple[Edit, str]]] = {
    "headers are taken off first": (
        lambda manager: manager.pop("early_header_mutation_extensions"),
        "the model in a header alone, and where it stands",
    ),
    "escaped slashes": (
        lambda manager: manager.pop("path_with_escaped_slashes_action"),
        "a slash, encoded",
    ),
    "underscores": (
        lambda manager: manager["common_http_protocol_options"].pop("headers_with_underscores_action"),
        "a header with an underscore",
    ),
    "the size of headers": (lambda manager: manager.pop("max_request_headers_kb"), "headers of too many bytes"),
    "the words of refusals": (lambda manager: manager.pop("local_reply_config"), "no token"),
}


@contextmanager
def edited(world: World, edit: Edit) -> Iterator[None]:
    """Serve the listener with one thing changed."""
    files = configuration(world.gateway).files
    whole = orjson.loads(files["lds.json"])
    (http,) = whole["resources"][0]["filter_chains"][0]["filters"]
    before = copy.deepcopy(http["typed_config"])
    edit(http["typed_config"])
    assert http["typed_config"] != before
    taken = _taken(world)
    world.pod.mount({**files, "lds.json": orjson.dumps(whole)})
    eventually(lambda: _taken(world) > taken)
    yield
    world.serve(world.gateway)


def _taken(world: World) -> int:
    return world.pod.counters("listener_manager.lds.update_success")["listener_manager.lds.update_success"]


def without(name: str) -> Edit:
    """A chain without one filter."""

    def edit(manager: Manager) -> None:
        manager["http_filters"] = [each for each in manager["http_filters"] if each["name"] != name]

    return edit


def row(title: str) -> Row:
    (found,) = [each for each in ROWS if each.title == title]
    return found


@pytest.mark.parametrize(("name", "title"), OPENS.items())
def test_without_a_filter_its_attack_is_not_refused_any_more(world: World, name: str, title: str) -> None:
    """And with it, it is."""
    attack = row(title)
    assert attack.refused(world.ask(attack.attack))
    with edited(world, without(name)):
        assert not attack.refused(world.ask(attack.attack))


@pytest.mark.parametrize(("edit", "title"), SETTINGS.values(), ids=SETTINGS)
def test_without_a_setting_its_attack_is_not_refused_any_more(world: World, edit: Edit, title: str) -> None:
    """And with it, it is."""
    attack = row(title)
    assert attack.refused(world.ask(attack.attack))
    with edited(world, edit):
        assert not attack.refused(world.ask(attack.attack))


@pytest.mark.parametrize("name", sorted(CLOSES))
def test_without_what_decides_nobody_is_served(world: World, name: str) -> None:
    """What is missing is no permission."""
    world.received()
    with edited(world, without(name)):
        assert world.ask(Request()).status in {400, 401, 403}
        assert world.received() == []


def test_every_filter_is_judged(world: World) -> None:
    """One that is added has to say what it is for."""
    listeners = orjson.loads(configuration(world.gateway).files["lds.json"])
    (http,) = listeners["resources"][0]["filter_chains"][0]["filters"]
    names = {each["name"] for each in http["typed_config"]["http_filters"]}
    assert names == set(OPENS) | CLOSES | set(SEEN_ELSEWHERE)
