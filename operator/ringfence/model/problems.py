"""What is wrong with a spec, in words for its writer: the field by its path, and what it must be."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from pydantic import ValidationError

from ringfence.model.definition import Definition
from ringfence.model.structural import Schema, structural_schema
from ringfence.model.subject import Problem

Location = tuple[int | str, ...]

_MOST_PROBLEMS: Final = 20

# Pydantic speaks of its own types; people write YAML.
_MESSAGES: Final[Mapping[str, str]] = {
    "bool_type": "must be true or false",
    "greater_than_equal": "must be {ge} at least",
    "int_type": "must be an integer",
    "less_than_equal": "must be {le} at most",
    "literal_error": "must be {expected}",
    "mapping_type": "must be a map of keys and values",
    "missing": "is required",
    "model_type": "must be an object with fields",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_long": "must have {max_length} characters at most",
    "string_too_short": "must have {min_length} characters at least",
    "string_type": "must be a string",
    "too_long": "must have {max_length} entries at most",
    "too_short": "must have {min_length} entries at least",
    "tuple_type": "must be a list",
}


def problems_of(error: ValidationError, definition: Definition) -> tuple[Problem, ...]:
    """Everything that is wrong, in the order of the kind's fields; the first ones where there is very much."""
    details = error.errors(include_url=False, include_input=False)
    counted_out = {detail["loc"][:-1] for detail in details}
    found = (
        problem
        for detail in details
        # A list is called too short when its items are wrong: what is wrong with them was said.
        if not (detail["type"] == "too_short" and detail["loc"] in counted_out)
        for problem in _problems(detail["type"], detail["loc"], detail.get("ctx", {}), detail["msg"], definition)
    )
    return tuple(found)[:_MOST_PROBLEMS]


def unknown_field(path: str, name: object, known: Iterable[str]) -> Problem:
    """The problem of a field that does not exist, with what its writer probably meant."""
    close = difflib.get_close_matches(str(name), list(known), n=1)
    return Problem(path, "is no such field" + (f"; did you mean {close[0]}?" if close else ""))


def field_path(location: Location) -> str:
    """The path below ``spec`` as Kubernetes writes it: ``spec.providers[0].endpoint.host``."""
    return "spec" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)


def _problems(
    kind: str, location: Location, context: Mapping[str, Any], fallback: str, definition: Definition
) -> Iterator[Problem]:
    path = field_path(location)
    if kind == "rules":
        yield from (Problem(path + field, message) for field, message in context["rules"])
    elif kind == "extra_forbidden":
        yield unknown_field(path, location[-1], _siblings(definition, location))
    elif kind in _MESSAGES:
        yield Problem(path, _MESSAGES[kind].format(**context))
    else:
        yield Problem(path, fallback)


def _siblings(definition: Definition, location: Location) -> Iterable[str]:
    """The fields that there are where an unknown one was found."""
    schema = _schema(definition)
    for step in location[:-1]:
        below = schema.get("items") if isinstance(step, int) else schema.get("properties", {}).get(step)
        schema = below or schema.get("additionalProperties", {})
    return tuple(schema.get("properties", ()))


@cache
def _schema(definition: Definition) -> Schema:
    return structural_schema(definition.spec)
