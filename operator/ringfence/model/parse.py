"""From a raw custom resource to a typed Subject.

Law: whatever is read, nothing is raised: what cannot be parsed is a Subject without a spec, with its problems named.
The spec is judged as JSON, as the API server judges it.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from pydantic import ValidationError

from ringfence.model.definition import Definition, Root
from ringfence.model.kinds import Ref, ResourceType
from ringfence.model.problems import problems_of, unknown_field
from ringfence.model.registry import definition_of
from ringfence.model.rules import Model, Rule
from ringfence.model.subject import Meta, Problem, Subject

_FIELDS: Final = ("apiVersion", "kind", "metadata", "spec", "status")


def parse(raw: Mapping[str, Any]) -> Subject[Any]:
    """The custom resource that ``raw`` says, with a spec of its kind's model."""
    metadata = _mapping(raw.get("metadata"))
    definition = definition_of(raw.get("apiVersion"), raw.get("kind"))
    type_ = definition.resource if definition else _unknown_type(raw)
    ref = Ref(type_, _text(metadata, "namespace"), _text(metadata, "name"))
    meta, status = meta_of(metadata), _mapping(raw.get("status"))
    if definition is None:
        problem = Problem("kind", f"{type_.api_version} has no kind {type_.kind!r} in Ringfence")
        return Subject(ref, meta, None, status, (problem,))
    surplus = tuple(unknown_field(str(key), key, _FIELDS) for key in raw if key not in _FIELDS)
    spec, problems = judge(definition, ref.name, raw.get("spec"))
    return Subject(ref, meta, None if surplus else spec, status, surplus + problems)


def judge(definition: Definition, name: str, raw_spec: object) -> tuple[Model | None, tuple[Problem, ...]]:
    """The spec of an object called ``name``, or everything that is wrong with both."""
    if raw_spec is None:
        return None, (Problem("spec", "is required"),)
    try:
        spec = definition.spec.model_validate_json(orjson.dumps(as_stored(raw_spec)), by_name=False)
    except ValidationError as error:
        return None, problems_of(error, definition)
    except (TypeError, RecursionError) as error:  # not JSON: a number beyond 64 bits, a key that is no string, too deep
        return None, (Problem("spec", f"is not JSON: {error}"),)
    root = Root(name, spec)
    broken = [rule for rule in definition.rules if isinstance(rule, Rule) and not rule.holds(root)]
    if broken:
        return None, tuple(Problem(rule.field.lstrip(".") or "metadata.name", rule.message) for rule in broken)
    return spec, ()


def as_stored(value: Any) -> Any:
    """The value as the API server keeps it: null properties count as left out."""
    if isinstance(value, dict):
        return {key: as_stored(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [as_stored(part) for part in value]
    return value


def meta_of(metadata: Mapping[str, Any]) -> Meta:
    """The part of ``metadata`` that decisions may rest on; what has the wrong type counts as missing."""
    generation = metadata.get("generation")
    return Meta(
        uid=_text(metadata, "uid"),
        generation=generation if isinstance(generation, int) else 0,
        created=_text(metadata, "creationTimestamp"),
        deleting=bool(metadata.get("deletionTimestamp")),
        finalizers=tuple(item for item in _sequence(metadata.get("finalizers")) if isinstance(item, str)),
        labels=_texts(metadata.get("labels")),
        annotations=_texts(metadata.get("annotations")),
        managers=_managers(metadata),
        resource_version=_text(metadata, "resourceVersion"),
    )


def _managers(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    entries = [entry for entry in _sequence(metadata.get("managedFields")) if isinstance(entry, Mapping)]
    entries.sort(key=lambda entry: _text(entry, "time"))
    return tuple(_text(entry, "manager") for entry in entries)


def _unknown_type(raw: Mapping[str, Any]) -> ResourceType:
    group, _, version = _text(raw, "apiVersion").rpartition("/")
    return ResourceType(group, version, "", _text(raw, "kind"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(mapping: Mapping[str, Any], key: str) -> str:
    value = mapping.get(key)
    return value if isinstance(value, str) else ""


def _texts(value: object) -> Mapping[str, str]:
    return {key: text for key, text in _mapping(value).items() if isinstance(text, str)}
