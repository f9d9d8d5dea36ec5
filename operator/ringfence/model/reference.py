"""The API reference for people, from the same models as the CRDs."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ringfence.model.crd import object_schema
from ringfence.model.definition import Definition
from ringfence.model.kinds import GROUP, VERSION
from ringfence.model.rules import VALIDATIONS
from ringfence.model.structural import Schema
from ringfence.text import template

_LONGEST_PATTERN: Final = 60

_PAGE: Final = template(__package__, "reference.md.jinja")


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the reference."""

    path: str
    type: str
    meaning: str
    required: bool


def reference_page(definition: Definition) -> str:
    """The Markdown page of the kind."""
    schema, resource = object_schema(definition), definition.resource
    parts = [part for part in ("spec", "status") if part in schema["properties"]]
    return (
        _PAGE.render(
            kind=resource.kind,
            description=_cell(definition.description),
            api_version=f"{GROUP}/{VERSION}",
            plural=resource.plural,
            short_name=definition.short_name,
            scope="in a tenant's home namespace" if resource.namespaced else "cluster-scoped",
            parts=[(part, list(_fields(schema["properties"][part], part, {}))) for part in parts],
            rules=_grouped(_rules(schema, "")),
        ).rstrip()
        + "\n"
    )


def _fields(schema: Schema, path: str, shown: dict[str, str]) -> Iterator[Field]:
    """The rows below ``path``. ``shown``: where the same group of fields was listed before; it is not repeated."""
    required = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        inner, suffix = _element(part)
        below = f"{path}.{name}"
        here = below + suffix
        before = shown.setdefault(repr(inner["properties"]), here) if "properties" in inner else here
        again = before != here
        meaning = part.get("description", "") + (f" Fields as in `{before}`." if again else "")
        yield Field(below, _cell(_type(part)), _cell(meaning), name in required)
        if not again:
            yield from _fields(inner, here, shown)


def _element(schema: Schema) -> tuple[Schema, str]:
    """The schema of what the list, map or object holds, and how its path goes on."""
    if "items" in schema:
        return schema["items"], "[]"
    if "additionalProperties" in schema:
        return schema["additionalProperties"], ".*"
    return schema, ""


def _rules(schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    for rule in schema.get(VALIDATIONS, ()):
        yield path + rule.get("fieldPath", "") or "metadata.name", rule["message"]
    for name, part in schema.get("properties", {}).items():
        yield from _rules(part, f"{path}.{name}")
    inner, suffix = _element(schema)
    if suffix:
        yield from _rules(inner, path + suffix)


def _grouped(rules: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """The rules as rows: each message once, with every place where it holds."""
    places: dict[str, list[str]] = {}
    for where, message in rules:
        places.setdefault(_cell(message), []).append(where.lstrip("."))
    return [(message, sorted(set(where))) for message, where in places.items()]


def _type(schema: Schema) -> str:
    inner, suffix = _element(schema)
    if suffix == "[]":
        words = [f"list of {_type(inner)}", _span(schema, "Items", "items")]
    elif suffix == ".*":
        words = [f"map of {_type(inner)}", _span(schema, "Properties", "keys")]
    elif "x-kubernetes-int-or-string" in schema:
        words = ["quantity"]
    elif "enum" in schema:
        words = [" or ".join(f"`{value}`" for value in schema["enum"])]
    else:
        words = [str(schema.get("format", schema["type"])), _bounds(schema)]
    if "default" in schema:
        words.append(f"default `{_plain(schema['default'])}`")
    return ", ".join(word for word in words if word)


def _bounds(schema: Schema) -> str:
    if schema["type"] == "integer":
        return _span(schema, "imum", "")
    pattern = schema.get("pattern", "")
    shown = f"`{pattern}`" if 0 < len(pattern) <= _LONGEST_PATTERN and "`" not in pattern else ""
    return ", ".join(word for word in (_span(schema, "Length", "characters"), shown) if word)


def _span(schema: Schema, keyword: str, unit: str) -> str:
    least, most = schema.get(f"min{keyword}"), schema.get(f"max{keyword}")
    if most is None:
        return ""
    return (f"{least} to {most} {unit}" if least is not None else f"at most {most} {unit}").rstrip()


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "\\<")
