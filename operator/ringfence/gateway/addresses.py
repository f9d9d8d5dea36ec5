"""Where a caller is: the address of his connection, or what a trusted proxy before the gateway says of it.

Law: trust is in networks. `x-forwarded-for` is looked at where the connection itself comes from a trusted proxy, and no
further back than to the last address that is none; a proxy that does not say who its client is has none.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Final

from ringfence.gateway.typed import Json, named

_DETECTION: Final = "envoy.extensions.http.original_ip_detection.xff.v3.XffConfig"


def detected(proxies: tuple[str, ...]) -> Json:
    """The connection manager's fields by which it knows a client's address.

    Envoy takes one way or the other. Without an extension it would add one of its own that believes everybody, were
    `use_remote_address` not set.
    """
    if not proxies:
        return {"use_remote_address": True}
    trusted = named("ringfence.proxies", _DETECTION, xff_trusted_cidrs={"cidrs": list(map(_range, proxies))})
    return {"use_remote_address": False, "original_ip_detection_extensions": [trusted]}


def inside(cidrs: Iterable[str], proxies: tuple[str, ...]) -> Iterator[Json]:
    """Principals that together mean: who is in one of these networks.

    Where there are no proxies, no header can have a say. Where there are, what the connection manager found out is
    still the proxy's own address if its header is missing, or is no address.
    """
    if not proxies:
        yield _any("direct_remote_ip", cidrs)
        return
    yield _any("remote_ip", cidrs)
    yield {"not_id": _any("remote_ip", proxies)}


def _any(kind: str, cidrs: Iterable[str]) -> Json:
    return {"or_ids": {"ids": [{kind: _range(each)} for each in cidrs]}}


def _range(cidr: str) -> Json:
    network = ipaddress.ip_network(cidr)
    return {"address_prefix": str(network.network_address), "prefix_len": network.prefixlen}
