"""Blocks of addresses, as NetworkPolicies name them.

Law: a block is about addresses and nothing else; whether a pod has one of them is known only of pods that run, and of
ranges that nodes say they give to pods.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Any

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Block:
    """The addresses of a network without those of the ``excluded`` ones."""

    network: Network
    excluded: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> "Block":
        """The block that an ``ipBlock`` says. Raises ValueError where one of its networks is none."""
        # Host bits are ignored, as net.ParseCIDR in the API server and in network plugins does.
        network = ip_network(raw["cidr"], strict=False)
        return cls(network, tuple(ip_network(each, strict=False) for each in raw.get("except") or ()))

    @property
    def is_everything(self) -> bool:
        """Whether it is a whole address family."""
        return self.network.prefixlen == 0 and not self.excluded

    def holds(self, address: Address) -> bool:
        """Whether the address is in it."""
        return address in self.network and not any(address in each for each in self.excluded)

    def covers(self, network: Network) -> bool:
        """Whether every address of the network is in it."""
        return within(network, self.network) and not any(_overlap(network, each) for each in self.excluded)

    def touches(self, network: Network) -> bool:
        """Whether some address of the network may be in it."""
        return _overlap(network, self.network) and not any(within(network, each) for each in self.excluded)

    def __str__(self) -> str:
        without = ", ".join(str(each) for each in self.excluded)
        return f"{self.network} without {without}" if without else str(self.network)


def within(narrow: Network, wide: Network) -> bool:
    """Whether every address of ``narrow`` is in ``wide``."""
    if isinstance(narrow, IPv4Network):
        return isinstance(wide, IPv4Network) and narrow.subnet_of(wide)
    return isinstance(wide, IPv6Network) and narrow.subnet_of(wide)


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)
