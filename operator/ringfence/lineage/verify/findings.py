"""What a verifier is given and what it answers.

Law: a finding names the log, the leaf where it is one, and what is wrong in words that need no source code.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ringfence.lineage.entry import Head, LogId, Record


class FindingKind(StrEnum):
    """What may be wrong with a log."""

    LEAF_MISSING = "LeafMissing"
    LEAF_ALTERED = "LeafAltered"
    LEAF_MISPLACED = "LeafMisplaced"
    LEAF_BEYOND_END = "LeafBeyondEnd"
    BODY_MISSING = "BodyMissing"
    BODY_ALTERED = "BodyAltered"
    SALT_MISSING = "SaltMissing"
    HEAD_WRONG = "HeadWrong"
    CHECKPOINT_WRONG = "CheckpointWrong"
    CHECKPOINT_AHEAD = "CheckpointAhead"
    SIGNATURE_WRONG = "SignatureWrong"
    NOT_AN_EVENT = "NotAnEvent"
    RUN_WITHOUT_START = "RunWithoutStart"
    RUN_ENDED_TWICE = "RunEndedTwice"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and where."""

    kind: FindingKind
    log: LogId
    message: str
    index: int | None = None
    """The leaf concerned, where it is one."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that there is of one log."""

    log: LogId
    origin: str
    head: Head
    records: Iterable[Record]
    """In the order of their index; rows that are gone are not among them."""
    checkpoints: Sequence[str] = ()
    """Notes from inside and outside the store."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of looking at one log."""

    log: LogId
    size: int
    findings: Sequence[Finding]
    open_runs: Sequence[str]
    """Runs with a START and no outcome: going on, or to be closed by the next leader. No sign of tampering."""
    checkpoint: int | None
    """The size up to which a checkpoint with a good signature covers the log; ``None`` if there is none or no key."""
