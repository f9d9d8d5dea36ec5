"""From pydantic models to structural schemas, the only kind of JSON schema that the API server takes in a CRD.

Law: what cannot be said structurally and with a bound is an error here, not a surprise on a cluster.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import to_jsonable_python

from ringfence.model.rules import VALIDATIONS, Model, with_validations

Schema = dict[str, Any]

_ALIEN: Final = ("title", "$defs", "discriminator", "examples", "additionalItems")
_UNSUPPORTED: Final = ("prefixItems", "not", "patternProperties", "oneOf", "allOf")
_KEY_ORDER: Final = ("description", "type", "format", "enum", "default")


class NotStructuralError(TypeError):
    """A model says what a structural schema cannot."""


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, with defaults as a user would write them."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, tuple):
            return [self.encode_default(item) for item in dft]
        if isinstance(dft, BaseModel):
            return dft.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return to_jsonable_python(dft)


def structural_schema(model: type[Model]) -> Schema:
    """The structural schema of ``model``; raises NotStructuralError where there is none."""
    raw = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    return _Converter(raw.get("$defs", {})).convert(raw, model.__name__)


class _Converter:
    def __init__(self, definitions: Mapping[str, JsonSchemaValue]) -> None:
        self._definitions = definitions

    def convert(self, raw: JsonSchemaValue, path: str, *, listed: bool = False, within: tuple[str, ...] = ()) -> Schema:
        """One schema and all below it. ``listed``: it is, or is below, an item of a list."""
        schema, within = self._inlined(raw, path, within)
        for keyword in _UNSUPPORTED:
            if keyword in schema:
                raise NotStructuralError(f"{path}: {keyword} is not structural")
        if "const" in schema:
            schema["enum"] = [schema.pop("const")]
        _take_default(schema, listed=listed)
        _boolean_bounds(schema)

        def below(part: JsonSchemaValue, name: str, *, in_list: bool = listed) -> Schema:
            return self.convert(part, f"{path}{name}", listed=in_list, within=within)

        _descend(schema, path, below)
        _demand_bounds(schema, path)
        return _ordered({key: value for key, value in schema.items() if key not in _ALIEN and value != []})

    def _inlined(self, raw: JsonSchemaValue, path: str, within: tuple[str, ...]) -> tuple[Schema, tuple[str, ...]]:
        """The schema without references and without null, and the names of the models that it is inside of."""
        schema = dict(raw)
        while "$ref" in schema or _is_union(schema):
            if "$ref" not in schema:
                schema = _without_null(schema, path)
                continue
            name = schema.pop("$ref").rsplit("/", 1)[-1]
            if name in within:
                raise NotStructuralError(f"{path}: {name} contains itself")
            within = (*within, name)
            schema = _merged(self._definitions[name], schema)
        return schema, within


def _merged(base: JsonSchemaValue, more: JsonSchemaValue) -> Schema:
    """``more`` over ``base``, with the rules of both."""
    return with_validations({**base, **more, **_rules(base)}, more.get(VALIDATIONS, ()))


def _rules(schema: JsonSchemaValue) -> Schema:
    return {VALIDATIONS: schema.get(VALIDATIONS, [])}


def _is_union(schema: JsonSchemaValue) -> bool:
    return "anyOf" in schema and not schema.get("x-kubernetes-int-or-string")


def _without_null(schema: Schema, path: str) -> Schema:
    """Optional means absent, never null: ``anyOf[X, null]`` becomes ``X``."""
    kept = [choice for choice in schema["anyOf"] if choice.get("type") != "null"]
    if len(kept) != 1:
        raise NotStructuralError(f"{path}: a union; merge the properties and say `exactly one of` by a rule")
    return _merged(kept[0], {key: value for key, value in schema.items() if key != "anyOf"})


def _take_default(schema: Schema, *, listed: bool) -> None:
    """Keep only defaults that help: in a list item `kubectl` would say "configured" for ever, and empty is no news."""
    default = schema.get("default")
    if listed or default in (None, [], {}) or isinstance(default, dict):
        schema.pop("default", None)


def _boolean_bounds(schema: Schema) -> None:
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if exclusive in schema:
            schema[bound], schema[exclusive] = schema[exclusive], True


def _descend(schema: Schema, path: str, below: Callable[..., Schema]) -> None:
    if "properties" in schema:
        schema.pop("additionalProperties", None)  # pruning and strict validation do the work of extra="forbid"
        schema["properties"] = {name: below(part, f".{name}") for name, part in schema["properties"].items()}
    elif schema.get("type") == "object":
        values = schema.get("additionalProperties")
        if not isinstance(values, dict):
            raise NotStructuralError(f"{path}: a free dictionary; type its values")
        schema["additionalProperties"] = below(values, ".*")
    if schema.get("type") == "array":
        schema["items"] = below(schema.get("items", {}), "[]", in_list=True)


def _demand_bounds(schema: Schema, path: str) -> None:
    """Without bounds the API server estimates CEL at its worst and refuses the CRD."""
    bounded = {
        "string": schema.keys() & {"maxLength", "enum"},
        "array": "maxItems" in schema,
        "object": "properties" in schema or "maxProperties" in schema,
        "integer": True,
        "boolean": True,
        None: schema.get("x-kubernetes-int-or-string") and "maxLength" in schema,
    }
    if not bounded.get(schema.get("type")):
        raise NotStructuralError(f"{path}: a {schema.get('type')} without a bound")
    keys = schema.get("x-kubernetes-list-map-keys", ())
    if not set(keys) <= set(schema.get("items", {}).get("required", ())):
        raise NotStructuralError(f"{path}: a list-map whose keys {keys} are not required")


def _ordered(schema: Schema) -> Schema:
    """The same with the telling keywords first."""
    rank = {key: place for place, key in enumerate(_KEY_ORDER)}
    return dict(sorted(schema.items(), key=lambda item: rank.get(item[0], len(rank))))
