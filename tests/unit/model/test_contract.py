"""The contract with users: each field has a place in the complete samples, a description, and no way to be ignored."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator, Draft202012Validator

from ringfence.cli.generate import outputs
from ringfence.model.crd import custom_resource_definition, object_schema
from ringfence.model.definition import Definition
from ringfence.model.editors import editor_schema
from ringfence.model.parse import parse
from ringfence.model.reference import reference_page
from ringfence.model.registry import DEFINITIONS
from tests.bad_inputs import BAD_INPUTS
from tests.controlplane_fixtures import REPOSITORY
from tests.objects import SAMPLES, Object, complete


def _paths(schema: Object, path: str) -> Iterator[tuple[str, Object]]:
    for name, part in schema.get("properties", {}).items():
        yield f"{path}.{name}", part
        yield from _paths(part, f"{path}.{name}")
    if "items" in schema:
        yield from _paths(schema["items"], path)


def _used(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield f"{path}.{name}"
            yield from _used(part, f"{path}.{name}")
    elif isinstance(value, list):
        for part in value:
            yield from _used(part, path)


def _title(definition: Definition) -> str:
    return definition.resource.kind


every_kind = pytest.mark.parametrize("definition", DEFINITIONS, ids=_title)


@every_kind
def test_the_complete_object_has_every_field(definition: Definition) -> None:
    """A field that no test ever sets is a field that may not work."""
    spec = object_schema(definition)["properties"]["spec"]
    principals = {"owners", "admins", "developers", "viewers", "members", "approvers", "reviewer"}
    fields = {path for path, _ in _paths(spec, "spec") if not principals & set(path.split("."))}
    assert fields - set(_used(complete(definition.resource.kind)["spec"], "spec")) == set()


@every_kind
def test_every_field_says_what_it_is_for(definition: Definition) -> None:
    """`kubectl explain` and the reference are never silent."""
    schema = object_schema(definition)["properties"]
    parts = [(path, part) for name in ("spec", "status") for path, part in _paths(schema.get(name, {}), name)]
    assert [path for path, part in parts if not part.get("description")] == []


@every_kind
def test_the_editors_schema_is_valid_in_old_and_new_drafts(definition: Definition) -> None:
    """Kubeconform compiles draft 4; editors take what is newest."""
    schema = editor_schema(definition)
    Draft4Validator.check_schema(schema)
    assert not any("exclusive" in key and not isinstance(value, bool) for key, value in _leaves(schema))
    sample = complete(definition.resource.kind)
    Draft4Validator(schema).validate(sample)
    assert not Draft4Validator(schema).is_valid({**sample, "spec": {**sample["spec"], "surplus": 1}})
    Draft202012Validator({key: value for key, value in schema.items() if key != "$schema"}).validate(sample)


def _written_by_users(definition: Definition) -> Object:
    schema = object_schema(definition)
    return {key: part for key, part in schema.items() if key != "properties"} | {"spec": schema["properties"]["spec"]}


def _leaves(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield key, part
            yield from _leaves(part)


def test_the_samples_pass_the_editors_schemas() -> None:
    """An editor marks nothing red that we ship."""
    schemas = {definition.resource.kind: editor_schema(definition) for definition in DEFINITIONS}
    for file in SAMPLES.glob("*.yaml"):
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            if document["apiVersion"].startswith("ringfence.dev/"):
                Draft4Validator(schemas[document["kind"]]).validate(document)


@every_kind
def test_a_custom_resource_definition_is_complete(definition: Definition) -> None:
    """Names, columns, status and category are those of the contract."""
    crd = custom_resource_definition(definition)
    version = crd["spec"]["versions"][0]
    assert crd["metadata"]["name"] == f"{definition.resource.plural}.ringfence.dev"
    assert crd["spec"]["names"]["categories"] == ["ringfence"]
    assert ("status" in version.get("subresources", {})) == (definition.status is not None)
    if definition.status is not None:
        status = version["schema"]["openAPIV3Schema"]["properties"]["status"]
        assert status["default"] == {"observedGeneration": -1}


@every_kind
def test_the_reference_has_every_rule(definition: Definition) -> None:
    """Whoever reads the reference knows what will be refused."""
    page = reference_page(definition).replace("\\<", "<")
    messages = {
        rule["message"]
        for key, rules in _leaves(object_schema(definition))
        if key.endswith("validations")
        for rule in rules
    }
    assert messages
    assert [message for message in messages if message not in page] == []


def test_every_rule_refuses_a_bad_input_by_its_own_message() -> None:
    """A rule whose removal nobody notices is a rule that may be gone already."""
    said = {problem.message for row in BAD_INPUTS for problem in parse(row.refused).problems}
    rules = [
        rule
        for definition in DEFINITIONS
        for key, entries in _leaves(_written_by_users(definition))
        if key.endswith("validations")
        for rule in entries
    ]
    assert {rule["message"] for rule in rules if "oldSelf" not in rule["rule"]} - said == set()


def test_at_least_a_hundred_bad_inputs_are_asked_about() -> None:
    """With one for every kind."""
    assert len(BAD_INPUTS) >= 200
    assert {row.kind for row in BAD_INPUTS} == {definition.resource.kind for definition in DEFINITIONS}


def test_what_is_generated_is_up_to_date() -> None:
    """A change of a model shows in the diff of what users get; `make generate` writes it."""
    stale = [path for path, text in outputs().items() if (REPOSITORY / path).read_text(encoding="utf-8") != text]
    assert stale == []
