"""Everything that decides who reaches whom: namespaces with their labels, policies, and pods where they are known.

Law: a world is a value. A pod that is only described by its labels stands for every pod that could bear them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from ringfence.reach.addresses import Address, Network
from ringfence.reach.policies import ANYONE, Direction, Opening, Policy
from ringfence.reach.ports import ALL, Names
from ringfence.reach.selectors import Labels, Operator, Selector, witness

NAME_LABEL: Final = "kubernetes.io/metadata.name"
"""The API server sets it on every namespace, and nobody can change it."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A core namespace; ``known`` is false for one of which only the name is."""

    name: str
    labels: Labels
    known: bool = True


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that runs; without a ``name`` any pod with these labels, whose addresses and port names are not known."""

    namespace: str
    labels: Labels = field(default_factory=dict)
    name: str = ""
    addresses: tuple[Address, ...] = ()
    host_network: bool = False
    ports: Names = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether it is a pod that runs."""
        return bool(self.name)

    def __str__(self) -> str:
        if self.name:
            return f"pod {self.namespace}/{self.name}"
        labels = str(Selector.of(self.labels))
        return f"a pod of {self.namespace} " + (f"with {labels}" if labels else "without labels")


@dataclass(frozen=True, slots=True)
class External:
    """A machine outside the cluster."""

    address: Address

    def __str__(self) -> str:
        return str(self.address)


End = Pod | External


@dataclass(frozen=True)
class World:
    """What was read of a cluster."""

    namespaces: Mapping[str, Namespace]
    policies: Mapping[str, Sequence[Policy]]
    """By namespace."""
    pods: Mapping[str, Sequence[Pod]] = field(default_factory=dict)
    """By namespace."""
    pod_ranges: tuple[Network, ...] = ()
    """Networks that nodes give to pods; empty where that is not known."""

    def labels(self, namespace: str) -> Labels:
        """The labels of a namespace; its name alone where nothing else is known."""
        found = self.namespaces.get(namespace)
        return found.labels if found else {NAME_LABEL: namespace}

    def closing(self, namespace: str, direction: Direction) -> tuple[Policy, ...]:
        """The policies that close a direction for some of the namespace's pods."""
        return tuple(policy for policy in self.policies.get(namespace, ()) if direction in policy.closes)

    def openings(self, namespace: str, direction: Direction) -> tuple[Opening, ...]:
        """Every way in or out of the namespace, that of pods which no policy selects among them."""
        found = self._openings.get((namespace, direction))
        if found is None:
            found = self._openings[namespace, direction] = tuple(self._find(namespace, direction))
        return found

    def selected(self, selector: Selector) -> tuple[str, ...]:
        """The namespaces that a selector matches, in order."""
        found = self._selected.get(selector)
        if found is None:
            candidates = self._candidates(selector)
            found = tuple(name for name in candidates if selector.matches(self.namespaces[name].labels))
            self._selected[selector] = found
        return found

    def _find(self, namespace: str, direction: Direction) -> Iterator[Opening]:
        closing = self.closing(namespace, direction)
        for policy in closing:
            yield from (opening for opening in policy.openings if opening.direction is direction)
        avoided = tuple(policy.pods for policy in closing)
        if witness((), avoided) is not None:
            yield Opening(direction, "", Selector(), ANYONE, ALL, avoided)

    def _candidates(self, selector: Selector) -> Sequence[str]:
        """The fewest namespaces among which all that match must be."""
        fewest: Sequence[str] = list(self.namespaces)
        for each in selector.requirements:
            if each.operator is Operator.IN:
                bearing = [name for value in each.values for name in self._by_label.get((each.key, value), ())]
                fewest = min(fewest, bearing, key=len)
        return sorted(fewest)

    @cached_property
    def _by_label(self) -> Mapping[tuple[str, str], list[str]]:
        index: dict[tuple[str, str], list[str]] = {}
        for namespace in self.namespaces.values():
            for label in namespace.labels.items():
                index.setdefault(label, []).append(namespace.name)
        return index

    @cached_property
    def _openings(self) -> dict[tuple[str, Direction], tuple[Opening, ...]]:
        return {}

    @cached_property
    def _selected(self) -> dict[Selector, tuple[str, ...]]:
        return {}
