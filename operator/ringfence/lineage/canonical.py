"""Canonical JSON (RFC 8785) and the digests over it.

Law: two values that mean the same have the same bytes. That holds for a profile of JSON in which `orjson` with sorted
keys writes what RFC 8785 asks for: no floats, no integers from 2^53 on, ASCII keys. What is outside is refused by name.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import orjson

MAX_INTEGER: Final = 2**53 - 1  # beyond it, readers that have only doubles can't tell neighbours apart

_VOLATILE_METADATA: Final = frozenset(
    {"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "deletionTimestamp", "selfLink"}
)


class NotCanonicalError(ValueError):
    """A value is outside the profile. ``path`` is a JSON pointer to it, or to the map that has the bad key."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path or '/'}: {problem}")
        self.path = path
        self.problem = problem


def encode(value: Any) -> bytes:
    """The canonical bytes of ``value``, made of maps, lists, tuples, strings, integers, booleans and ``None``.

    Raises:
        NotCanonicalError: something in it is outside the profile.
    """
    if not _is_plain(value):
        _require_profile(value, "")
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(data: bytes) -> str:
    """The SHA-256 of ``data`` as records show it: ``sha256:`` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def object_digest(manifest: Mapping[str, Any]) -> str:
    """The digest of a Kubernetes object's content: without status and without what the API server adds to metadata.

    Raises:
        NotCanonicalError: the object is outside the profile.
    """
    content = {key: value for key, value in manifest.items() if key != "status"}
    if metadata := manifest.get("metadata"):
        content["metadata"] = {key: value for key, value in metadata.items() if key not in _VOLATILE_METADATA}
    return digest(encode(content))


def child_pointer(path: str, key: str | int) -> str:
    """The JSON pointer (RFC 6901) of a member of what ``path`` points to."""
    return f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}"


def _is_plain(value: Any) -> bool:
    """The quick way, without paths: it is not wrong when it says False, only slower."""
    kind = type(value)
    if kind is str:
        return bool(value.isascii())
    if kind is dict:
        return all(
            type(key) is str and key.isascii() and ((type(member) is str and member.isascii()) or _is_plain(member))
            for key, member in value.items()
        )
    if kind is list or kind is tuple:
        return all(map(_is_plain, value))
    if kind is int:
        return bool(-MAX_INTEGER <= value <= MAX_INTEGER)
    return value is None or kind is bool


def _require_profile(value: Any, path: str) -> None:
    if isinstance(value, str):
        _require_text(value, path)
    elif isinstance(value, Mapping):
        for key, member in value.items():
            if not (isinstance(key, str) and key.isascii()):
                raise NotCanonicalError(path, f"key {key!r} is not ASCII text")
            _require_profile(member, child_pointer(path, key))
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            _require_profile(member, child_pointer(path, index))
    elif isinstance(value, int):  # bool included
        if abs(value) > MAX_INTEGER:
            raise NotCanonicalError(path, f"integer {value} is not below 2^53; write it as a string")
    elif value is not None:
        kind = "a float; write it as a string" if isinstance(value, float) else f"a {type(value).__name__}"
        raise NotCanonicalError(path, f"is {kind}")


def _require_text(value: str, path: str) -> None:
    """Refuse lone surrogates: they have no UTF-8."""
    if value.isascii():
        return
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise NotCanonicalError(path, "is not Unicode text (lone surrogate)") from error
