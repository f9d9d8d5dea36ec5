"""Edits of the bounds on memory and connections, that the linter must see."""

from typing import Any, Final

from tests.unit.gateway.full import Json
from tests.unit.gateway.mutation import Mutation, dropping, putting

HEAP: Final = "envoy.resource_monitors.fixed_heap"


def manager(files: Json) -> Any:
    """What Envoy is told to do when little is left."""
    return files["bootstrap.json"]["overload_manager"]


def heap(files: Json) -> Any:
    """The bound of the heap."""
    return next(each["typed_config"] for each in manager(files)["resource_monitors"] if each["name"] == HEAP)


def refusing(files: Json) -> Any:
    """From where new requests are refused."""
    (found,) = (each for each in manager(files)["actions"] if each["name"].endswith(".stop_accepting_requests"))
    return found["triggers"][0]["threshold"]


def cutting(files: Json) -> Any:
    """From where requests are cut off."""
    return manager(files)["loadshed_points"][0]["triggers"][0]["threshold"]


OVERLOADS: Final = (
    Mutation("no bounds", dropping(lambda f: f["bootstrap.json"], "overload_manager"), "overload"),
    Mutation("no bound of connections", dropping(lambda f: manager(f)["resource_monitors"], 0), "overload"),
    Mutation("no bound of memory", dropping(lambda f: manager(f)["resource_monitors"], 1), "overload"),
    Mutation("more memory than there is", putting(heap, "max_heap_size_bytes", 512 << 20), "overload"),
    Mutation("memory that is seldom looked at", putting(manager, "refresh_interval", "10s"), "overload"),
    Mutation("requests that are refused too late", putting(refusing, "value", 0.99), "overload"),
    Mutation("requests that are never refused", dropping(lambda f: manager(f)["actions"], 2), "overload"),
    Mutation("requests that are cut off too late", putting(cutting, "value", 1.0), "overload"),
    Mutation("requests that are never cut off", dropping(manager, "loadshed_points"), "overload"),
    Mutation("streams whose memory is not known", dropping(manager, "buffer_factory_config"), "overload"),
    Mutation(
        "callers who pass by the bounds",
        putting(lambda f: f["lds.json"]["resources"][0], "bypass_overload_manager", True),
        "overload",
    ),
)
