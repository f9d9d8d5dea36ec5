"""Which connections are possible at all, whatever pods there will be.

Law: a path is one opening on each side that fit each other: pods could exist that both of them mean, on a port that
both have. So every connection that `decide` would ever allow runs along a path, whatever labels its pods bear.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ringfence.reach.addresses import Block
from ringfence.reach.policies import Anyone, Direction, Opening
from ringfence.reach.policies import Pods as SelectedPods
from ringfence.reach.ports import Ports, common
from ringfence.reach.selectors import EVERYTHING, Labels, Selector, witness
from ringfence.reach.world import World


@dataclass(frozen=True, slots=True)
class Path:
    """Pods with these labels, of two namespaces, can connect on these ports; the openings let them."""

    source: str
    source_labels: Labels
    target: str
    target_labels: Labels
    ports: Ports
    egress: Opening
    ingress: Opening

    @property
    def policies(self) -> tuple[str, ...]:
        """The policies that open it; none where no policy selects the pods."""
        return tuple(dict.fromkeys(each.policy for each in (self.egress, self.ingress) if each.policy))


def paths(
    world: World,
    source: str,
    target: str,
    *,
    out: Iterable[Opening] | None = None,
    into: Iterable[Opening] | None = None,
) -> Iterator[Path]:
    """All paths between two namespaces, which may be one; only those ``out`` of the source and ``into`` the target."""
    inward = _meaning(world, target, world.openings(target, Direction.INGRESS) if into is None else into, source)
    for egress in world.openings(source, Direction.EGRESS) if out is None else out:
        means_target = meant(world, source, egress, target)
        if means_target is None:
            continue
        for ingress, means_source in inward:
            ports = common(egress.ports, ingress.ports)
            source_labels = witness([egress.pods, means_source], egress.avoided)
            target_labels = witness([ingress.pods, means_target], ingress.avoided)
            if ports and source_labels is not None and target_labels is not None:
                yield Path(source, source_labels, target, target_labels, ports, egress, ingress)


def _meaning(world: World, namespace: str, openings: Iterable[Opening], other: str) -> list[tuple[Opening, Selector]]:
    found = ((opening, meant(world, namespace, opening, other)) for opening in openings)
    return [(opening, pods) for opening, pods in found if pods is not None]


def meant(world: World, namespace: str, opening: Opening, other: str) -> Selector | None:
    """Which pods of the other namespace an opening of ``namespace`` is for; None where it is for none of them."""
    match opening.peer:
        case Anyone():
            return EVERYTHING
        case Block() as block:
            return EVERYTHING if _may_hold_pods(world, block, other) else None
        case SelectedPods(None, pods):
            return pods if other == namespace else None
        case SelectedPods(namespaces, pods) if namespaces is not None:
            return pods if namespaces.matches(world.labels(other)) else None
    return None


def others(world: World, namespace: str, opening: Opening) -> tuple[str, ...]:
    """The namespaces that an opening is for, in order."""
    match opening.peer:
        case SelectedPods(None, _):
            return (namespace,)
        case SelectedPods(namespaces, _) if namespaces is not None:
            return world.selected(namespaces)
    return tuple(other for other in sorted(world.namespaces) if meant(world, namespace, opening, other) is not None)


def _may_hold_pods(world: World, block: Block, namespace: str) -> bool:
    """Whether pods of the namespace have such addresses, as far as addresses of pods are known."""
    running = (address for pod in world.pods.get(namespace, ()) for address in pod.addresses)
    ranges = any(block.touches(each) for each in world.pod_ranges)
    return block.is_everything or ranges or any(block.holds(address) for address in running)
