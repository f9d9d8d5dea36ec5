"""Who says where a caller is.

Law: the connection, or a proxy whose own address is in a network that is trusted by name; and what a rule compares is
what was found out that way.
"""

from collections.abc import Iterator
from typing import Final

from ringfence.gateway.lint.finding import Finding
from ringfence.gateway.lint.parsed import LISTENERS, ROUTES, Json, Parsed, nodes, type_of

_DETECTION: Final = "envoy.extensions.http.original_ip_detection.xff.v3.XffConfig"
_KINDS: Final = {"direct_remote_ip", "remote_ip"}
_RANGE: Final = {"address_prefix", "prefix_len"}


def addresses(parsed: Parsed) -> Iterator[Finding]:
    """Ways by which a caller could say himself where he is."""
    trusted: list[Json] = []
    for where, manager in parsed.typed("HttpConnectionManager"):
        if where.startswith(LISTENERS):
            extensions = manager.get("original_ip_detection_extensions", [])
            trusted = _trusted(extensions)
            if manager.get("use_remote_address") is not (not extensions):
                yield Finding("address", where, "a caller's address is his connection's, or what a proxy says")
            if extensions and not trusted:
                yield Finding("address", where, "proxies must be trusted by their own networks")
    for policy in parsed.admission.get("policies", {}).values():
        if not _is_compared(policy, trusted):
            yield Finding("address", ROUTES, "a rule compares an address that a caller could choose")


def _trusted(extensions: list[Json]) -> list[Json]:
    """The networks of trusted proxies; none where one of them can't be judged."""
    if len(extensions) != 1:
        return []
    config = extensions[0].get("typed_config", {})
    found = config.get("xff_trusted_cidrs", {}).get("cidrs", [])
    known = type_of(config) == _DETECTION and set(config) == {"@type", "xff_trusted_cidrs"}
    return list(found) if known and all(map(_is_network, found)) else []


def _is_network(found: Json) -> bool:
    return set(found) == _RANGE and type(found["prefix_len"]) is int and found["prefix_len"] > 0


def _is_compared(policy: Json, trusted: list[Json]) -> bool:
    """Whether each address that a rule looks at is what was found out of a caller, and no proxy's."""
    kinds = _KINDS & {field for _, field, _ in nodes(policy, "")}
    if not kinds:
        return True
    if not trusted:
        return kinds == {"direct_remote_ip"}
    no_proxy = {"not_id": {"or_ids": {"ids": [{"remote_ip": each} for each in trusted]}}}
    return kinds == {"remote_ip"} and all(
        no_proxy in each.get("and_ids", {}).get("ids", []) for each in policy.get("principals", [])
    )
