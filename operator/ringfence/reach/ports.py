"""Sets of ports, by protocol.

Law: a named port stands for a number that only the pod it is opened on knows; where no pod is known, it is any.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
_LAST: Final = 65535


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """The ports ``first`` to ``last`` of one protocol; with a name, those of them that a pod calls so."""

    protocol: str
    first: int = 1
    last: int = _LAST
    name: str = ""

    def overlap(self, other: "PortRange") -> "PortRange | None":
        """The ports of both; a name that either bears remains."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        if self.protocol != other.protocol or first > last:
            return None
        return PortRange(self.protocol, first, last, self.name or other.name)

    def holds(self, port: "Port") -> bool:
        """Whether the port is one of them, as far as numbers tell."""
        return self.protocol == port.protocol and self.first <= port.number <= self.last

    def __str__(self) -> str:
        if self.name:
            return f"{self.protocol} {self.name}"
        if (self.first, self.last) == (1, _LAST):
            return f"{self.protocol} all ports"
        return f"{self.protocol} {self.first}" + (f"-{self.last}" if self.last > self.first else "")


@dataclass(frozen=True, slots=True)
class Port:
    """One port of a pod."""

    protocol: str
    number: int

    def __str__(self) -> str:
        return f"{self.protocol} {self.number}"


Ports = tuple[PortRange, ...]
Names = Mapping[tuple[str, str], frozenset[int]]
"""The numbers that a pod gives a name, by name and protocol."""

ALL: Final[Ports] = tuple(PortRange(protocol) for protocol in PROTOCOLS)


def parse_ports(raw: Iterable[Mapping[str, Any]] | None) -> Ports:
    """The ports of a rule; none given means all. Raises ValueError for what the API server would refuse."""
    return merged([_parse(entry) for entry in raw]) if raw else ALL


def common(one: Ports, other: Ports) -> Ports:
    """The ports that are in both."""
    return merged(both for left in one for right in other if (both := left.overlap(right)))


def covers(wide: Ports, narrow: Ports) -> bool:
    """Whether every port of ``narrow`` is surely in ``wide``."""
    surely = merged(each for each in wide if not each.name)
    return all(any(_within(each, span) for span in surely) or each in wide for each in narrow)


def resolved(ports: Ports, names: Names) -> Ports:
    """The same with the numbers that a pod gives the names."""
    found: list[PortRange] = []
    for each in ports:
        numbers = names.get((each.name, each.protocol), frozenset())
        found += [PortRange(each.protocol, number, number) for number in numbers] if each.name else [each]
    return merged(found)


def merged(ranges: Iterable[PortRange]) -> Ports:
    """The same ports as few ranges as possible, in order."""
    found: list[PortRange] = []
    for each in sorted(set(ranges), key=lambda span: (span.protocol, span.name, span.first, span.last)):
        last = found[-1] if found else None
        if last and (last.protocol, last.name) == (each.protocol, each.name) and each.first <= last.last + 1:
            found[-1] = PortRange(last.protocol, last.first, max(last.last, each.last), last.name)
        else:
            found.append(each)
    return tuple(found)


def in_words(ports: Ports) -> str:
    """The ports as a person reads them."""
    return "all ports" if covers(ports, ALL) else ", ".join(str(each) for each in ports)


def _within(narrow: PortRange, wide: PortRange) -> bool:
    return narrow.protocol == wide.protocol and wide.first <= narrow.first and narrow.last <= wide.last


def _parse(entry: Mapping[str, Any]) -> PortRange:
    protocol, port, end = entry.get("protocol") or "TCP", entry.get("port"), entry.get("endPort")
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol {protocol!r} is none of {', '.join(PROTOCOLS)}")
    if end is not None and not (isinstance(port, int) and isinstance(end, int) and port <= end):
        raise ValueError(f"endPort {end!r} needs a number as port, and not a larger one")
    if port is None:
        return PortRange(protocol)
    if isinstance(port, str):
        return PortRange(protocol, name=port)
    return PortRange(protocol, int(port), int(port) if end is None else int(end))
