"""All files of a gateway's configuration: what its ConfigMap holds.

Law: the same gateway gives the same bytes, and other bytes have another revision.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from ringfence.gateway import secrets
from ringfence.gateway.bootstrap import BOOTSTRAP, CLUSTERS, LISTENERS, bootstrap
from ringfence.gateway.listener import ROUTES_FILE, listener
from ringfence.gateway.routes import route_configuration
from ringfence.gateway.served import Gateway
from ringfence.gateway.typed import Json
from ringfence.gateway.upstreams import clusters

LARGEST: Final = (1 << 20) - (32 << 10)
"""Bytes of all files together: the API server takes 1 MiB of a ConfigMap, and its names and labels are part of it."""
_DIGITS: Final = 16


class TooLargeError(Exception):
    """The configuration does not fit into a ConfigMap."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the gateway's configuration has {size:,} bytes, and at most {LARGEST:,} can be served")
        self.size = size


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one gateway's ConfigMap holds."""

    revision: str
    """Hash of the content: 16 hexadecimal digits of SHA-256."""
    files: Mapping[str, bytes]
    """Contents by name, JSON."""


def configuration(gateway: Gateway) -> Configuration:
    """The files of ``gateway``; raises `TooLargeError`."""
    revision = _hash(_fitting(_files(gateway, "")))
    return Configuration(revision, _fitting(_files(gateway, revision)))


def _fitting(files: dict[str, bytes]) -> dict[str, bytes]:
    size = sum(len(name) + len(content) for name, content in files.items())
    if size > LARGEST:
        raise TooLargeError(size)
    return files


def is_whole(files: Mapping[str, bytes], revision: str) -> bool:
    """Whether these are the very files of that revision: it is the hash of what they say but for itself."""
    said = revision.encode()
    return _hash({name: content.replace(said, b"") for name, content in files.items()}) == revision


def _hash(without: Mapping[str, bytes]) -> str:
    told = b"".join(name.encode() + b"\0" + content for name, content in sorted(without.items()))
    return hashlib.sha256(told).hexdigest()[:_DIGITS]


def _files(gateway: Gateway, revision: str) -> dict[str, bytes]:
    resources: dict[str, list[Json]] = {
        LISTENERS: [listener(gateway)],
        CLUSTERS: clusters(gateway),
        ROUTES_FILE: [route_configuration(gateway, revision)],
        secrets.CERTIFICATE_FILE: [secrets.certificate()],
        **{secrets.key_file(each): [secrets.provider_key(each)] for each in gateway.upstreams if each.has_key},
    }
    # Envoy tells for each kind of resource which version it took: one that it refused keeps the last one.
    contents: dict[str, Any] = {
        name: {"version_info": revision, "resources": found} for name, found in resources.items()
    }
    contents[BOOTSTRAP] = bootstrap(gateway.tenant)
    return {name: orjson.dumps(content, option=orjson.OPT_SORT_KEYS) for name, content in contents.items()}
