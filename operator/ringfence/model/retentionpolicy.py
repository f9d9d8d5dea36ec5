"""RetentionPolicy: how long data is kept, what is exported, and which legal holds stand."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from ringfence.model.definition import AGE, READY, Column, Definition, name_rule
from ringfence.model.fields import (
    INTEGRAL,
    DnsLabel,
    Duration,
    Email,
    Line,
    NamespaceName,
    Schedule,
    Statement,
    Timestamp,
    cel_seconds,
)
from ringfence.model.kinds import RETENTION_POLICY
from ringfence.model.modelroute import OBJECT_NAME
from ringfence.model.rules import Keyed, Model, Rule, Transition, Unique
from ringfence.model.status import RetentionPolicyStatus

LEAST_LINEAGE: Final = Duration("183d")  # six months: EU AI Act, articles 19 and 26(6)
_ENDING: Final = ("Job", "Pod")


class Selection(Model):
    """Which objects a rule is about."""

    invariants: ClassVar = (
        Rule(
            "self.apiVersion == (self.kind == 'Job' ? 'batch/v1' : 'v1')",
            "apiVersion and kind do not fit: batch/v1 Job; v1 Pod, ConfigMap, PersistentVolumeClaim",
            lambda selection: selection.api_version == ("batch/v1" if selection.kind == "Job" else "v1"),
            ".apiVersion",
        ),
        Rule(
            "!has(self.finished) || self.kind in ['Job', 'Pod']",
            "finished is a state of Job and Pod only",
            lambda selection: selection.finished is None or selection.kind in _ENDING,
            ".finished",
        ),
    )

    api_version: Literal["v1", "batch/v1"]
    """API version of the kind."""
    kind: Literal["Job", "Pod", "ConfigMap", "PersistentVolumeClaim"]
    """Kind of the objects."""
    namespaces: Annotated[tuple[NamespaceName, ...], Field(max_length=64), Unique()] = ()
    """Names of Namespace objects; all of the tenant's where it is empty."""
    finished: bool | None = None
    """Only those that have ended, or only those that have not; both where it is left out."""


class RetentionRule(Model):
    """How long one sort of data is kept."""

    invariants: ClassVar = (
        Rule(
            f"self.data != 'Lineage' || {cel_seconds('self.keep')} >= {LEAST_LINEAGE.seconds}",
            f"Lineage is kept {LEAST_LINEAGE} at least (EU AI Act, articles 19 and 26(6))",
            lambda rule: rule.data != "Lineage" or rule.keep.seconds >= LEAST_LINEAGE.seconds,
            ".keep",
        ),
        Rule(
            "(self.data == 'Objects') == has(self.select)",
            "data Objects needs select, and nothing else has it",
            lambda rule: (rule.data == "Objects") == (rule.select is not None),
            ".select",
        ),
        Rule(
            "(self.data == 'External') == has(self.name)",
            "data External needs name, and nothing else has it",
            lambda rule: (rule.data == "External") == (rule.name is not None),
            ".name",
        ),
    )

    data: Literal["Lineage", "GatewayUsage", "Objects", "External"]
    """The sort of data. `External` is declared and shown, never enforced."""
    name: DnsLabel | None = None
    """What `External` data is called."""
    select: Selection | None = None
    """Which `Objects`."""
    keep: Duration
    """How long."""
    owner: Email | None = None
    """Who answers for it."""
    basis: Line | None = None
    """The law, contract or rule behind it."""


class HoldScope(Model):
    """What a legal hold covers."""

    namespaces: Annotated[tuple[NamespaceName, ...], Field(max_length=64), Unique()] = ()
    """Names of Namespace objects; the whole tenant where it is empty."""


class Release(Model):
    """A request to end a legal hold; somebody else then removes the hold."""

    reason: Statement
    """Why."""
    requested_by: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    """Who asked, as the API server knows him; filled in by the API server."""


class LegalHold(Model):
    """Stops every deletion in its scope. It never changes."""

    name: DnsLabel
    """Name of the hold."""
    reason: Statement
    """Why."""
    scope: HoldScope | None = None
    """What it covers; the whole tenant where it is left out."""
    since: Timestamp | None = None
    """Since when."""
    release: Release | None = None
    """The request to end it."""


class SweepPlan(Model):
    """When data that is kept too long is deleted."""

    schedule: Schedule = "17 3 * * *"
    """Cron line in UTC."""
    dry_run: bool = False
    """Report only."""


class ExportPlan(Model):
    """When records are exported."""

    schedule: Schedule = "0 4 1 * *"
    """Cron line in UTC."""
    keep: Annotated[int, Field(ge=1, le=1000), INTEGRAL] = 24
    """Number of exports that are kept."""


def _named_once(rules: tuple[RetentionRule, ...]) -> bool:
    keys = [(rule.data, rule.name) for rule in rules if rule.data != "Objects"]
    return len(keys) == len(set(keys))


_SAME_HOLD: Final = " && ".join(
    (
        "h.reason == n.reason",
        *(f"has(h.{f}) == has(n.{f}) && (!has(h.{f}) || h.{f} == n.{f})" for f in ("scope", "since")),
    )
)


class RetentionPolicySpec(Model):
    """How long data is kept."""

    invariants: ClassVar = (
        Transition(
            "!has(oldSelf.legalHolds) || oldSelf.legalHolds.all(h, has(h.release) || "
            "(has(self.legalHolds) && self.legalHolds.exists(n, n.name == h.name)))",
            "a legal hold stands until its release was asked for (legalHolds[].release) and somebody else removes it",
            ".legalHolds",
        ),
        Transition(
            "!has(oldSelf.legalHolds) || !has(self.legalHolds) || oldSelf.legalHolds.all(h, "
            f"self.legalHolds.all(n, n.name != h.name || ({_SAME_HOLD})))",
            "a legal hold must not change; add another one",
            ".legalHolds",
        ),
    )

    review_every: Duration | None = None
    """How often the policy is to be reviewed."""
    rules: Annotated[
        tuple[RetentionRule, ...],
        Field(max_length=32),
        Rule(
            "self.all(a, a.data == 'Objects' || self.exists_one(b, b.data == a.data && "
            "(a.data != 'External' || (has(a.name) && has(b.name) && a.name == b.name))))",
            "one rule for Lineage, one for GatewayUsage, one for each External name",
            _named_once,
        ),
    ] = ()
    """How long each sort of data is kept; built-in defaults for what is not named."""
    legal_holds: Annotated[tuple[LegalHold, ...], Field(max_length=64), Keyed("name")] = ()
    """What must not be deleted. A policy with a hold cannot be deleted."""
    sweep: SweepPlan = SweepPlan()
    """When data that is kept too long is deleted."""
    export: ExportPlan | None = None
    """When records are exported; never where it is left out."""


DEFINITION: Final = Definition(
    resource=RETENTION_POLICY,
    short_name="rp",
    description="How long a tenant's data is kept, what is exported, and which legal holds stand. The policy called "
    "default applies to the tenant.",
    spec=RetentionPolicySpec,
    status=RetentionPolicyStatus,
    rules=(
        name_rule(
            OBJECT_NAME, "the name has 1 to 40 lower-case letters, digits and hyphens, first a letter, last no hyphen"
        ),
    ),
    columns=(
        READY,
        Column("HOLDS", ".status.holds", "integer"),
        Column("LAST-SWEEP", ".status.lastSweep.at", "date"),
        AGE,
    ),
)
