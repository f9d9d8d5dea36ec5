"""All files of a gateway's configuration: what its ConfigMap holds."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from ringfence.gateway import secrets
from ringfence.gateway.listener import ROUTES_FILE, listener
from ringfence.gateway.routes import route_configuration
from ringfence.gateway.served import Gateway
from ringfence.gateway.typed import RUN, Json, from_file, typed
from ringfence.gateway.upstreams import clusters, key_file

BOOTSTRAP: Final = "bootstrap.json"
_LISTENERS: Final = "lds.json"
_CLUSTERS: Final = "cds.json"
_CONNECTIONS: Final = 20_000
_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one gateway's ConfigMap holds."""

    revision: str
    """Hash of the content: 16 hexadecimal digits of SHA-256."""
    files: Mapping[str, bytes]
    """Contents by name, JSON."""


def configuration(gateway: Gateway) -> Configuration:
    """The files of ``gateway``; the same gateway gives the same bytes."""
    without = b"".join(name.encode() + content for name, content in sorted(_files(gateway, "").items()))
    revision = hashlib.sha256(without).hexdigest()[:_DIGITS]
    return Configuration(revision, _files(gateway, revision))


def _files(gateway: Gateway, revision: str) -> dict[str, bytes]:
    resources: dict[str, list[Json]] = {
        _LISTENERS: [listener(gateway)],
        _CLUSTERS: clusters(gateway),
        ROUTES_FILE: [route_configuration(gateway, revision)],
        secrets.CERTIFICATE_FILE: [secrets.certificate()],
        **{key_file(each): [secrets.provider_key(each)] for each in gateway.upstreams if each.has_key},
    }
    contents: dict[str, Any] = {name: {"resources": found} for name, found in resources.items()}
    contents[BOOTSTRAP] = bootstrap(gateway)
    return {name: orjson.dumps(content, option=orjson.OPT_SORT_KEYS) for name, content in contents.items()}


def bootstrap(gateway: Gateway) -> Json:
    """What Envoy starts with: where the rest is, and an administration that nobody reaches over a network."""
    monitor = typed(
        "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        max_active_downstream_connections=_CONNECTIONS,
    )
    name = "envoy.resource_monitors.global_downstream_max_connections"
    return {
        "node": {"id": f"{gateway.tenant}-gateway", "cluster": gateway.tenant},
        "admin": {"address": {"pipe": {"path": f"{RUN}/admin.sock", "mode": 0o600}}},
        "dynamic_resources": {"lds_config": from_file(_LISTENERS), "cds_config": from_file(_CLUSTERS)},
        "overload_manager": {"resource_monitors": [{"name": name, "typed_config": monitor}]},
    }
