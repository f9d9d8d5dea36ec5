"""Manifests as kubectl reads them; its own answers are in `tests/apiserver/test_validate.py`."""

from itertools import pairwise

import pytest

from ringfence.cli.manifests import Document, documents

# Eight aliases of eight aliases, seven times over: 2 million nodes in a few lines.
LAUGHS = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 8)}]\n" for before, name in pairwise("abcdefg")
)


def read(text: str) -> Document:
    (document,) = documents(text)
    return document


def test_every_field_has_its_line() -> None:
    """And what is missing has the line of what it is missing from."""
    document = read("a:\n  b:\n  - c: 1\n    d.e: 2\n")
    assert [document.line_of(path) for path in ("a", "a.b", "a.b[0].c", "a.b[0].d.e")] == [1, 2, 3, 4]
    assert [document.line_of(path) for path in ("a.b[0].x", "a.b[7].c", "a.x", "x")] == [3, 2, 1, 1]


def test_a_duplicate_key_is_a_fault_with_both_lines() -> None:
    """The one mistake that no server ever sees."""
    (fault,) = read("a:\n  b: 1\n  c: 2\n  b: 3\n").faults
    assert (fault.line, fault.path) == (4, "a.b")
    assert "is there already, on line 2" in fault.message


def test_merge_keys_and_aliases_are_expanded() -> None:
    """As kubectl does within one document; two merges are no duplicate."""
    document = read("a: &a {x: 1}\nb: &b {q: 2}\nc: {<<: *a, <<: *b, z: 3}\n")
    assert document.value["c"] == {"x": 1, "q": 2, "z": 3}
    assert document.faults == ()


def test_documents_are_told_apart_and_empty_ones_are_left_out() -> None:
    """A file often begins with a line of dashes."""
    found = list(documents("---\n# nothing\n---\na: 1\n---\n---\nb: 2\n...\n"))
    assert [document.value for document in found] == [{"a": 1}, {"b": 2}]
    assert [document.line for document in found] == [4, 7]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", "not YAML"),
        ("a: 1\n b: 2", "not YAML"),
        ("a: \x00", "not YAML"),
        ("? [a, b]\n: 1", "not YAML"),
        ("a: !!python/object/apply:os.system [id]", "not YAML"),
        ("[" * 1500, "not YAML"),
        ("a: &a [*a]", "aliases make it endless"),
        (LAUGHS, "aliases make it endless"),
    ],
)
def test_what_is_no_manifest_is_a_fault(text: str, why: str) -> None:
    """Nothing is raised, nothing is run, and nothing takes for ever."""
    faults = [fault for document in documents(text) for fault in document.faults]
    assert why in faults[-1].message
