"""The RFC 6962 Merkle tree: leaf and node hashes, the frontier that a head needs, inclusion and consistency proofs.

Law: hashes in, hashes out. The frontier of a log of n leaves has as many hashes as n has one-bits, so that appending
costs O(log n) and no earlier leaf is read.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one leaf's bytes; another prefix than a node's, so that neither can pass for the other."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The roots of the perfect subtrees that the first ``size`` leaves make, largest first."""

    size: int = 0
    roots: tuple[bytes, ...] = ()

    def extended(self, hashes: Iterable[bytes]) -> "Frontier":
        """The frontier after appending leaves with these hashes."""
        size, roots = self.size, list(self.roots)
        for leaf in hashes:
            merged, carry = leaf, size
            while carry & 1:  # like adding one to a binary number: equal subtrees join
                merged, carry = node_hash(roots.pop(), merged), carry >> 1
            roots.append(merged)
            size += 1
        return Frontier(size, tuple(roots))

    def root(self) -> bytes:
        """The root of the whole tree."""
        if not self.roots:
            return EMPTY_ROOT
        *rest, root = self.roots
        for left in reversed(rest):
            root = node_hash(left, root)
        return root

    def encoded(self) -> bytes:
        """The hashes end to end, as a store keeps them."""
        return b"".join(self.roots)

    @classmethod
    def decoded(cls, size: int, data: bytes) -> "Frontier":
        """The inverse of `encoded`.

        Raises:
            ValueError: so many hashes don't belong to a tree of that size.
        """
        if len(data) != size.bit_count() * HASH_SIZE:
            raise ValueError(f"{len(data)} bytes are no frontier of {size} leaves")
        return cls(size, tuple(data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)))


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    return Frontier().extended(hashes).root()


def inclusion_proof(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that leaf ``index`` is in the tree over ``hashes`` (RFC 6962, 2.1.1).

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(hashes):
        raise IndexError(f"no leaf {index} in a tree of {len(hashes)}")
    if len(hashes) == 1:
        return []
    split = _split(len(hashes))
    left, right = hashes[:split], hashes[split:]
    if index < split:
        return [*inclusion_proof(left, index), root_of(right)]
    return [*inclusion_proof(right, index - split), root_of(left)]


def consistency_proof(hashes: Sequence[bytes], size: int) -> list[bytes]:
    """The proof that the tree over ``hashes`` grew from its first ``size`` leaves (RFC 6962, 2.1.2).

    Raises:
        ValueError: the tree is smaller than that, or ``size`` is not positive.
    """
    if not 0 < size <= len(hashes):
        raise ValueError(f"a tree of {len(hashes)} leaves never had {size}")
    return _subproof(hashes, size, known=True)


def is_included(proof: Sequence[bytes], leaf: bytes, index: int, size: int, root: bytes) -> bool:
    """Whether ``proof`` shows that the leaf with hash ``leaf`` is at ``index`` in the tree of that size and root."""
    if not 0 <= index < size:
        return False
    node, last, computed = index, size - 1, leaf
    for sibling in proof:  # RFC 9162, 2.1.3.2
        if last == 0:
            return False
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and computed == root


def is_consistent(proof: Sequence[bytes], old_size: int, old_root: bytes, size: int, root: bytes) -> bool:
    """Whether ``proof`` shows that the tree of ``size`` leaves begins with the tree of ``old_size``."""
    if not 0 < old_size <= size:
        return False
    if old_size == size:
        return not proof and old_root == root
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not path:
        return False
    node, last = old_size - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:  # RFC 9162, 2.1.4.2
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old == old_root and new == root


def _subproof(hashes: Sequence[bytes], size: int, *, known: bool) -> list[bytes]:
    if size == len(hashes):
        return [] if known else [root_of(hashes)]
    split = _split(len(hashes))
    left, right = hashes[:split], hashes[split:]
    if size <= split:
        return [*_subproof(left, size, known=known), root_of(right)]
    return [*_subproof(right, size - split, known=False), root_of(left)]


def _split(size: int) -> int:
    """The largest power of two below ``size``: how RFC 6962 divides a tree."""
    return 1 << ((size - 1).bit_length() - 1)
