"""A leaf: what a log keeps of an event for ever, and all that its proofs cover.

Law: a leaf names nobody. It commits to the body by a salted hash, so body and salt can be destroyed together and
what remains neither shows them nor lets anyone guess them, while chain and tree stay whole.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import orjson

from ringfence.lineage.entry import RetentionClass
from ringfence.lineage.merkle import HASH_SIZE, leaf_hash

VERSION: Final = 1
SALT_SIZE: Final = 16
NO_LEAF: Final = bytes(HASH_SIZE)
"""What the first leaf has in place of the hash of the leaf before it."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf, decoded."""

    index: int
    commitment: bytes
    previous: bytes
    """The hash of the leaf before it."""
    retention: str
    """The retention class of the body; of an older or newer release it may be one that this one does not know."""
    time_ms: int

    def encoded(self) -> bytes:
        """The leaf's bytes: RFC 8785 JSON, about 193 of them."""
        fields = {
            "c": self.commitment.hex(),
            "k": self.retention,
            "n": self.index,
            "p": self.previous.hex(),
            "t": self.time_ms,
            "v": VERSION,
        }
        return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)

    def hash(self) -> bytes:
        """The leaf's hash: in the tree, and in the next leaf."""
        return leaf_hash(self.encoded())


def commitment(body: bytes, salt: bytes) -> bytes:
    """The salted hash by which a leaf commits to a body.

    Raises:
        ValueError: the salt has another length; a shorter one could be guessed.
    """
    if len(salt) != SALT_SIZE:
        raise ValueError(f"a salt has {SALT_SIZE} bytes, not {len(salt)}")
    return hashlib.sha256(salt + body).digest()


def make_leaf(
    body: bytes, *, salt: bytes, index: int, previous: bytes, time_ms: int, retention: RetentionClass
) -> Leaf:
    """The leaf for ``body`` at place ``index`` after the leaf with hash ``previous``."""
    return Leaf(index=index, commitment=commitment(body, salt), previous=previous, retention=retention, time_ms=time_ms)


def decode_leaf(data: bytes) -> Leaf:
    """Read a leaf's bytes; exactly those that `Leaf.encoded` writes are accepted.

    Raises:
        ValueError: they are not a leaf, not of this version, or not canonical.
    """
    try:
        leaf = _read(orjson.loads(data))
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError("not a leaf") from error
    if leaf.encoded() != data:  # also what hexadecimal and numbers written otherwise come to
        raise ValueError("not the canonical bytes of a leaf")
    return leaf


def _read(fields: dict[str, object]) -> Leaf:
    version, index, time_ms, retention = fields["v"], fields["n"], fields["t"], fields["k"]
    if version != VERSION:
        raise ValueError(f"leaf of version {version!r}, this release reads {VERSION}")
    if not (isinstance(index, int) and isinstance(time_ms, int) and isinstance(retention, str)):
        raise TypeError("a field of another type")
    return Leaf(index, _read_hash(fields["c"]), _read_hash(fields["p"]), retention, time_ms)


def _read_hash(value: object) -> bytes:
    if not isinstance(value, str) or len(value) != 2 * HASH_SIZE:
        raise TypeError("not a hash in hexadecimal")
    return bytes.fromhex(value)
