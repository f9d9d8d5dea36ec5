"""JSON schemas for editors and kubeconform, from the same structural schemas as the CRDs.

Law: they are valid as draft 4 too (kubeconform compiles them so), and refuse unknown fields, as strict validation does.
"""

from typing import Any, Final

from ringfence.model.crd import object_schema
from ringfence.model.definition import Definition
from ringfence.model.kinds import GROUP, VERSION
from ringfence.model.structural import Schema

_DRAFT: Final = "http://json-schema.org/draft-04/schema#"


def editor_schema(definition: Definition) -> Schema:
    """The JSON schema of the kind's manifests; what only CEL can say is not in it."""
    schema = _closed(object_schema(definition))
    properties: dict[str, Any] = schema["properties"]
    properties["apiVersion"]["enum"] = [f"{GROUP}/{VERSION}"]
    properties["kind"]["enum"] = [definition.resource.kind]
    properties["metadata"] = {"type": "object"}
    return {"$schema": _DRAFT, **schema, "required": ["apiVersion", "kind", "metadata", "spec"]}


def _closed(schema: Schema) -> Schema:
    """The schema without extensions of Kubernetes, taking no property that it does not name."""
    plain = {key: value for key, value in schema.items() if not key.startswith("x-kubernetes-")}
    if "properties" in plain:
        plain["properties"] = {name: _closed(part) for name, part in plain["properties"].items()}
        plain["additionalProperties"] = False
    elif "additionalProperties" in plain:
        plain["additionalProperties"] = _closed(plain["additionalProperties"])
    if "items" in plain:
        plain["items"] = _closed(plain["items"])
        plain["uniqueItems"] = schema.get("x-kubernetes-list-type") == "set"
    return plain
