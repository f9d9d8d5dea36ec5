"""What happened in a reconcile, in plain values: the input of the event builders.

Law: nothing here can hold a value of a Secret. Objects are named, their content is a digest, a change is a list of
JSON pointers, and free text is an error message that was cut to a bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ringfence.model.kinds import Ref
from ringfence.plan.plan import Placed

_MILLISECOND_BITS: Final = 48
_RANDOM_BYTES: Final = 10


class Trigger(StrEnum):
    """Why a reconcile looked."""

    SPEC = "spec"
    DRIFT = "drift"
    RESYNC = "resync"
    RETRY = "retry"
    DELETE = "delete"
    RESUME = "resume"
    DEPENDENCY = "dependency"


class Result(StrEnum):
    """How a reconcile ended."""

    APPLIED = "Applied"
    NO_CHANGE = "NoChange"
    DENIED = "Denied"
    FAILED = "Failed"


class Verb(StrEnum):
    """What a write does. The API server's audit log calls an apply ``patch``."""

    CREATE = "create"  # core namespaces
    APPLY = "apply"
    PATCH = "patch"  # finalizers
    DELETE = "delete"


class Found(StrEnum):
    """What a new leader can say of a write that its predecessor planned."""

    FOUND = "Found"  # the object is as planned
    NOT_FOUND = "NotFound"  # the object is not as planned
    UNKNOWN = "Unknown"  # it can't be told: the object of a delete is gone, whoever removed it


@dataclass(frozen=True, slots=True)
class Operator:
    """Who records: the operator of one cluster."""

    cluster_uid: str
    """The uid of ``kube-system``, which stands for the cluster."""
    version: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is behind a change, as far as the API server says."""

    requested_by: str = ""
    managers: Sequence[str] = ()
    """Field managers, most recent writer last."""


@dataclass(frozen=True, slots=True)
class Coalesced:
    """Passes that changed nothing, told as one."""

    count: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A reference to a Secret: where it is and which keys are used. There is nothing else to know."""

    namespace: str
    name: str
    keys: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ReconcileRun:
    """One pass over one object: everything that is known before it changes anything."""

    run_id: str
    operator: Operator
    subject: Ref
    uid: str
    generation: int
    spec_digest: str
    tenant: str
    trigger: Trigger
    namespace: str = ""
    """The Namespace object concerned; empty for what concerns the whole tenant."""
    environment: str = ""
    region: str = ""
    attempt: int = 1
    actor: Actor = field(default_factory=Actor)
    secrets: Sequence[SecretRef] = ()
    controls: Sequence[str] = ()
    """Identifiers of the controls for which this record is evidence."""
    incidents: Sequence[str] = ()
    """Of the incidents for which what it is about is quarantined."""
    placed: Sequence[Placed] = ()
    """Of a ModelRoute: what its environments serve from now on."""
    configuration: tuple[str, str] = ("", "")
    """Revisions of the gateway's configuration before and after."""
    deferred: bool = False
    """True for tightening writes that were made while the ledger could not take their ``START``."""


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """A write that is about to happen."""

    k: int
    """Its number in the run; with the run id it makes the audit id."""
    verb: Verb
    ref: Ref
    digest: str = ""
    """The digest of the object as it should be; empty for a delete."""


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """A write that was tried."""

    k: int
    verb: Verb
    ref: Ref
    digest: str = ""
    resource_version: str = ""
    changed: bool = True
    pointers: Sequence[str] = ()
    """JSON pointers of the fields that differed; never their values."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class CheckedWrite:
    """A write that a predecessor planned, and what is there now."""

    k: int
    verb: Verb
    ref: Ref
    found: Found
    resource_version: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a pass ended."""

    result: Result
    changed: int = 0
    unchanged: int = 0
    duration_ms: int = 0
    reason: str = ""
    """The reason of the condition that says the same."""
    message: str = ""


def make_run_id(time_ms: int, random: bytes) -> str:
    """A UUIDv7 (RFC 9562) from milliseconds since 1970 and ten random bytes.

    Raises:
        ValueError: not ten bytes, or a time beyond 48 bits.
    """
    if len(random) != _RANDOM_BYTES:
        raise ValueError(f"a run id takes {_RANDOM_BYTES} random bytes, not {len(random)}")
    if not 0 <= time_ms < 1 << _MILLISECOND_BITS:
        raise ValueError(f"{time_ms} is not a time in milliseconds since 1970")
    value = bytearray(time_ms.to_bytes(_MILLISECOND_BITS // 8, "big") + random)
    value[6] = value[6] & 0x0F | 0x70  # version 7
    value[8] = value[8] & 0x3F | 0x80  # the variant of RFC 9562
    digits = value.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def audit_id(run_id: str, k: int) -> str:
    """What the ``Audit-ID`` header of write ``k`` says: it joins the API server's audit log with the record."""
    return f"{run_id}.{k}"
