"""Manifests in YAML or JSON as kubectl reads them, with the line of every field.

Law: a text means here what it means to kubectl (`on` is true, 12:30 and a date are strings), except that kubectl
drops duplicate keys silently and this says where they are.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import yaml

_MOST_NODES: Final = 200_000  # after aliases are expanded; etcd takes 1.5 MB
_TAG: Final = "tag:yaml.org,2002:"
_NULL: Final = _TAG + "null"

# The scalars of kubectl's parser: no dates, no base 60, exponents without a sign. The last column are first letters.
_SCALARS: Final = (
    ("bool", "y|Y|yes|Yes|YES|on|On|ON|true|True|TRUE|n|N|no|No|NO|off|Off|OFF|false|False|FALSE", [*"yYoOtTnNfF"]),
    ("int", "[-+]?(0b[01_]+|0o?[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)", [*"-+0123456789"]),
    ("float", "[-+]?([.][0-9]+|[0-9]+([.][0-9]*)?)([eE][-+]?[0-9]+)?", [*"-+.0123456789"]),
    ("null", "~|null|Null|NULL|", [*"~nN", ""]),
    ("merge", "<<", ["<"]),
)


class _Loader(yaml.SafeLoader):
    """PyYAML with the scalars of kubectl's parser."""

    def close(self) -> None:
        """Let go of the parser's state."""
        self.dispose()

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own protocol: a table for each class
    bool_values: ClassVar[dict[str, bool]] = {**yaml.SafeLoader.bool_values, "y": True, "n": False}


for _name, _pattern, _letters in _SCALARS:
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"^({_pattern})$"), _letters)


@dataclass(frozen=True, slots=True)
class Fault:
    """What makes a text no manifest, or makes it mean something else than it seems to."""

    line: int
    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file. ``lines`` has the line of each field by its path: ``spec.providers[0].name``."""

    value: Any
    line: int
    lines: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    def line_of(self, path: str) -> int:
        """The line of the field, or of the nearest one above it that is there."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, self.line)


def documents(text: str) -> Iterator[Document]:
    """The documents of ``text``, without empty ones; the last one is a fault where the text is not YAML."""
    try:
        with closing(_Loader(text)) as loader:
            while loader.check_node():
                node = loader.get_node()
                if node is not None and node.tag != _NULL:
                    yield _document(loader, node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        yield Document(None, line, faults=(Fault(line, "", f"not YAML: {error.problem or error.context}"),))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        yield Document(None, 1, faults=(Fault(1, "", f"not YAML: {error}"),))


def _document(loader: _Loader, node: yaml.Node) -> Document:
    line = node.start_mark.line + 1
    if _size(node, {}) > _MOST_NODES:
        return Document(None, line, faults=(Fault(line, "", "aliases make it endless, or too large for Kubernetes"),))
    lines: dict[str, int] = {}
    faults = tuple(_walk(node, "", lines, set()))
    return Document(_with_text_keys(loader.construct_document(node)), line, lines, faults)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        yield from (value for _, value in node.value)


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many nodes it is with aliases expanded; a node inside itself counts as too many."""
    if id(node) not in known:
        known[id(node)] = _MOST_NODES + 1
        known[id(node)] = 1 + sum(_size(child, known) for child in _children(node))
    return known[id(node)]


def _walk(node: yaml.Node, path: str, lines: dict[str, int], seen: set[int]) -> Iterator[Fault]:
    """Note the line of every field and give the duplicate keys; what an alias repeats is looked at once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[f"{path}[{index}]"] = item.start_mark.line + 1
            yield from _walk(item, f"{path}[{index}]", lines, seen)
    elif isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            line, name = key.start_mark.line + 1, str(key.value)
            below = f"{path}.{name}" if path else name
            if name in first and name != "<<":
                yield Fault(
                    line, below, f"is there already, on line {first[name]}; kubectl would take the last one silently"
                )
            first.setdefault(name, line)
            lines[below] = line
            yield from _walk(value, below, lines, seen)


def _with_text_keys(value: Any) -> Any:
    """The same as JSON: keys are texts, 1.0 is 1 as in kubectl's conversion."""
    if isinstance(value, dict):
        return {_key(key): _with_text_keys(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_with_text_keys(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)
