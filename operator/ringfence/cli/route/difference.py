"""What another revision changes, for whoever is to approve it.

Law: what is approved is told whole, and whom it lets in is told in one line: a list that goes is a door that opens.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringfence.plan.modelroute.revision import RouteRevision


def changes(before: "RouteRevision | None", after: "RouteRevision") -> Iterator[str]:
    """One line for each field that differs; ``before`` is what serves now, if anything does."""
    old, new = _fields(before) if before else {}, _fields(after)
    for field in sorted({*old, *new}):
        if old.get(field) != new.get(field):
            yield f"{field}: {old.get(field, 'nothing')} -> {new.get(field, 'nothing')}"


def _fields(revision: "RouteRevision") -> dict[str, str]:
    rest = {name: value for name, value in revision.content.items() if name != "consumers"}
    return {**dict(_flat(rest)), "consumers": _callers(revision)}


def _callers(revision: "RouteRevision") -> str:
    named = revision.consumers
    if named is None:
        return "every Namespace of the environment"
    return ", ".join((*named.namespaces, *(f"{each.namespace}/{each.name}" for each in named.service_accounts)))


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _flat(part, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _flat(part, f"{path}[{place}]")
    else:
        yield path, str(value)
