"""One custom resource as it was seen: its metadata, its parsed spec, its last status.

Law: past this module a spec is a typed, frozen model or it is absent with its problems named.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ringfence.model.kinds import Ref

SpecT_co = TypeVar("SpecT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Meta:
    """The part of ``metadata`` that decisions may rest on."""

    uid: str
    generation: int
    created: str
    """RFC 3339 time of creation; ties are broken by uid, so that "oldest first" is a total order."""
    deleting: bool = False
    finalizers: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    managers: tuple[str, ...] = ()
    """Field managers of the object, most recent writer last."""
    resource_version: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an object, with the path of the field (``spec.budget.hard``)."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Subject(Generic[SpecT_co]):
    """One of our custom resources. ``spec`` is ``None`` exactly when ``problems`` is not empty."""

    ref: Ref
    meta: Meta
    spec: SpecT_co | None
    status: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        """The object's name."""
        return self.ref.name

    @property
    def age_key(self) -> tuple[str, str]:
        """Sorts oldest first."""
        return (self.meta.created, self.meta.uid)
