"""Plausible runs and entries for tests of the record."""

import os

from ringfence.lineage import event
from ringfence.lineage.entry import Entry
from ringfence.lineage.runs import (
    Actor,
    Operator,
    Outcome,
    PlannedWrite,
    ReconcileRun,
    Result,
    SecretRef,
    Trigger,
    Verb,
    WriteOutcome,
    make_run_id,
)
from ringfence.model import kinds
from ringfence.model.kinds import Ref
from ringfence.plan.plan import Placed

TIME_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
DIGEST = "sha256:" + "5e" * 32
OPERATOR = Operator(cluster_uid="8f6c1c1e-0b7e-4a0a-9d6e-3b3d7b1f0a11", version="0.1.0")
ACME = "7d1f6f0e-3a55-4c8e-9f0b-6a4a2f9f5b10"
SUBJECT = Ref(kinds.NAMESPACE, "acme", "dev")
DENY_ALL = Ref(kinds.NETWORK_POLICY, "acme-dev", "ringfence-deny-all")
CORE = Ref(kinds.CORE_NAMESPACE, "", "acme-dev")


def run_id(time_ms: int = TIME_MS) -> str:
    return make_run_id(time_ms, os.urandom(10))


def make_run(
    run: str = "", *, tenant: str = "acme", deferred: bool = False, placed: tuple[Placed, ...] = ()
) -> ReconcileRun:
    return ReconcileRun(
        run_id=run or run_id(),
        operator=OPERATOR,
        subject=SUBJECT,
        uid="0c6b7f5e-7c39-4f5e-8c25-27a1c19f1f11",
        generation=3,
        spec_digest=DIGEST,
        tenant=tenant,
        trigger=Trigger.SPEC,
        namespace="dev",
        environment="dev",
        region="eu-central-1",
        actor=Actor("oidc:platform", ("kubectl-client-side-apply",)),
        secrets=(SecretRef("acme-dev", "db", ("password",)),),
        controls=("ISO-4",),
        placed=placed,
        deferred=deferred,
    )


def planned() -> list[PlannedWrite]:
    return [
        PlannedWrite(0, Verb.APPLY, CORE, DIGEST),
        PlannedWrite(1, Verb.APPLY, DENY_ALL, DIGEST),
        PlannedWrite(2, Verb.DELETE, Ref(kinds.ROLE_BINDING, "acme-dev", "ringfence-viewer")),
    ]


def written() -> list[WriteOutcome]:
    return [
        WriteOutcome(0, Verb.APPLY, CORE, DIGEST, "101"),
        WriteOutcome(1, Verb.APPLY, DENY_ALL, DIGEST, "102", pointers=("/spec/policyTypes/0",)),
        WriteOutcome(2, Verb.DELETE, Ref(kinds.ROLE_BINDING, "acme-dev", "ringfence-viewer"), error="not found"),
    ]


def started(run: ReconcileRun | None = None) -> Entry:
    return event.start(run or make_run(), planned(), time_ms=TIME_MS)


def ended(run: ReconcileRun, outcome: Outcome | None = None) -> Entry:
    outcome = outcome or Outcome(Result.APPLIED, changed=3, unchanged=9, duration_ms=120)
    return event.finish(run, outcome, written(), time_ms=TIME_MS + 120)


def pairs(count: int) -> list[Entry]:
    """START and COMPLETE of ``count`` runs, one after the other."""
    runs = [make_run() for _ in range(count)]
    return [entry for run in runs for entry in (started(run), ended(run))]
