"""Edits by which a caller could say himself where he is."""

from typing import Any, Final

from tests.unit.gateway import parts
from tests.unit.gateway.full import Json
from tests.unit.gateway.mutation import Mutation, adding, dropping, extension, putting

_XFF: Final = "extensions.http.original_ip_detection.xff.v3.XffConfig"
_CUSTOM: Final = "extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig"
_SOME: Final = {"address_prefix": "198.51.100.0", "prefix_len": 24}


def trusting(*cidrs: Json) -> Any:
    """Every address that a key may be used from is compared by the header, and these proxies are believed."""

    def change(files: Json) -> None:
        config = {"xff_trusted_cidrs": {"cidrs": list(cidrs)}} if cidrs else {}
        parts.manager(files)["use_remote_address"] = False
        parts.manager(files)["original_ip_detection_extensions"] = [extension(_XFF, **config)]

    return change


def networks(files: Json) -> list[Json]:
    """Those of the trusted proxies."""
    found: list[Json] = parts.proxies(files)["xff_trusted_cidrs"]["cidrs"]
    return found


def shortened(files: Json) -> None:
    networks(files)[0]["prefix_len"] = 0


ALONE: Final = (
    Mutation("a client's address by its word", putting(parts.manager, "use_remote_address", False), "address"),
    Mutation("no word on a client's address", dropping(parts.manager, "use_remote_address"), "address"),
    Mutation("a client's address by a count", putting(parts.manager, "xff_num_trusted_hops", 1), "field"),
    Mutation("a client's address by the header, of everybody", trusting(), "address"),
    Mutation("a client's address by a proxy's word, in a rule for none", trusting(_SOME), "address"),
    Mutation(
        "a client's address in a rule, by whatever was found out",
        lambda f: parts.key_places(f)[-1]["or_ids"].update(ids=[{"remote_ip": _SOME}]),
        "address",
    ),
    Mutation("a client's address by the old word", adding(parts.key_places, {"source_ip": _SOME}), "field"),
)
"""Where no proxy is trusted."""

BEHIND_PROXIES: Final = (
    Mutation("everybody is believed", dropping(parts.proxies, "xff_trusted_cidrs"), "address"),
    Mutation("nobody's networks", lambda f: networks(f).clear(), "address"),
    Mutation("all networks", shortened, "address"),
    Mutation("a network of any length", lambda f: networks(f)[0].pop("prefix_len"), "address"),
    Mutation("so many proxies, whoever they are", putting(parts.proxies, "xff_num_trusted_hops", 1), "field"),
    Mutation(
        "another header",
        lambda f: parts.manager(f).update(original_ip_detection_extensions=[extension(_CUSTOM, header_name="x-ip")]),
        "type",
    ),
    Mutation(
        "a second opinion",
        lambda f: parts.manager(f)["original_ip_detection_extensions"].append(extension(_XFF)),
        "address",
    ),
    Mutation("both ways at once", putting(parts.manager, "use_remote_address", True), "address"),
    Mutation("a proxy is a caller", lambda f: parts.key_places(f).pop(), "address"),
    Mutation("another proxy", adding(networks, _SOME), "address"),
    Mutation(
        "a proxy's own address",
        lambda f: parts.key_places(f)[-2]["or_ids"].update(ids=[{"direct_remote_ip": _SOME}]),
        "address",
    ),
)
"""Where proxies are trusted."""
