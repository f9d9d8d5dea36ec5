"""Each row by itself: is it there, in its place, and does its body fit its leaf.

Law: a row that is gone, moved or unreadable is named here or by the chain, once, and the rows after it are still read.
"""

from dataclasses import dataclass, field

from ringfence.lineage.entry import LogId, Record
from ringfence.lineage.leaf import SALT_SIZE, Leaf, commitment, decode_leaf
from ringfence.lineage.merkle import leaf_hash
from ringfence.lineage.verify.findings import Finding, FindingKind
from ringfence.lineage.verify.runs import Runs


@dataclass(slots=True)
class Known:
    """What the tree needs of a row: 64 bytes instead of the record."""

    hash: bytes
    previous: bytes | None
    """What it says is the hash of the leaf before it; ``None`` if it is no leaf."""


@dataclass(slots=True)
class Rows:
    """Looks at each row by itself: is it there, in its place, and does its body fit its leaf."""

    log: LogId
    size: int
    findings: list[Finding] = field(default_factory=list)
    leaves: list[Known | None] = field(default_factory=list)
    strays: dict[int, Known] = field(default_factory=dict)
    """Leaves that are in another's place, by the place that they name."""
    runs: Runs = field(init=False)

    def __post_init__(self) -> None:
        self.runs = Runs(self.log, self.findings)

    def add(self, record: Record) -> None:
        """Take the next row."""
        if record.index >= self.size:
            self._find(FindingKind.LEAF_BEYOND_END, record.index, f"the log ends after {self.size} leaves")
            return
        if record.index < len(self.leaves):
            self._find(FindingKind.LEAF_MISPLACED, record.index, "there is another row of this number")
            return
        self._skip_to(record.index)
        if record.leaf is None:
            self._lose(FindingKind.LEAF_MISSING, "its body is there, the leaf is not")
            return
        known, leaf = _decode(record.leaf)
        if leaf is None:
            self.leaves.append(known)  # the chain will say so: no other bytes have the hash that the next leaf names
            self.runs.complete = False
        elif leaf.index == record.index:
            self.leaves.append(known)
            self._check_body(record, leaf)
        else:
            self.strays[leaf.index] = known
            self._lose(FindingKind.LEAF_MISPLACED, f"here is what was written as leaf {leaf.index}")

    def close(self) -> None:
        """No more rows: what the head counts beyond them is missing."""
        self._skip_to(self.size)

    def _skip_to(self, index: int) -> None:
        while len(self.leaves) < index:
            self._lose(FindingKind.LEAF_MISSING, "the row is not there")

    def _lose(self, kind: FindingKind, message: str) -> None:
        self._find(kind, len(self.leaves), message)
        self.leaves.append(None)
        self.runs.complete = False

    def _check_body(self, record: Record, leaf: Leaf) -> None:
        if problem := _body_problem(record, leaf):
            self._find(*problem)
            self.runs.complete = False
        elif record.body is not None:
            self.runs.add(record.index, record.body)

    def _find(self, kind: FindingKind, index: int, message: str) -> None:
        self.findings.append(Finding(kind, self.log, f"leaf {index}: {message}", index))


def _decode(data: bytes) -> tuple[Known, Leaf | None]:
    try:
        leaf = decode_leaf(data)
    except ValueError:
        return Known(leaf_hash(data), None), None
    return Known(leaf_hash(data), leaf.previous), leaf


def _body_problem(record: Record, leaf: Leaf) -> tuple[FindingKind, int, str] | None:
    if record.body is None:
        return FindingKind.BODY_MISSING, record.index, "its body is not there"
    if record.salt is None or len(record.salt) != SALT_SIZE:
        return FindingKind.SALT_MISSING, record.index, "its salt is not there, so its body can't be checked"
    if commitment(record.body, record.salt) != leaf.commitment:
        return FindingKind.BODY_ALTERED, record.index, "its body is not what the leaf committed to"
    return None
