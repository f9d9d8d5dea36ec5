"""What a kind is besides its models: names, columns and the rules of the whole object.

Law: a kind is one Definition; the CRD, the reference and the parser are made from it alone.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from ringfence.model.kinds import ResourceType
from ringfence.model.rules import Model, Rule, Transition, matches

CATEGORY: Final = "ringfence"


class Root(NamedTuple):
    """What the rules of a whole object judge."""

    name: str
    spec: Any


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`."""

    name: str
    path: str
    type: Literal["string", "integer", "boolean", "date"] = "string"
    description: str = ""


READY: Final = Column("READY", '.status.conditions[?(@.type=="Ready")].status', description="Whether it is as wanted.")
STATUS: Final = Column("STATUS", '.status.conditions[?(@.type=="Ready")].reason', description="Why.")
AGE: Final = Column("AGE", ".metadata.creationTimestamp", "date")


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One kind of `ringfence.dev`."""

    resource: ResourceType
    short_name: str
    description: str
    spec: type[Model]
    status: type[Model] | None
    rules: tuple[Rule | Transition, ...]
    columns: tuple[Column, ...] = (AGE,)
    selectable: tuple[str, ...] = ()
    """Fields for `kubectl get --field-selector`."""


def name_rule(pattern: str, message: str) -> Rule:
    """The rule that the object's name matches ``pattern``."""
    rule = matches(pattern, message, of="self.metadata.name")
    return Rule(rule.cel, message, lambda root: rule.holds(root.name))
