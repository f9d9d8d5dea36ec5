"""The generator: what it makes of pydantic's schemas, and what it refuses to make."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field

from ringfence.model.guardrail import GuardrailSpec
from ringfence.model.quantity import Quantity
from ringfence.model.rules import Keyed, Model, Rule, Unique
from ringfence.model.structural import NotStructuralError, structural_schema

Name = Annotated[str, Field(max_length=9)]


class Part(Model):
    """A part."""

    name: Name
    """Its name."""
    size: Annotated[int, Field(ge=0)] = 1
    """Its size."""


def _property(annotation: Any, default: Any = ...) -> dict[str, Any]:
    model = type("Spec", (Model,), {"__annotations__": {"f": annotation}, **({} if default is ... else {"f": default})})
    schema: dict[str, Any] = structural_schema(model)["properties"]["f"]
    return schema


def test_optional_means_absent_never_null() -> None:
    """The API server refuses anyOf with null."""
    assert _property(Name | None, None) == {"type": "string", "maxLength": 9}


def test_references_are_inlined_with_their_descriptions() -> None:
    """A structural schema knows no $ref."""
    schema = _property(Part | None, None)
    assert schema["properties"]["name"] == {"description": "Its name.", "type": "string", "maxLength": 9}
    assert schema["required"] == ["name"]
    assert "additionalProperties" not in schema


def test_rules_of_a_use_are_added_to_those_of_the_model() -> None:
    """A rule on the field must not replace the rules of its type."""
    own = Rule("self.size > 0", "own", lambda part: part.size > 0)
    use = Rule("self.size < 9", "use", lambda part: part.size < 9)
    ruled = type("Ruled", (Part,), {"invariants": (own,), "__annotations__": {"invariants": ClassVar[Any]}})
    schema = _property(Annotated[ruled, use] | None, None)
    assert [entry["message"] for entry in schema["x-kubernetes-validations"]] == ["own", "use"]


def test_exclusive_bounds_are_boolean() -> None:
    """As in draft 4, which the API server and kubeconform speak."""
    schema = _property(Annotated[int, Field(gt=0, lt=9)])
    assert schema == {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": True}


def test_one_value_is_an_enum() -> None:
    """`const` is unknown to the API server."""
    assert _property(Literal["Never"], "Never") == {"type": "string", "enum": ["Never"], "default": "Never"}


def test_sets_and_maps_are_list_types() -> None:
    """UniqueItems is refused; list types merge, too."""
    assert _property(Annotated[tuple[Name, ...], Field(max_length=2), Unique()])["x-kubernetes-list-type"] == "set"
    schema = _property(Annotated[tuple[Part, ...], Field(max_length=2), Keyed("name")])
    assert (schema["x-kubernetes-list-type"], schema["x-kubernetes-list-map-keys"]) == ("map", ["name"])


def test_defaults_are_published_outside_of_lists_only() -> None:
    """Inside list items kubectl would say "configured" for ever."""
    assert _property(Part | None, None)["properties"]["size"]["default"] == 1
    items = _property(Annotated[tuple[Part, ...], Field(max_length=2)], ())["items"]
    assert "default" not in items["properties"]["size"]


def test_the_default_of_a_list_is_what_a_user_would_write() -> None:
    """Fields that nobody set are not in it."""
    schema = _property(Annotated[tuple[Part, ...], Field(max_length=2)], (Part(name="a"),))
    assert schema["default"] == [{"name": "a"}]


def test_a_quantity_is_a_number_or_a_text() -> None:
    """The fixed form that the API server demands."""
    schema = _property(Quantity)
    assert schema["x-kubernetes-int-or-string"] is True
    assert schema["anyOf"] == [{"type": "integer"}, {"type": "string"}]


class Tree(Model):
    """A model that contains itself."""

    below: Annotated[tuple["Tree", ...], Field(max_length=2)] = ()


@pytest.mark.parametrize(
    ("annotation", "why"),
    [
        (str, "a string without a bound"),
        (tuple[Name, ...], "a array without a bound"),
        (Mapping[str, Name], "a object without a bound"),
        (Name | int, "a union"),
        (Annotated[Mapping[str, Any], Field(max_length=1)], "a free dictionary"),
        (tuple[Name, Name], "prefixItems"),
        (Annotated[tuple[Part, ...], Field(max_length=1), Keyed("size")], "not required"),
        (Tree, "contains itself"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_what_the_api_server_would_refuse_is_an_error_here(annotation: Any, why: str) -> None:
    """The developer learns it from a unit test, not from a cluster."""
    with pytest.raises(NotStructuralError, match=why):
        _property(annotation)


def test_no_list_of_a_guardrail_is_merged_item_by_item() -> None:
    """Emptied by an apply after an update had written it, such a list is null to the API server, and refused."""
    assert "x-kubernetes-list" not in str(structural_schema(GuardrailSpec))
