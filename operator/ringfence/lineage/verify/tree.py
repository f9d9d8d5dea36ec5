"""The leaves together: the chain, and the tree at the head and at every checkpoint.

Law: trust goes backwards. The head names the last leaf's hash, and a leaf that has the hash it should have names the
hash of the one before it. So a leaf that is wrong or missing is known by its right hash, and the tree over the right
hashes still has to have the signed root.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ringfence.lineage.checkpoint import SignedCheckpoint
from ringfence.lineage.entry import Head, LogId
from ringfence.lineage.leaf import NO_LEAF
from ringfence.lineage.merkle import EMPTY_ROOT, Frontier
from ringfence.lineage.verify.findings import Finding, FindingKind
from ringfence.lineage.verify.rows import Known


@dataclass(slots=True)
class Tree:
    """Looks at the leaves together."""

    log: LogId
    leaves: list[Known | None]
    strays: dict[int, Known]
    findings: list[Finding]
    hashes: list[bytes | None] = field(default_factory=list)
    """The hash that each leaf should have, as far as it is known."""

    def check_chain(self, head: Head) -> None:
        """Compare each leaf with what the next one, or the head, says of it."""
        expected: bytes | None = head.last
        self.hashes = [None] * len(self.leaves)
        for index in range(len(self.leaves) - 1, -1, -1):
            expected = self._check_leaf(index, expected)
        if expected is not None and expected != NO_LEAF:
            self._find(FindingKind.LEAF_ALTERED, 0, "it follows another leaf, but it is the first")

    def check_roots(self, head: Head, checkpoints: Sequence[SignedCheckpoint]) -> None:
        """Compare the tree with the head and with every checkpoint, each at its size."""
        roots = self._roots({head.size, *(signed.checkpoint.size for signed in checkpoints)})
        if head.size in roots and roots[head.size] != head.root:
            message = f"the root that the store keeps for its {head.size} leaves is not theirs"
            self.findings.append(Finding(FindingKind.HEAD_WRONG, self.log, message))
        for signed in checkpoints:
            self._check_checkpoint(signed, roots)

    def _check_leaf(self, index: int, expected: bytes | None) -> bytes | None:
        """Answer what this leaf says of the one before it, if it can be believed."""
        leaf = self.leaves[index] or self.strays.get(index)
        self.hashes[index] = expected or (leaf.hash if leaf else None)
        if leaf is None:
            return None
        if leaf.previous is None or expected not in (None, leaf.hash):
            self._find(FindingKind.LEAF_ALTERED, index, "its bytes are not those that were chained")
            return None
        return leaf.previous

    def _roots(self, sizes: set[int]) -> dict[int, bytes]:
        """The roots at those sizes, as far as every hash up to there is known."""
        known = next((at for at, leaf in enumerate(self.hashes) if leaf is None), len(self.hashes))
        roots, frontier = {0: EMPTY_ROOT}, Frontier()
        for size in sorted(size for size in sizes if size <= known):
            frontier = frontier.extended(leaf for leaf in self.hashes[frontier.size : size] if leaf is not None)
            roots[size] = frontier.root()
        return roots

    def _check_checkpoint(self, signed: SignedCheckpoint, roots: dict[int, bytes]) -> None:
        size = signed.checkpoint.size
        if size > len(self.leaves):
            message = f"a checkpoint of {size} leaves was published, only {len(self.leaves)} are here: an old copy"
            self.findings.append(Finding(FindingKind.CHECKPOINT_AHEAD, self.log, message))
        elif size not in roots:
            message = f"the checkpoint of {size} leaves can't be checked, since a leaf's hash is not known"
            self.findings.append(Finding(FindingKind.CHECKPOINT_WRONG, self.log, message))
        elif roots[size] != signed.checkpoint.root:
            message = f"the checkpoint of {size} leaves has another root than the leaves"
            self.findings.append(Finding(FindingKind.CHECKPOINT_WRONG, self.log, message))

    def _find(self, kind: FindingKind, index: int, message: str) -> None:
        self.findings.append(Finding(kind, self.log, f"leaf {index}: {message}", index))
