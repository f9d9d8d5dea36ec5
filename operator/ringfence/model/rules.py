"""The base of every model, and the rules that a schema's types cannot say.

Law: a rule is written once, as one object: its CEL (judged by the API server), its Python (judged by the operator and
by `ringfence validate`) and its message stand side by side, and both must give the same verdict.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel, to_snake
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

VALIDATIONS = "x-kubernetes-validations"


def broken(failures: Iterable[tuple[str, str]]) -> PydanticCustomError:
    """The error for broken rules: pairs of the field's path below the value (``.region``, or empty) and the message."""
    found = tuple(failures)
    return PydanticCustomError("rules", "{text}", {"text": "; ".join(message for _, message in found), "rules": found})


@dataclass(frozen=True, slots=True)
class Rule:
    """What must hold for one value; as an annotation of a field's type, or in the ``invariants`` of a model."""

    cel: str
    message: str
    holds: Callable[[Any], bool]
    field: str = ""
    """The path below the judged value that is to blame, in CEL's notation: ``.region``."""

    @property
    def schema(self) -> dict[str, str]:
        """The entry of ``x-kubernetes-validations``."""
        return _entry(self.cel, self.message, self.field)

    def check(self, value: Any) -> Any:
        """The value itself; raises a validation error when the rule is broken."""
        if not self.holds(value):
            raise broken([(self.field, self.message)])
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return with_validations(handler(schema), [self.schema])


@dataclass(frozen=True, slots=True)
class Transition:
    """What must hold between an object and its successor. Only the API server sees both, so there is CEL alone."""

    cel: str
    message: str
    field: str = ""

    @property
    def schema(self) -> dict[str, str]:
        """The entry of ``x-kubernetes-validations``."""
        return _entry(self.cel, self.message, self.field)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return with_validations(handler(schema), [self.schema])


def _entry(cel: str, message: str, field: str) -> dict[str, str]:
    entry = {"rule": cel, "message": message}
    return {**entry, "fieldPath": field} if field else entry


def with_validations(schema: JsonSchemaValue, entries: Sequence[dict[str, str]]) -> JsonSchemaValue:
    """The schema with further entries of ``x-kubernetes-validations``."""
    return {**schema, VALIDATIONS: [*schema.get(VALIDATIONS, ()), *entries]} if entries else schema


def cel_list(words: Iterable[str]) -> str:
    """The words as a CEL list of strings; they must not need quoting."""
    return "[" + ", ".join(f"'{word}'" for word in words) + "]"


def matches(pattern: str, message: str, *, of: str = "self") -> Rule:
    """A rule that the whole string matches ``pattern``, a regular expression in the common part of RE2 and Python."""
    compiled = re.compile(pattern)
    return Rule(f"{of}.matches('^({pattern})$')", message, lambda text: compiled.fullmatch(text) is not None)


def exactly_one_of(*fields: str) -> Rule:
    """A rule that one, and only one, of these optional fields is set."""
    cel = " + ".join(f"(has(self.{field}) ? 1 : 0)" for field in fields) + " == 1"
    names = [to_snake(field) for field in fields]
    return Rule(
        cel,
        f"exactly one of {', '.join(fields)} must be set",
        lambda value: sum(getattr(value, name) is not None for name in names) == 1,
    )


@dataclass(frozen=True, slots=True)
class Unique:
    """The list is a set: ``x-kubernetes-list-type: set``."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(_without_twins, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "x-kubernetes-list-type": "set"}


class Keyed:
    """The list is a map: ``x-kubernetes-list-type: map``; no two entries have the same values of ``keys``."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys
        self._names = tuple(to_snake(key) for key in keys)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def check(entries: tuple[Any, ...]) -> tuple[Any, ...]:
            _without_twins([tuple(getattr(entry, name) for name in self._names) for entry in entries])
            return entries

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        marks = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(self.keys)}
        return {**handler(schema), **marks}


def _without_twins(values: Sequence[Any]) -> Sequence[Any]:
    seen: set[Any] = set()
    twins = []
    for index, value in enumerate(values):
        if value in seen:
            name = "/".join(value) if isinstance(value, tuple) else value
            twins.append((f"[{index}]", f"{name} is there already"))
        seen.add(value)
    if twins:
        raise broken(twins)
    return values


class Model(BaseModel):
    """A part of a custom resource: frozen, unknown fields refused, no conversion between types."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        validate_by_name=True,
        use_attribute_docstrings=True,
    )
    invariants: ClassVar[tuple[Rule | Transition, ...]] = ()

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        failures = [
            (rule.field, rule.message) for rule in self.invariants if isinstance(rule, Rule) and not rule.holds(self)
        ]
        if failures:
            raise broken(failures)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        json_schema = handler.resolve_ref_schema(handler(schema))
        entries = [rule.schema for rule in cls.invariants]
        if entries:
            json_schema[VALIDATIONS] = entries
        return json_schema
