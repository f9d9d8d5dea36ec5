"""What a new schema refuses that an old one accepted: the changes that break objects which are stored already.

Law: whatever is not known to be harmless is a narrowing.
"""

from collections.abc import Iterator
from typing import Any, Final

Schema = dict[str, Any]

_UPPER: Final = ("maxLength", "maxItems", "maxProperties", "maximum")
_LOWER: Final = ("minLength", "minItems", "minProperties", "minimum")
_SAME: Final = (
    "type",
    "pattern",
    "format",
    "x-kubernetes-int-or-string",
)
_LISTS: Final = ("x-kubernetes-list-type", "x-kubernetes-list-map-keys")
"""What may go: a list without a type takes whatever a set or a map took."""
_INFINITE: Final = float("inf")
_RULES: Final = "x-kubernetes-validations"


def narrowings(old: Schema, new: Schema, path: str = "") -> Iterator[str]:
    """Every narrowing between two structural schemas, with the path of its field."""
    yield from (f"{path}: {problem}" for problem in _own(old, new))
    for name, part in old.get("properties", {}).items():
        if name in new.get("properties", {}):
            yield from narrowings(part, new["properties"][name], f"{path}.{name}")
        else:
            yield f"{path}.{name}: is gone"
    for below, suffix in (("items", "[]"), ("additionalProperties", ".*")):
        if below in old and below in new:
            yield from narrowings(old[below], new[below], path + suffix)


def _own(old: Schema, new: Schema) -> Iterator[str]:
    yield from (f"{key} changed" for key in _SAME if old.get(key) != new.get(key))
    yield from (f"{key} changed" for key in _LISTS if key in new and old.get(key) != new[key])
    yield from (f"{key} is lower" for key in _UPPER if new.get(key, _INFINITE) < old.get(key, _INFINITE))
    yield from (f"{key} is higher" for key in _LOWER if new.get(key, -_INFINITE) > old.get(key, -_INFINITE))
    if "enum" in new and not ("enum" in old and set(old["enum"]) <= set(new["enum"])):
        yield "fewer values"
    yield from (
        f"{name} is required now" for name in sorted(set(new.get("required", ())) - set(old.get("required", ())))
    )
    before = {rule["rule"] for rule in old.get(_RULES, ())}
    yield from (f"new rule: {rule['message']}" for rule in new.get(_RULES, ()) if rule["rule"] not in before)
