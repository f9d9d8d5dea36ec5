"""Random objects for the question "do the API server and the model agree?": mostly good ones, with a few edits.

Law: an edit puts something at a random place of a complete object: a value that the schema allows there, or one
that it hardly does (the wrong type, one too long, a twin, null, a text that only one of two judges might take).
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from hypothesis import strategies as st

from ringfence.model.crd import object_schema
from ringfence.model.registry import DEFINITIONS
from tests.objects import Object, complete, kinds

Path = tuple[str | int, ...]

# Texts that two judges may well take differently.
TRICKY: Final = (
    *(
        "",
        " ",
        "a",
        "A",
        "a\n",
        "\n",
        "\x00",
        "\x7f",
        "\u00a0",
        "\u00e9",
        "e\u0301",
        "\u0130",
        "\u2028",
        "\U0001f512",
        "\u0661",
    ),
    *(
        "0",
        "1",
        "-1",
        "+1",
        "1.",
        ".1",
        "1.5",
        "1e3",
        "1E",
        "1e",
        "1E3",
        "1e-3",
        "1e400",
        "1e99",
        "1e-99",
        "0x10",
        "1_000",
        "Ki",
    ),
    *("1Gi", "1gi", "1 Gi", "2Ei", "1Ei", "1152921504606846977", "9223372036854775808", "0.1n", "100m", "1.5Gi", "00"),
    *("0d", "1d", "10m", "9m", "366d", "365d", "999999d", "1000000s", "1d ", "183d", "182d", "4391h", "4392h"),
    *("10.0.0.0/8", "10.0.0.1/8", "10.0.0.0", "0.0.0.0/0", "::/0", "::ffff:1.2.3.0/120", "::ffff:0:0/96", "1::/16"),
    *(
        "169.254.169.254/32",
        "203.0.113.0/24",
        "203.0.113.0/024",
        "2001:DB8::/32",
        "2001:db8::1.2.3.4/128",
        "fe80::%1/64",
    ),
    *(
        "1.2.3.4",
        "1.2.3.4.example",
        "localhost",
        "a.local",
        "local.example",
        "a.svc.example",
        "metadata.example",
        "xn--a.example",
    ),
    *(
        "a.example",
        "a.example.",
        "*.a.example",
        "a..example",
        "-a.example",
        "a.e1",
        "a.1e",
        "https://a.example",
        "https://a.example/",
    ),
    *(
        "https://a.example/b/",
        "https://a.example//",
        "https://a.example:443/",
        "https://u@a.example/",
        "/",
        "/a",
        "/a/",
        "//",
        "/..",
        "/a..b",
    ),
    *(
        "system:masters",
        "system:",
        "oidc:a",
        "model-a",
        "model-",
        "acme/",
        "acme/x",
        "acme//",
        "/acme/",
        "../",
        "a/../b",
    ),
    *(
        "2026-11-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-01T24:00:00Z",
        "2026-11-01T00:00:00+01:00",
        "2026-11-01t00:00:00z",
    ),
    *("2026-11-01T00:00:00.5Z", "2026-11-01", "0000-01-01T00:00:00Z", "1900-02-29T00:00:00Z", "2026-13-01T00:00:00Z"),
    *("* * * * *", "0 0 * * 7", "0 0 * * 8", "*/0 * * * *", "5-1 * * * *", "0  0 * * *", "@daily", "00 00 01 01 0"),
    *(
        "dev",
        "prod",
        "a--b",
        "a-",
        "restricted",
        "Never",
        "Objects",
        "External",
        "Lineage",
        "rev-01234567",
        "rev-0123456G",
    ),
    *(
        "kubernetes.io/a",
        "a/b/c",
        "ringfence.dev/x",
        "a" * 63 + "/a",
        "a" * 64,
        "requests.cpu",
        "requests.a.example/b",
        "count/a.b",
    ),
)
_INTEGERS: Final = (-1, 0, 1, 53, 65535, 65536, 2**31 - 1, 2**31, 2**53 + 1, 2**60, 2**60 + 1, 2**63 - 1)
_JUNK: Final[tuple[Any, ...]] = (
    None,
    True,
    False,
    1.5,
    1.0,
    -0.0,
    [],
    {},
    [None],
    [[]],
    {"": ""},
    ["a"],
    {"a": "b"},
    [{}],
)


def _walk(value: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, part in steps:
        yield from _walk(part, (*path, step))


def _texts(schema: Object) -> st.SearchStrategy[str]:
    longest = schema.get("maxLength", 64)
    choices = [st.sampled_from(TRICKY), st.sampled_from(["a" * longest, "a" * (longest + 1), "\u00e9" * longest])]
    if "pattern" in schema:
        choices.append(st.from_regex(schema["pattern"], fullmatch=True))
    return st.one_of(choices)


def values(schema: Object) -> st.SearchStrategy[Any]:
    """Values that the schema's types allow; its rules and sometimes its bounds may not."""
    if "enum" in schema:
        return st.sampled_from([*schema["enum"], schema["enum"][0].lower()])
    if "x-kubernetes-int-or-string" in schema:
        return st.one_of(st.sampled_from(TRICKY), st.sampled_from(_INTEGERS), st.integers(0, 2**61))
    return _BY_TYPE[schema["type"]](schema)


def _mappings(schema: Object) -> st.SearchStrategy[Object]:
    if "properties" not in schema:
        keys = st.sampled_from([text for text in TRICKY if text.isascii()])
        return st.dictionaries(keys, values(schema["additionalProperties"]), max_size=3)
    parts = {name: values(part) for name, part in schema["properties"].items()}
    required = {name: parts.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(required, optional=parts)


def _lists(schema: Object) -> st.SearchStrategy[list[Any]]:
    items = st.lists(values(schema["items"]), max_size=3)
    return st.one_of(items, items.map(lambda some: some + some[:1]))


def _integers(schema: Object) -> st.SearchStrategy[int]:
    return st.one_of(st.sampled_from(_INTEGERS), st.integers(schema.get("minimum", 0), schema.get("maximum", 9)))


_BY_TYPE: Final[Mapping[str, Callable[[Object], st.SearchStrategy[Any]]]] = {
    "object": _mappings,
    "array": _lists,
    "string": _texts,
    "integer": _integers,
    "boolean": lambda _: st.booleans(),
}


def _schema_at(schema: Object, path: Path) -> Object | None:
    """The schema of the part at ``path``; None where there is none."""
    for step in path:
        below: Object | None = schema.get("items") if isinstance(step, int) else schema.get("properties", {}).get(step)
        below = below or schema.get("additionalProperties")
        if below is None:
            return None
        schema = below
    return schema


def _put(target: Object, path: Path, value: Any) -> None:
    *above, last = path
    part: Any = target
    for step in above:
        part = part[step]
    part[last] = value


_SCHEMAS: Final = {definition.resource.kind: object_schema(definition) for definition in DEFINITIONS}
_NAMES: Final = (
    "acme",
    "a",
    "a1",
    "kube",
    "a-b",
    "a--b",
    "a-",
    "ringfence",
    "default",
    "a" * 30,
    "a" * 31,
    "a" * 41,
    "1a",
)


@st.composite
def _edit(draw: st.DrawFn, original: Object, schema: Object) -> None:
    path = draw(st.sampled_from(list(_walk(original["spec"], ("spec",)))))
    part = _schema_at(schema, path)
    match draw(st.sampled_from(("allowed", "allowed", "allowed", "tricky", "junk", "gone", "added"))):
        case "allowed" if part is not None:
            _put(original, path, draw(values(part)))
        case "added" if part is not None and "properties" in part and isinstance(_at(original, path), dict):
            name = draw(st.sampled_from([*part["properties"], "surplus"]))
            below = part["properties"].get(name)
            _put(original, path, {**_at(original, path), name: draw(values(below)) if below else 1})
        case "gone" if len(path) > 1:
            del _at(original, path[:-1])[path[-1]]
        case "junk":
            _put(original, path, copy.deepcopy(draw(st.sampled_from(_JUNK))))
        case _:
            _put(original, path, draw(st.sampled_from(TRICKY)))


def _at(target: Object, path: Path) -> Any:
    part: Any = target
    for step in path:
        part = part[step]
    return part


@st.composite
def objects(draw: st.DrawFn) -> Object:
    """An object of any kind: a complete one with one to three edits, now and then with another name."""
    kind = draw(st.sampled_from(kinds()))
    result = complete(kind)
    for _ in range(draw(st.integers(1, 3))):
        if isinstance(result.get("spec"), dict) and result["spec"]:
            draw(_edit(result, _SCHEMAS[kind]))
    if draw(st.integers(0, 9)) == 0:
        result["metadata"]["name"] = draw(st.sampled_from(_NAMES))
    return result
