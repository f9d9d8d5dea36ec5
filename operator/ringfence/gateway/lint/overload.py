"""What Envoy gives up before it has all of its memory.

Law: word for word. A later threshold, or an action that is missing, is a gateway that one caller can end for all.
"""

from collections.abc import Iterator
from typing import Final

from ringfence.gateway.lint.finding import Finding
from ringfence.gateway.lint.parsed import BOOTSTRAP, LISTENERS, Json, Parsed

_HEAP: Final = "envoy.resource_monitors.fixed_heap"
_MONITORS: Final = "type.googleapis.com/envoy.extensions.resource_monitors"
_EARLY: Final = [{"name": _HEAP, "threshold": {"value": 0.85}}]
_LATE: Final = [{"name": _HEAP, "threshold": {"value": 0.95}}]
_BETWEEN: Final = [{"name": _HEAP, "scaled": {"scaling_threshold": 0.85, "saturation_threshold": 0.95}}]
_MANAGER: Final[Json] = {
    "refresh_interval": "0.1s",
    "resource_monitors": [
        {
            "name": "envoy.resource_monitors.global_downstream_max_connections",
            "typed_config": {
                "@type": f"{_MONITORS}.downstream_connections.v3.DownstreamConnectionsConfig",
                "max_active_downstream_connections": 20_000,
            },
        },
        {
            "name": _HEAP,
            # Four fifths of 512Mi.
            "typed_config": {"@type": f"{_MONITORS}.fixed_heap.v3.FixedHeapConfig", "max_heap_size_bytes": 429_496_729},
        },
    ],
    "buffer_factory_config": {"minimum_account_to_track_power_of_two": 14},
    "actions": [
        {"name": "envoy.overload_actions.shrink_heap", "triggers": _EARLY},
        {"name": "envoy.overload_actions.disable_http_keepalive", "triggers": _EARLY},
        {"name": "envoy.overload_actions.stop_accepting_requests", "triggers": _EARLY},
        {"name": "envoy.overload_actions.reset_high_memory_stream", "triggers": _BETWEEN},
    ],
    "loadshed_points": [{"name": "envoy.load_shed_points.http1_server_abort_dispatch", "triggers": _LATE}],
}


def overload(parsed: Parsed) -> Iterator[Finding]:
    """Bounds that are missing, or are not what they should be."""
    if parsed.files[BOOTSTRAP].get("overload_manager") != _MANAGER:
        yield Finding("overload", BOOTSTRAP, "memory and connections must be bounded, exactly so")
    if any("bypass_overload_manager" in each for each in parsed.files[LISTENERS].get("resources", [])):
        yield Finding("overload", LISTENERS, "no way in for callers may pass by these bounds")
