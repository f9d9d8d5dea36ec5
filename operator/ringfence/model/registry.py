"""All kinds of `ringfence.dev`."""

from typing import Final

from ringfence.model import guardrail, modelroute, namespace, retentionpolicy, tenant
from ringfence.model.definition import Definition

DEFINITIONS: Final = (
    tenant.DEFINITION,
    namespace.DEFINITION,
    modelroute.DEFINITION,
    retentionpolicy.DEFINITION,
    guardrail.DEFINITION,
)


def definition_of(api_version: object, kind: object) -> Definition | None:
    """The definition that a manifest's ``apiVersion`` and ``kind`` name; None where it is none of ours."""
    for definition in DEFINITIONS:
        if (definition.resource.api_version, definition.resource.kind) == (api_version, kind):
            return definition
    return None
