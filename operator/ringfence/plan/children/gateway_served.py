"""The ConfigMap of the last configuration that a gateway was seen to serve.

Law: it is believed only while its files have the hash that their name says. All of it is one compressed value, so that
files which fill a ConfigMap, and what is told of them, fit into another one and are replaced as one.
"""

import base64
import binascii
import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from ringfence import names
from ringfence.gateway.files import is_whole
from ringfence.model.kinds import CONFIG_MAP, Ref
from ringfence.plan.children.gateway_routes import configuration
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired
from ringfence.plan.seen import Live

_KEY: Final = "configuration.json.gz"


@dataclass(frozen=True, slots=True)
class Served:
    """A configuration as it was published."""

    revision: str
    files: Mapping[str, str]
    """Envoy's files by name."""
    routes: Mapping[str, str]
    """What the ConfigMap said that tells of them."""


def make(home: Place, served: Served) -> Desired:
    """The ConfigMap that keeps it."""
    content = orjson.dumps({"files": served.files, "routes": served.routes}, option=orjson.OPT_SORT_KEYS)
    return _make(home, served.revision, {_KEY: base64.b64encode(gzip.compress(content, mtime=0)).decode()})


def again(home: Place, live: Live) -> Desired:
    """The ConfigMap as it is: whoever reads it judges what is in it."""
    return _make(home, configuration(live), live.content.get("binaryData", {}))


def _make(home: Place, revision: str, packed: Mapping[str, str]) -> Desired:
    annotations = {names.REVISION_ANNOTATION: revision}
    return home.child(CONFIG_MAP, names.GATEWAY_SERVED, {"binaryData": dict(packed)}, annotations=annotations)


def ref(home: str) -> Ref:
    """Where it is."""
    return Ref(CONFIG_MAP, home, names.GATEWAY_SERVED)


def read(live: Live | None) -> Served | None:
    """What it keeps; None where that is nothing, or nothing that can be believed."""
    content = _unpacked(live.content.get("binaryData", {}).get(_KEY, "")) if live else None
    return whole(configuration(live), content["files"], content["routes"]) if content else None


def whole(revision: str, files: Mapping[str, str], routes: Mapping[str, str]) -> Served | None:
    """A configuration, if its files are those of that revision to the byte."""
    told = {name: content.encode() for name, content in files.items()}
    return Served(revision, files, routes) if is_whole(told, revision) else None


def _unpacked(packed: str) -> dict[str, dict[str, str]] | None:
    try:
        content: Any = orjson.loads(gzip.decompress(base64.b64decode(packed, validate=True)))
    except (binascii.Error, EOFError, OSError, zlib.error, orjson.JSONDecodeError):
        return None
    parts = content if isinstance(content, dict) else {}
    return parts if {"files", "routes"} == parts.keys() else None
