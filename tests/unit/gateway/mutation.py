"""Edits of a configuration, that its linter must see."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from tests.unit.gateway.full import Json


@dataclass(frozen=True)
class Mutation:
    """An edit of a configuration, that must be seen."""

    title: str
    change: Callable[[Json], object]
    rule: str

    def __call__(self, files: Json) -> Json:
        """The files after it."""
        changed: Json = orjson.loads(orjson.dumps(files))
        self.change(changed)
        return changed


def putting(found: Callable[[Json], Any], key: Any, value: Any) -> Callable[[Json], object]:
    """Set a field of what is found."""
    return lambda files: found(files).__setitem__(key, value)


def adding(found: Callable[[Json], Any], value: Any) -> Callable[[Json], object]:
    """Append to the list that is found."""
    return lambda files: found(files).append(value)


def dropping(found: Callable[[Json], Any], key: Any) -> Callable[[Json], object]:
    """Remove a field, or an element."""
    return lambda files: found(files).pop(key)


def removing(found: Callable[[Json], list[Json]], name: str) -> Callable[[Json], object]:
    """Take what has a name out of the list that is found."""
    return lambda files: remove(found(files), name)


def typed(name: str, **fields: Any) -> Json:
    """A message of any type."""
    return {"@type": f"type.googleapis.com/envoy.{name}", **fields}


def extension(name: str, **fields: Any) -> Json:
    """An extension of any type."""
    return {"name": "any", "typed_config": typed(name, **fields)}


def remove(named: list[Json], name: str) -> None:
    """Take what has a name out of a list."""
    named[:] = [each for each in named if each["name"] != name]


def header(name: str, value: str) -> Json:
    """A mutation that sets a header."""
    return {"append": {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}
