"""Where traffic may go: hosts, paths, URLs and networks.

Law: an address is structured and names its target exactly; what resolves to the inside of a cluster, to the machine
itself or to a metadata service is refused here, before any request is sent.
"""

import re
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Annotated, Final

from pydantic import Field

from ringfence.model.fields import NamespaceName, Port
from ringfence.model.rules import Model, Rule, Unique, cel_list, matches

Network = IPv4Network | IPv6Network

PROTECTED_NETWORKS: Final = (
    "0.0.0.0/8",  # this host
    "127.0.0.0/8",  # loopback
    "169.254.0.0/16",  # link-local, with the metadata services of most clouds
    "100.100.100.200/32",  # metadata service of Alibaba Cloud
    "192.0.0.0/24",  # IETF protocol assignments, with the metadata service of Oracle Cloud
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, broadcast
    "::/128",
    "::1/128",
    "fe80::/10",
    "fd00:ec2::/32",  # metadata service of AWS
    "fd20:ce::/32",  # metadata service of Google Cloud
    "ff00::/8",
    "64:ff9b::/96",  # NAT64: IPv4 by another name
    "2002::/16",  # 6to4: likewise
)
_PROTECTED: Final = tuple(ip_network(network) for network in PROTECTED_NETWORKS)

_LABEL: Final = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DNS_NAME: Final = f"({_LABEL}[.])+[a-z][a-z0-9-]{{0,61}}[a-z0-9]"
_SEGMENTS: Final = "(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*"
_INSIDE: Final = (
    "localhost|localdomain|local|internal|intranet|private|corp|home|lan|svc|cluster|arpa|onion|test|invalid"
    "|nip[.]io|sslip[.]io|xip[.]io"  # names that resolve to the address they spell
)
_HIDDEN_HOST: Final = f"(^|[.])({_INSIDE})$|[.]svc[.]|(^|[.])metadata[.]|(^|[.])xn--"
_HIDDEN_URL: Final = (
    f"^https://([^/]*[.])?({_INSIDE})(/|$)|^https://[^/]*[.]svc[.]|^https://([^/]*[.])?(metadata[.]|xn--)"
)


def _avoids(pattern: str, message: str) -> Rule:
    compiled = re.compile(pattern)
    return Rule(f"!self.matches('{pattern}')", message, lambda text: compiled.search(text) is None)


Host = Annotated[
    str,
    Field(max_length=253),
    matches(_DNS_NAME, "must be a full lower-case DNS name: no address, no port, no trailing dot"),
    _avoids(_HIDDEN_HOST, "internal, wildcard-DNS and punycode names are refused"),
]
Path = Annotated[
    str,
    Field(max_length=200),
    matches(_SEGMENTS, "must be empty or /a/b of letters, digits and ._~-, no segment starting with a dot"),
    Rule("!self.contains('..')", "must not contain ..", lambda path: ".." not in path),
]
Url = Annotated[
    str,
    Field(max_length=300),
    matches(
        f"https://{_DNS_NAME}{_SEGMENTS}/?", "must be https://<full DNS name>/<path>: no address, port, user or query"
    ),
    _avoids(_HIDDEN_URL, "internal, wildcard-DNS and punycode names are refused"),
]
ServedHost = Annotated[
    str,
    Field(max_length=253),
    matches(f"([*][.])?{_DNS_NAME}", "must be a full lower-case DNS name, perhaps with *. in front"),
]
"""A host name that a tenant serves under; ``*.acme.example`` stands for every name one label below."""


def network(text: str) -> Network | None:
    """The network that ``text`` says in CIDR notation, host bits zero; None where it says none."""
    if re.fullmatch("[0-9A-Fa-f.:]+/(0|[1-9][0-9]{0,2})", text) is None:
        return None
    try:
        found = ip_network(text)
    except ValueError:
        return None
    mapped = isinstance(found.network_address, IPv6Address) and found.network_address.ipv4_mapped is not None
    return None if mapped else found


def _avoids_protected(text: str) -> bool:
    wanted = network(text)
    return wanted is None or not any(_overlap(wanted, protected) for protected in _PROTECTED)


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


_IS_NETWORK: Final = Rule(
    "isCIDR(self) && cidr(self) == cidr(self).masked()",
    "must be a network in CIDR notation with zero host bits, such as 203.0.113.0/24",
    lambda text: network(text) is not None,
)
_IS_UNPROTECTED: Final = Rule(
    f"!isCIDR(self) || {cel_list(PROTECTED_NETWORKS)}"
    ".all(p, !cidr(p).containsCIDR(cidr(self)) && !cidr(self).containsCIDR(cidr(p)))",
    "must not overlap link-local, metadata, loopback, multicast or reserved addresses",
    _avoids_protected,
)
Cidr = Annotated[str, Field(max_length=43), _IS_NETWORK]
OutsideCidr = Annotated[str, Field(max_length=43), _IS_NETWORK, _IS_UNPROTECTED]
"""A network outside the cluster. The planner judges the ranges that only a cluster knows: pods, Services, nodes."""

Ports = Annotated[tuple[Port, ...], Field(min_length=1, max_length=32), Unique()]


class NamespacePeer(Model):
    """The pods of another Namespace of the same tenant and environment."""

    namespace: NamespaceName
    """Name of the Namespace object."""
