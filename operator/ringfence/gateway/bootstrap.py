"""What Envoy starts with: where the rest is, and what may be asked about it.

Law: its administration is a socket in the pod, which nobody reaches over a network. Two of its pages are handed out:
whether it is ready, and its counters.
"""

from typing import Final

from ringfence import names
from ringfence.gateway import overload, readiness
from ringfence.gateway.listener import EVERYWHERE
from ringfence.gateway.typed import ADMINISTRATION, Json, from_file, named

BOOTSTRAP: Final = "bootstrap.json"
LISTENERS: Final = "lds.json"
CLUSTERS: Final = "cds.json"
PAGES: Final = (readiness.READY, "/stats/prometheus")
_SOCKET: Final = f"{ADMINISTRATION}/admin.sock"
_ADMIN: Final = "ringfence.administration"
_LONGEST_EXPRESSION: Final = 1_000_000
"""Of a compiled regular expression; 100, Envoy's own, is less than a dozen namespaces. No client writes any of them."""


def bootstrap(tenant: str) -> Json:
    """The same for every configuration of a tenant: a pod need not be started again for a new one."""
    return {
        "node": {"id": f"{tenant}-gateway", "cluster": tenant},
        "admin": {"address": {"pipe": {"path": _SOCKET, "mode": 0o600}}},
        "dynamic_resources": {"lds_config": from_file(LISTENERS), "cds_config": from_file(CLUSTERS)},
        "static_resources": {"listeners": [_pages()], "clusters": [_administration()]},
        "layered_runtime": {"layers": [{"name": "static", "static_layer": _RUNTIME}]},
        "overload_manager": overload.manager(),
    }


_RUNTIME: Final = {"re2.max_program_size.error_level": _LONGEST_EXPRESSION}


def _administration() -> Json:
    endpoint = {"endpoint": {"address": {"pipe": {"path": _SOCKET}}}}
    return {
        "name": _ADMIN,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": _ADMIN, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _pages() -> Json:
    routes = [{"match": {"path": page, "headers": [_GET]}, "route": {"cluster": _ADMIN}} for page in PAGES]
    manager = named(
        "http",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="pages",
        codec_type="HTTP1",
        normalize_path=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        max_request_headers_kb=8,
        request_headers_timeout="5s",
        route_config={"virtual_hosts": [{"name": "pages", "domains": ["*"], "routes": routes}]},
        http_filters=[
            readiness.taken(_ADMIN),
            named("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router"),
        ],
    )
    address = {"socket_address": {"address": EVERYWHERE, "port_value": names.GATEWAY_METRICS_PORT}}
    return {
        "name": "pages",
        "address": address,
        "filter_chains": [{"filters": [manager]}],
        # Whether it is ready must be told even when there are too many connections, or too little memory.
        "ignore_global_conn_limit": True,
        "bypass_overload_manager": True,
    }


_GET: Final = {"name": ":method", "string_match": {"exact": "GET"}}
