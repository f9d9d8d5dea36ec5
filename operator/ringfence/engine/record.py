"""Keeps the record of what the engine does: START before the first change, the outcome after the last.

Laws: without a durable START nothing changes, but for what only tightens, which is recorded as soon as the ledger
takes records again; what changed nothing is counted and told once an hour.
"""

import base64
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog

from ringfence import names
from ringfence.engine.cause import Cause
from ringfence.engine.deferred import Deferred
from ringfence.engine.metrics import Metrics
from ringfence.engine.writes import Write
from ringfence.lineage import event, platform
from ringfence.lineage.entry import PLATFORM, Entry, Head, LogId
from ringfence.lineage.runs import Actor, Coalesced, Operator, Outcome, ReconcileRun, WriteOutcome, make_run_id
from ringfence.lineage.usage import usage_recorded
from ringfence.model.kinds import NAMESPACE, Ref
from ringfence.plan.enforcement import Enforcement
from ringfence.plan.plan import Plan
from ringfence.plan.seen import AnySubject
from ringfence.ports.clock import Clock
from ringfence.ports.ledger import Ledger, LedgerError, LedgerUnavailableError, Published
from ringfence.ports.usage import Due

log = structlog.get_logger(__name__)

MOST_DEFERRED: Final = 10_000
"""Records kept in memory while the ledger takes none; beyond it the oldest is lost, and the log says so."""


LONGEST_IDENTITY: Final = 253


@dataclass(frozen=True, slots=True)
class Run:
    """One look at one object, and the log that it belongs to."""

    log: LogId
    facts: ReconcileRun

    @property
    def id(self) -> str:
        """The run's identifier, the first part of its audit ids."""
        return self.facts.run_id


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Looks at one object that found everything in place."""

    run: Run
    passes: Coalesced


class Recorder:
    """Turns what happened into entries, and sees to it that they are durable."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        *,
        operator: Callable[[], Operator],
        spec_digest: Callable[[Ref], str],
        metrics: Metrics,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._operator = operator
        self._spec_digest = spec_digest
        self._metrics = metrics
        self._random = random
        self._unchanged: dict[Ref, Unchanged] = {}
        self._deferred = Deferred(MOST_DEFERRED)
        self._heads: dict[LogId, Head] = {}
        self._checkpoints: dict[LogId, str] = {}

    def run_of(self, subject: AnySubject, plan: Plan, cause: Cause, *, attempt: int) -> Run:
        """Return the run that a look at ``subject`` would be."""
        meta = subject.meta
        facts = ReconcileRun(
            run_id=make_run_id(self._now_ms(), self._random(10)),
            operator=self._operator(),
            subject=subject.ref,
            uid=meta.uid,
            generation=meta.generation,
            spec_digest=self._spec_digest(subject.ref),
            tenant=plan.tenant,
            trigger=cause.trigger,
            namespace=subject.name if subject.ref.type == NAMESPACE else "",
            environment=plan.environment,
            region=plan.region,
            incidents=plan.incidents,
            configuration=plan.configuration,
            placed=plan.placed,
            attempt=attempt,
            actor=Actor(identity(meta.annotations), cause.managers or meta.managers),
        )
        return Run(plan.log, facts)

    async def start(self, run: Run, writes: Sequence[Write]) -> None:
        """Make the START durable; raises LedgerError where that can't be, and nothing may change."""
        await self._append(run.log, event.start(run.facts, [write.planned for write in writes], time_ms=self._now_ms()))

    async def finish(self, run: Run, outcome: Outcome, writes: Sequence[WriteOutcome] = ()) -> None:
        """Make the outcome durable; where that can't be, it is kept and follows."""
        entry = event.finish(run.facts, outcome, writes, time_ms=self._now_ms())
        try:
            await self._append(run.log, entry)
        except LedgerUnavailableError:
            self._keep(run.log, entry)
            raise

    def defer(self, run: Run, planned: Sequence[Write], outcome: Outcome, writes: Sequence[WriteOutcome]) -> None:
        """Keep the record of tightening writes until the ledger takes it."""
        run = Run(run.log, replace(run.facts, deferred=True))
        now = self._now_ms()
        self._keep(run.log, event.start(run.facts, [write.planned for write in planned], time_ms=now))
        self._keep(run.log, event.finish(run.facts, outcome, writes, time_ms=now))

    def _keep(self, name: LogId, entry: Entry) -> None:
        if not self._deferred.keep(name, entry):
            log.error("a deferred record is lost: the ledger has been unavailable for too long")

    def unchanged(self, run: Run, ref: Ref) -> None:
        """Count a look that found everything in place; the first of several stands for all."""
        now = self._now_ms()
        known = self._unchanged.get(ref)
        passes = Coalesced(known.passes.count + 1, known.passes.first_ms, now) if known else Coalesced(1, now, now)
        self._unchanged[ref] = Unchanged(known.run if known else run, passes)

    def passes(self, ref: Ref) -> int:
        """How many looks at an object that found everything in place are not told yet."""
        known = self._unchanged.get(ref)
        return known.passes.count if known else 0

    async def tell_unchanged(self) -> None:
        """Record the looks that changed nothing, one event an object, one append a log; and whatever waits."""
        told, self._unchanged = self._unchanged, {}
        by_log: dict[LogId, dict[Ref, Unchanged]] = {name: {} for name in self._deferred.logs()}
        for ref, unchanged in told.items():
            by_log.setdefault(unchanged.run.log, {})[ref] = unchanged
        for name, looks in by_log.items():
            try:
                await self._append(name, *map(self._coalesced, looks.values()))
            except LedgerUnavailableError as error:
                log.warning("not recorded yet", log=name, error=str(error))
                self._count_again(looks)

    def _coalesced(self, unchanged: Unchanged) -> Entry:
        return event.coalesced(unchanged.run.facts, unchanged.passes, time_ms=self._now_ms())

    def _count_again(self, looks: dict[Ref, Unchanged]) -> None:
        """Put back what a log did not take, together with what was counted meanwhile."""
        for ref, old in looks.items():
            new = self._unchanged.get(ref)
            count, last = (new.passes.count, new.passes.last_ms) if new else (0, old.passes.last_ms)
            self._unchanged[ref] = Unchanged(old.run, replace(old.passes, count=old.passes.count + count, last_ms=last))

    async def tell_deferred(self, name: LogId) -> None:
        """Record what was done while this log took nothing; the other logs' troubles are theirs."""
        await self._append(name)

    def published(self, checkpoint: Published) -> None:
        """Note what anyone may be shown of a log."""
        self._checkpoints[checkpoint.log] = checkpoint.note

    def summary(self, name: LogId) -> dict[str, object]:
        """What a Tenant's status says of its log, as of this process' last append; empty before the first."""
        head, checkpoint = self._heads.get(name), self._checkpoints.get(name)
        told = {"size": head.size, "rootHash": base64.b64encode(head.root).decode()} if head else {}
        return told | ({"checkpoint": checkpoint} if checkpoint else {})

    @property
    def deferred(self) -> int:
        """How many entries wait for the ledger."""
        return len(self._deferred)

    async def started(self, configuration_digest: str, policy_set_digest: str, image: str) -> None:
        """Record in the platform log that this operator begins."""
        entry = platform.operator_started(
            self._operator(),
            run_id=make_run_id(self._now_ms(), self._random(10)),
            time_ms=self._now_ms(),
            configuration_digest=configuration_digest,
            policy_set_digest=policy_set_digest,
            image=image,
        )
        await self._append(PLATFORM, entry)

    async def enforcement(self, state: Enforcement) -> None:
        """Record in the platform log how admission policies were found; where that can't be now, it follows."""
        entry = platform.policies_found(
            self._operator(),
            run_id=make_run_id(self._now_ms(), self._random(10)),
            time_ms=self._now_ms(),
            state=state.state,
            silent=state.silent,
            drifted=state.drifted,
        )
        await self.tell(PLATFORM, (entry,))

    async def name_taken(self, subject: AnySubject, namespace: str, holder_uid: str) -> None:
        """Record in the platform log that ``subject`` claimed a namespace that is not its own."""
        entry = platform.name_taken(
            self._operator(),
            run_id=make_run_id(self._now_ms(), self._random(10)),
            time_ms=self._now_ms(),
            namespace=namespace,
            claimant=subject.ref,
            claimant_uid=subject.meta.uid,
            holder_uid=holder_uid,
        )
        await self._append(PLATFORM, entry)

    async def used(self, name: LogId, due: Due) -> None:
        """Record an hour's usage in a tenant's log; raises LedgerError where that can't be now."""
        now = self._now_ms()
        entry = usage_recorded(
            self._operator(),
            name,
            tenant=due.tenant,
            hour=due.hour,
            rows=due.rows,
            time_ms=now,
            keep=timedelta(milliseconds=max(0, due.keep_until * 1000 - now)),
        )
        await self._append(name, entry)

    async def tell(self, name: LogId, entries: Sequence[Entry]) -> None:
        """Make entries durable that stop nobody; where that can't be now, they are kept and follow in their order."""
        try:
            await self._append(name, *entries)
        except LedgerUnavailableError as error:
            log.warning("not recorded yet", log=name, error=str(error))
            for entry in entries:
                self._keep(name, entry)

    async def _append(self, name: LogId, *entries: Entry) -> None:
        """Append what waits for the log and then ``entries``, in one transaction."""
        waiting = self._deferred.of(name)
        if not waiting and not entries:
            return
        try:
            receipt = await self._ledger.append(name, (*waiting, *entries))
        except LedgerError:
            self._metrics.appended(ok=False)
            raise
        self._metrics.appended(ok=True)
        self._heads[name] = receipt.head
        self._deferred.told(name, waiting)

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def identity(annotations: Mapping[str, str], author: str = names.REQUESTED_BY_ANNOTATION) -> str:
    """Return who asked for something, as admission wrote it down, if what is written there can be a name at all."""
    name = annotations.get(author, "")
    return name if len(name) <= LONGEST_IDENTITY and name.isprintable() else ""
