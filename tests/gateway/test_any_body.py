"""Laws of bodies on the real Envoy: what is written arrives; what is not listed or is read in two ways does not."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.gateway import fields
from tests.gateway.asking import CHAT, HOST, workload
from tests.gateway.world import World

Ask = http.client.HTTPSConnection
_THERE: Final = "gpt-4o"
_WHOLE: Final = '{"messages":[{"role":"user","content":"hello"}],"model":"chat","user":"x"}'
_BETWEEN: Final = (1, _WHOLE.index('"model"'), _WHOLE.index('"user":'))
"""Where another key may stand, and be one of the outermost object."""

texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | texts
)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=8)
names = st.sampled_from(sorted(fields.ALLOWED - {"model", "store", "stream_options", "tools"}))
layouts = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: ")])
members = st.sampled_from(
    [
        '"MODEL":"nope",',
        '"Model":"nope",',
        '"\\u006dodel":"nope",',
        "'model':'nope',",
        'model:"nope",',
        '"model":"nope",',
        '"models":["nope"],',
        '"store":true,',
        '"Stream":true,',
        '"\\u0073tore":true,',
        '"tools":[{"type":"web_search"}],',
        '"x":1,',
    ]
)
debris = st.sampled_from(
    [
        *"\"\\{}[],:'/*# \n\0\ufeff1-e",
        "null",
        '"model"',
        '\\"',
        "\\u0022",
        "/*",
        "*/",
        "//",
        '"x":{',
        '"x":[',
        "},",
        "],",
    ]
)
places = st.sampled_from(_BETWEEN) | st.integers(0, len(_WHOLE))
edits = st.lists(st.tuples(places, st.sampled_from([0, 0, 1, 3]), members | debris), min_size=1, max_size=3)


@pytest.fixture(scope="module")
def connection(world: World) -> Iterator[Ask]:
    """One that is kept: it is opened anew where the gateway closes it."""
    with closing(Ask(HOST, world.door.port, context=world.door.tls, timeout=20)) as found:
        yield found


def sent_on(world: World, connection: Ask, content: bytes) -> bytes | None:
    """What the provider is sent; None where the gateway refuses it."""
    headers = {"authorization": f"Bearer {workload(world.door.signers)}", "content-type": "application/json"}
    connection.request("POST", CHAT, content, headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status in {200, 400, 403}
    received = world.received()
    assert len(received) <= 1
    return received[0][1].body if received else None


@st.composite
def documents(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A request as somebody writes it, and as it is to arrive: another value of its model, and no other byte."""
    items = list(draw(st.dictionaries(names, values, max_size=5)).items())
    place, separators, ascii_only = draw(st.integers(0, len(items))), draw(layouts), draw(st.booleans())

    def written(model: str) -> bytes:
        whole = dict([*items[:place], ("model", model), *items[place:]])
        return json.dumps(whole, separators=separators, ensure_ascii=ascii_only).encode()

    return written("chat"), written(_THERE)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents())
def test_whatever_a_client_writes_arrives_to_the_byte(
    world: World, connection: Ask, document: tuple[bytes, bytes]
) -> None:
    """Wherever its model stands, and however it is laid out."""
    written, expected = document
    assert sent_on(world, connection, written) == expected


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits)
def test_no_provider_sees_another_model_than_the_gateway_or_another_field(
    world: World, connection: Ask, edited: list[tuple[int, int, str]]
) -> None:
    """However a body is mangled: whoever reads what arrives, by the first key or the last, in any letters, sees one."""
    text = _WHOLE
    for at, removed, added in edited:
        text = text[:at] + added + text[at + removed :]
    arrived = sent_on(world, connection, text.encode())
    if arrived is not None:
        members = _members(arrived)
        assert {value for key, value in members if key.lower() == "model"} <= {_THERE}
        assert {key for key, _ in members} <= fields.ALLOWED
        assert not any(value for key, value in members if key in {"store", "tools"})


def _members(content: bytes) -> list[tuple[str, object]]:
    """Every field that somebody may read in it; none where it is no JSON: then nobody does."""
    try:
        members: list[tuple[str, object]] = json.loads(content, object_pairs_hook=list)
    except ValueError:
        return []
    return members
