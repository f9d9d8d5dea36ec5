"""Which connections between Namespaces are open.

Law: both sides declare it, with the same port, in the same environment; a model frontend admits the gateway only.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ringfence.model.namespace import NamespaceSpec
from ringfence.plan import frontends
from ringfence.plan.children.allow_peers import Connection
from ringfence.plan.namespace.site import Site
from ringfence.plan.plan import Finding
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Seen

Declared = Mapping[str, frozenset[int]]
"""Ports by the name of the other Namespace."""


@dataclass(frozen=True, slots=True)
class Peers:
    """What is open, and what was asked for in vain."""

    ingress: tuple[Connection, ...] = ()
    egress: tuple[Connection, ...] = ()
    findings: tuple[Finding, ...] = ()


def peers(site: Site, seen: Seen) -> Peers:
    """Judge every connection that the Namespace declares; in quarantine there is none to judge."""
    if site.quarantined:
        return Peers()
    others = _candidates(site, seen)
    own = site.subject.name
    inward = _Side(
        declared=_ingress(site.spec),
        answer=lambda other: _but_for_frontends(_egress(others[other]).get(own, frozenset()), own, site, seen),
        words=("from", "spec.network.egress"),
    )
    outward = _Side(
        declared=_egress(site.spec),
        answer=lambda other: _but_for_frontends(_ingress(others[other]).get(own, frozenset()), other, site, seen),
        words=("to", "spec.network.ingress"),
    )
    return Peers(
        tuple(_agreed(inward, others)),
        tuple(_agreed(outward, others)),
        (*_vain(inward, others), *_vain(outward, others)),
    )


def declared_by(spec: NamespaceSpec) -> frozenset[str]:
    """All Namespaces that one names as peers."""
    return frozenset(_ingress(spec)) | frozenset(_egress(spec))


@dataclass(frozen=True, slots=True)
class _Side:
    """One direction: what this Namespace declares, and what the other one answers."""

    declared: Declared
    answer: Callable[[str], frozenset[int]]
    words: tuple[str, str]


def _but_for_frontends(ports: frozenset[int], reached: str, site: Site, seen: Seen) -> frozenset[int]:
    """Those of ``ports`` at which no frontend in the Namespace that is ``reached`` can be."""
    return ports - frontends.kept_from_peers(site.owner.name, site.tenant, reached, ports, seen)


def _candidates(site: Site, seen: Seen) -> dict[str, NamespaceSpec]:
    """Namespaces that may be peers at all: of the same environment, not quarantined, and not on their way out."""
    return {
        each.name: each.spec
        for each in seen.namespaces
        if each.spec is not None
        and not each.meta.deleting
        and (each.spec.environment, each.spec.isolation) == (site.spec.environment, "Enforced")
    }


def _agreed(side: _Side, others: Mapping[str, NamespaceSpec]) -> Iterable[Connection]:
    for other, ports in sorted(side.declared.items()):
        if other in others and (both := ports & side.answer(other)):
            yield Connection(other, tuple(sorted(both)))


def _vain(side: _Side, others: Mapping[str, NamespaceSpec]) -> Iterable[Finding]:
    direction, place = side.words
    for other, ports in sorted(side.declared.items()):
        missing = ports - (side.answer(other) if other in others else frozenset())
        if missing:
            numbers = ", ".join(str(port) for port in sorted(missing))
            why = (
                f"{place} of Namespace {other} must declare it too, and no peer gets a port that a frontend may have"
                if other in others
                else f"there is no Namespace {other} in the same environment, or it is quarantined"
            )
            message = f"ports {numbers} {direction} {other} stay closed: {why}"
            yield Finding(Reason.PEER_NOT_DECLARED, message, ConditionType.ACCEPTED)


def _ingress(spec: NamespaceSpec) -> Declared:
    return _merged((rule.source.namespace, rule.ports) for rule in spec.network.ingress)


def _egress(spec: NamespaceSpec) -> Declared:
    return _merged((rule.target.namespace, rule.ports) for rule in spec.network.egress)


def _merged(rules: Iterable[tuple[str, tuple[int, ...]]]) -> Declared:
    ports: dict[str, frozenset[int]] = {}
    for other, numbers in rules:
        ports[other] = ports.get(other, frozenset()) | frozenset(numbers)
    return ports
