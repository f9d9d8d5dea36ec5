"""What the objects of a simulated cluster grant: who may do what, and who reaches whom."""

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.model.kinds import CORE_NAMESPACE, NETWORK_POLICY, ROLE_BINDING, Ref
from ringfence.reach.policies import Direction, Opening
from ringfence.reach.ports import Ports, covers, merged
from ringfence.reach.read import Reading, read
from ringfence.reach.verify import Place, Report, verify
from tests.simulation import Simulation

Role = tuple[str, ...]


def reading(world: Simulation) -> Reading:
    """The simulated cluster as the analyser reads it."""
    found = read(world.objects.values())
    assert found.unknown == ()
    return found


def report(world: Simulation) -> Report:
    """What `ringfence verify` says of it."""
    found = reading(world)
    return verify(found.world, found.declarations)


def namespaces(world: Simulation) -> dict[str, Mapping[str, str]]:
    """Labels of every core namespace, by name."""
    cores = ((ref, thing) for ref, thing in world.objects.items() if ref.type == CORE_NAMESPACE)
    return {ref.name: thing["metadata"].get("labels", {}) for ref, thing in cores}


def openings(world: Simulation) -> Iterator[Opening]:
    """Every way in or out of every namespace that a policy opens."""
    found = reading(world).world
    for namespace in found.namespaces:
        for direction in Direction:
            yield from (opening for opening in found.openings(namespace, direction) if opening.policy)


def chosen(world: Simulation) -> Iterator[tuple[Ref, Mapping[str, Any]]]:
    """Every selector of namespaces in a policy that Ringfence made, with that policy."""
    for ref, manifest in world.applied.items():
        if ref.type == NETWORK_POLICY:
            rules = (*manifest["spec"].get("ingress", ()), *manifest["spec"].get("egress", ()))
            peers = (peer for rule in rules for peer in (*rule.get("from", ()), *rule.get("to", ())))
            yield from ((ref, peer["namespaceSelector"]) for peer in peers if "namespaceSelector" in peer)


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector fits: written anew here, so that the analyser is not its own judge."""
    wanted = selector.get("matchLabels", {}).items()
    return wanted <= labels.items() and all(_fits(each, labels) for each in selector.get("matchExpressions", ()))


def _fits(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values", ())
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[expression["operator"]]


def roles(world: Simulation) -> frozenset[Role]:
    """Every role that anybody holds: the namespace, the role, the subject."""
    return frozenset(
        (ref.namespace, thing["roleRef"]["name"], subject["kind"], subject["name"])
        for ref, thing in world.objects.items()
        if ref.type == ROLE_BINDING
        for subject in thing.get("subjects", ())
    )


def widened(before: Simulation, after: Simulation) -> list[Any]:
    """What is granted after that was not granted before."""
    ways = _ways(before)
    return [
        *sorted(roles(after) - roles(before)),
        *((ends, ports) for ends, ports in _ways(after).items() if not covers(ways.get(ends, ()), ports)),
    ]


def _ways(world: Simulation) -> dict[tuple[Place, Place], Ports]:
    """All ports of all connections of tenants, by their ends."""
    found: dict[tuple[Place, Place], Ports] = {}
    for each in report(world).connections:
        ends = each.source, each.target
        found[ends] = merged((*found.get(ends, ()), *each.ports))
    return found
