"""How much memory Envoy may have, and what it gives up before it has all of it.

Law: whoever sends much ends his own requests, never the process: a process that is killed ends everybody's. First new
requests are refused, then what is still coming is cut off, so that bodies which are held already cannot grow further.

Source: Envoy, "Overload manager". Its action `reset_high_memory_stream` sees HTTP/2 alone and the load shed point
`http1_server_abort_dispatch` HTTP/1.1 alone, so both are needed. The point for HTTP/2 closes connections of either
without a word (measured, 1.40), so it is left out.
"""

from typing import Final

from ringfence.gateway.typed import Json, named

MEMORY_MIB: Final = 512
"""The limit of Envoy's container. An idle Envoy has 70 MiB; a held body up to twice its size."""
_HEAP_BYTES: Final = (MEMORY_MIB << 20) * 4 // 5
"""The rest is what is no heap: the program, stacks, and what comes between two looks."""
_LOOKED: Final = "0.1s"
"""How often memory is looked at."""
_REFUSED, _CUT_OFF = 0.85, 0.95
"""Parts of the heap from which new requests are refused, and from which requests that are there already are cut off."""
_TRACKED: Final = 14
"""As a power of two: streams of HTTP/2 that hold less are never reset."""
_CONNECTIONS: Final = 20_000
_HEAP: Final = "envoy.resource_monitors.fixed_heap"
_ACTION: Final = "envoy.overload_actions"
_POINT: Final = "envoy.load_shed_points"


def manager() -> Json:
    """Envoy's overload manager."""
    return {
        "refresh_interval": _LOOKED,
        "resource_monitors": [_connections(), _heap()],
        "buffer_factory_config": {"minimum_account_to_track_power_of_two": _TRACKED},
        "actions": [
            _above(_REFUSED, f"{_ACTION}.shrink_heap"),
            _above(_REFUSED, f"{_ACTION}.disable_http_keepalive"),
            _above(_REFUSED, f"{_ACTION}.stop_accepting_requests"),
            {"name": f"{_ACTION}.reset_high_memory_stream", "triggers": [_growing()]},
        ],
        "loadshed_points": [_above(_CUT_OFF, f"{_POINT}.http1_server_abort_dispatch")],
    }


def _connections() -> Json:
    monitor = "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
    name = "envoy.resource_monitors.global_downstream_max_connections"
    return named(name, monitor, max_active_downstream_connections=_CONNECTIONS)


def _heap() -> Json:
    monitor = "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig"
    return named(_HEAP, monitor, max_heap_size_bytes=_HEAP_BYTES)


def _above(part: float, name: str) -> Json:
    return {"name": name, "triggers": [{"name": _HEAP, "threshold": {"value": part}}]}


def _growing() -> Json:
    """The largest streams first, and more of them the less is left."""
    return {"name": _HEAP, "scaled": {"scaling_threshold": _REFUSED, "saturation_threshold": _CUT_OFF}}
