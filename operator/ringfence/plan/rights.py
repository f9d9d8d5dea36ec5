"""Rights as RBAC knows them: verbs on resources.

Law: a right is data; roles, their documentation and their tests are made from the same tables of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

READ: Final = ("get", "list", "watch")
WRITE: Final = ("create", "delete", "patch", "update")


class Action(NamedTuple):
    """One thing that somebody may or may not do: what a SubjectAccessReview asks about."""

    group: str
    resource: str
    """Plural, with the subresource after a slash."""
    verb: str
    name: str = ""
    """Of the one object that it is about; empty: any."""

    def __str__(self) -> str:
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {resource}{f' {self.name}' if self.name else ''}"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """Verbs on resources of one API group; ``only`` narrows them to objects of these names."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    only: tuple[str, ...] = ()

    @property
    def rule(self) -> dict[str, Any]:
        """The entry of ``rules``."""
        rule = {"apiGroups": [self.group], "resources": sorted(self.resources), "verbs": sorted(self.verbs)}
        return {**rule, "resourceNames": sorted(self.only)} if self.only else rule


def actions(rights: Iterable[Right]) -> frozenset[Action]:
    """Everything that these rights allow, one by one."""
    return frozenset(
        Action(right.group, resource, verb, name)
        for right in rights
        for resource in right.resources
        for verb in right.verbs
        for name in right.only or ("",)
    )
