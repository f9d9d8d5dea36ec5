"""What goes into a log, and what a log gives back: the values between builders of events, stores and verifiers.

Law: a log is named by an identifier that is never used twice, and a body is the exact bytes that were committed to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

LogId: TypeAlias = str
"""A Tenant's uid, or ``platform``: a new tenant of an old name is another uid, hence another log."""

PLATFORM: Final[LogId] = "platform"
"""The log of what has no tenant."""


class EventType(StrEnum):
    """OpenLineage's run states that we use: one ``START``, then one of the others."""

    START = "START"
    COMPLETE = "COMPLETE"
    FAIL = "FAIL"
    ABORT = "ABORT"


class RetentionClass(StrEnum):
    """By which rule of a RetentionPolicy (``data``) a body is kept."""

    LINEAGE = "Lineage"
    GATEWAY_USAGE = "GatewayUsage"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event on its way into a log; ``(run_id, event_type)`` makes a second append of it harmless."""

    run_id: str
    event_type: EventType
    body: bytes
    """The event's canonical JSON."""
    time_ms: int
    """When it happened, in milliseconds since 1970."""
    keep_until_ms: int
    """The body is not deleted before; later changes of policy only lengthen it."""
    retention: RetentionClass = RetentionClass.LINEAGE


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a log as a store has it; what was taken away from it is ``None``."""

    index: int
    leaf: bytes | None
    body: bytes | None = None
    salt: bytes | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """Where a log ends."""

    size: int
    """How many leaves it has."""
    last: bytes
    """The hash of its last leaf; 32 zero bytes while it is empty."""
    root: bytes
    """The RFC 6962 root over all its leaves."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to an append: where each entry is, and how large the log is now."""

    log: LogId
    indices: Sequence[int]
    """In the order of the entries; for one that was there already, the place where it was."""
    head: Head


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A ``START`` that has no outcome: its writer runs still, or was killed."""

    log: LogId
    run_id: str
    index: int
    start: bytes
    """The body of the ``START``: it lists every write that may have happened."""
