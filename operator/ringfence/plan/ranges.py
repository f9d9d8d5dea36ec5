"""Which networks outside the cluster may be opened.

Law: no opening overlaps a protected range, and while a range of the cluster is unknown nothing is opened. Private
networks are reached only by an exception that lies inside one: a wider exception leaves them out.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Final

from ringfence.model.addresses import PROTECTED_NETWORKS
from ringfence.model.tenant_network import EgressException
from ringfence.plan.children.allow_egress import Opening
from ringfence.plan.plan import Finding
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Facts

_WHOLE: Final = ("0.0.0.0/0", "::/0")
_PRIVATE: Final = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")

Network = IPv4Network | IPv6Network


def openings(exceptions: Iterable[EgressException], facts: Facts) -> tuple[Opening, ...]:
    """The exceptions that may be opened; see `refusals` for the others."""
    return tuple(
        Opening(exception.cidr, _private_inside(exception.cidr), tuple(sorted(exception.ports)))
        for exception in exceptions
        if _refusal(exception, facts) is None
    )


def refusals(exceptions: Iterable[EgressException], facts: Facts) -> tuple[Finding, ...]:
    """Why the other exceptions stay closed."""
    found = (_refusal(exception, facts) for exception in exceptions)
    return tuple(finding for finding in found if finding is not None)


def _refusal(exception: EgressException, facts: Facts) -> Finding | None:
    if facts.unknown_ranges:
        unknown = ", ".join(facts.unknown_ranges)
        return _finding(
            f"egress to {exception.cidr} stays closed: the cluster's ranges of {unknown} are unknown; "
            "set them in the operator's protected ranges"
        )
    if overlapped := overlap(exception.cidr, (*PROTECTED_NETWORKS, *facts.protected_ranges)):
        return _finding(
            f"egress to {exception.cidr} stays closed: it overlaps the protected range {overlapped}; "
            "name a network outside the cluster"
        )
    return None


def anywhere(facts: Facts, port: int) -> tuple[Opening, ...]:
    """Everything outside of the cluster, by this port; nothing while a range of the cluster is unknown."""
    if facts.unknown_ranges:
        return ()
    closed = (*PROTECTED_NETWORKS, *_PRIVATE, *facts.protected_ranges)
    return tuple(Opening(cidr, _inside(cidr, closed), (port,)) for cidr in _WHOLE)


def _inside(cidr: str, networks: Iterable[str]) -> tuple[str, ...]:
    """Those of the networks that lie in ``cidr``, each address in one of them only."""
    found = [_network(text) for text in networks]
    if isinstance(_network(cidr), IPv4Network):
        return tuple(map(str, collapse_addresses(each for each in found if isinstance(each, IPv4Network))))
    return tuple(map(str, collapse_addresses(each for each in found if isinstance(each, IPv6Network))))


def overlap(cidr: str, protected: Sequence[str]) -> str | None:
    """The first of the ``protected`` ranges that shares an address with ``cidr``."""
    wanted = _network(cidr)
    return next((text for text in protected if _overlaps(wanted, _network(text))), None)


def _private_inside(cidr: str) -> tuple[str, ...]:
    wanted = _network(cidr)
    return tuple(
        text for text in _PRIVATE if _overlaps(wanted, found := _network(text)) and wanted.prefixlen < found.prefixlen
    )


def _overlaps(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _finding(message: str) -> Finding:
    return Finding(Reason.PROTECTED_RANGE, message, ConditionType.ACCEPTED)


@lru_cache(maxsize=4096)
def _network(text: str) -> Network:
    return ip_network(text, strict=False)
