"""Whether one end may connect to another, and which policies say so.

Law: a connection needs both sides: the source's egress and the target's ingress. What NetworkPolicies leave undefined
(pods on their node's network) or what is not known of a pod (its address, its names of ports) is `Answer.UNKNOWN`,
never a guess. Policies judge pods, after a Service's address was translated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ringfence.reach.addresses import Block
from ringfence.reach.policies import Anyone, Direction, Opening, Peer
from ringfence.reach.policies import Pods as SelectedPods
from ringfence.reach.ports import ALL, Port, Ports, common, merged, resolved
from ringfence.reach.world import End, External, Pod, World

_HOST_NETWORK: Final = "{} is on the network of its node, where NetworkPolicies are not defined"


class Answer(StrEnum):
    """Whether one end may connect to another."""

    ALLOWED = "ALLOWED"
    DENIED = "DENIED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Grant:
    """An opening that is for the other end, on these ports; with a ``doubt``, only if that is so."""

    policy: str
    ports: Ports
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """What the policies of one end say. It is open where no policy selects it, which ``isolating`` shows."""

    direction: Direction
    end: End
    isolating: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    doubt: str = ""

    @property
    def is_open(self) -> bool:
        """Whether nothing restricts this side."""
        return not self.isolating and not self.doubt

    def answer(self, port: Port | None = None) -> Answer:
        """What this side says of a port; without one, whether there is any port that it allows."""
        if self.doubt:
            return Answer.UNKNOWN
        if self.is_open or self.allowing(port):
            return Answer.ALLOWED
        return Answer.UNKNOWN if self.doubtful(port) else Answer.DENIED

    def allowing(self, port: Port | None = None) -> tuple[Grant, ...]:
        """The grants that surely hold."""
        return tuple(grant for grant in self._on(port) if not grant.doubt)

    def doubtful(self, port: Port | None = None) -> tuple[Grant, ...]:
        """The grants that hold if something is so that is not known."""
        return tuple(grant for grant in self._on(port) if grant.doubt)

    def ports(self, *, doubtful: bool = False) -> Ports:
        """All ports that it surely allows; with ``doubtful``, those that it may allow too."""
        if self.is_open or (self.doubt and doubtful):
            return ALL
        return merged(each for grant in self.grants if doubtful or not grant.doubt for each in grant.ports)

    def _on(self, port: Port | None) -> Iterator[Grant]:
        return (grant for grant in self.grants if port is None or any(each.holds(port) for each in grant.ports))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What both sides say."""

    egress: Side
    ingress: Side

    def answer(self, port: Port | None = None) -> Answer:
        """Whether the connection is possible: only if both sides allow it, and on the same port."""
        if port is None:
            return self._on_any_port()
        answers = {self.egress.answer(port), self.ingress.answer(port)}
        return next(each for each in (Answer.DENIED, Answer.UNKNOWN, Answer.ALLOWED) if each in answers)

    @property
    def ports(self) -> Ports:
        """All ports that both sides surely allow."""
        return common(self.egress.ports(), self.ingress.ports())

    def _on_any_port(self) -> Answer:
        if self.ports:
            return Answer.ALLOWED
        possible = common(self.egress.ports(doubtful=True), self.ingress.ports(doubtful=True))
        return Answer.UNKNOWN if possible else Answer.DENIED


def decide(world: World, source: End, target: End) -> Verdict:
    """What the policies say of connections from ``source`` to ``target``."""
    if isinstance(source, Pod) and source.is_known and source == target:
        return Verdict(Side(Direction.EGRESS, source), Side(Direction.INGRESS, target))  # nothing stands in between
    return Verdict(_side(world, Direction.EGRESS, source, target), _side(world, Direction.INGRESS, target, source))


def _side(world: World, direction: Direction, end: End, other: End) -> Side:
    if isinstance(end, External):
        return Side(direction, end)
    if host := next((each for each in (end, other) if isinstance(each, Pod) and each.host_network), None):
        return Side(direction, end, doubt=_HOST_NETWORK.format(host))
    isolating = [policy for policy in world.closing(end.namespace, direction) if policy.pods.matches(end.labels)]
    openings = [each for policy in isolating for each in policy.openings if each.direction is direction]
    target = end if direction is Direction.INGRESS else other
    grants = tuple(grant for each in openings for grant in _grants(world, end.namespace, each, other, target))
    return Side(direction, end, tuple(policy.name for policy in isolating), grants)


def _grants(world: World, namespace: str, opening: Opening, other: End, target: End) -> Iterator[Grant]:
    """The opening as far as it is for the other end, with names of ports resolved on the target."""
    fits, doubt = _fits(world, namespace, opening.peer, other)
    if not fits:
        return
    if isinstance(target, External) or target.is_known:
        ports = resolved(opening.ports, target.ports if isinstance(target, Pod) else {})
        if ports:
            yield Grant(opening.policy, ports, doubt)
        return
    numbered = tuple(each for each in opening.ports if not each.name)
    if numbered:
        yield Grant(opening.policy, numbered, doubt)
    for each in opening.ports:
        if each.name:
            named = f"the port is called {each.name} there"
            yield Grant(opening.policy, (each,), f"{doubt} and {named}" if doubt else named)


def _fits(world: World, namespace: str, peer: Peer, other: End) -> tuple[bool, str]:
    """Whether a peer means the other end, and what that depends on."""
    match peer, other:
        case Anyone(), _:
            return True, ""
        case Block(), External():
            return peer.holds(other.address), ""
        case Block(), Pod():
            return _has_address_in(world, peer, other)
        case SelectedPods(), Pod():
            return _is_selected(world, namespace, peer, other), ""
    return False, ""


def _is_selected(world: World, namespace: str, peer: SelectedPods, pod: Pod) -> bool:
    if peer.namespaces is None:
        return pod.namespace == namespace and peer.pods.matches(pod.labels)
    return peer.namespaces.matches(world.labels(pod.namespace)) and peer.pods.matches(pod.labels)


def _has_address_in(world: World, block: Block, pod: Pod) -> tuple[bool, str]:
    if pod.addresses:
        return any(block.holds(address) for address in pod.addresses), ""
    if block.is_everything or (world.pod_ranges and all(block.covers(each) for each in world.pod_ranges)):
        return True, ""
    if world.pod_ranges and not any(block.touches(each) for each in world.pod_ranges):
        return False, ""
    return True, f"the pod's address is in {block}"
