"""The end of a log: all that an append has to know of what is there already.

Law: a store that keeps this and compares it before it writes can't fork: who appends says after which leaf.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ringfence.lineage.entry import Entry, Head
from ringfence.lineage.leaf import NO_LEAF, make_leaf
from ringfence.lineage.merkle import Frontier, leaf_hash


@dataclass(frozen=True, slots=True)
class Tail:
    """A log's last leaf hash and the frontier of its tree."""

    last: bytes = NO_LEAF
    frontier: Frontier = field(default_factory=Frontier)

    @property
    def size(self) -> int:
        """How many leaves the log has."""
        return self.frontier.size

    def head(self) -> Head:
        """The same with the tree's root."""
        return Head(size=self.size, last=self.last, root=self.frontier.root())

    def extended(self, entries: Iterable[tuple[Entry, bytes]]) -> tuple["Tail", list[bytes]]:
        """The end after appending entries, each with its salt; and the bytes of their leaves, in order."""
        last, leaves, hashes = self.last, list[bytes](), list[bytes]()
        for index, (entry, salt) in enumerate(entries, start=self.size):
            leaf = make_leaf(
                entry.body, salt=salt, index=index, previous=last, time_ms=entry.time_ms, retention=entry.retention
            ).encoded()
            last = leaf_hash(leaf)
            leaves.append(leaf)
            hashes.append(last)
        return Tail(last, self.frontier.extended(hashes)), leaves
