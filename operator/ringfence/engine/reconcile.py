"""Look, plan, record, apply, report: one object at a time, whatever its kind.

Laws: nothing changes without a durable START; a failure of one object is that object's alone; whatever happens, the
object is looked at again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from ringfence import names
from ringfence.engine import failures
from ringfence.engine.apply import Applied, Applier
from ringfence.engine.cache import Cache
from ringfence.engine.cause import Cause
from ringfence.engine.episodes import Episodes
from ringfence.engine.events import Events
from ringfence.engine.failures import Failure
from ringfence.engine.metrics import Metrics
from ringfence.engine.planning import Planner
from ringfence.engine.queue import WorkQueue
from ringfence.engine.record import Recorder, Run
from ringfence.engine.report import Reporter
from ringfence.engine.standing import standings
from ringfence.engine.writes import Batch, Write, missing
from ringfence.lineage.runs import Outcome, Result, Trigger, Verb
from ringfence.model.kinds import SECRET, Ref
from ringfence.plan.plan import Condition, Plan
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import AnySubject
from ringfence.plan.verdict import REMARKS
from ringfence.ports.clock import Clock
from ringfence.ports.cluster import ClusterError
from ringfence.ports.ledger import ForkRefusedError, LedgerError

log = structlog.get_logger(__name__)

GONE: Final = "Gone"
_MAKING: Final = (Verb.CREATE, Verb.APPLY)


@dataclass(frozen=True, slots=True)
class Hands:
    """Who does what for the reconciler."""

    planner: Planner
    recorder: Recorder
    episodes: Episodes
    applier: Applier
    reporter: Reporter
    events: Events
    metrics: Metrics


class Reconciler:
    """Brings objects to their desired state."""

    def __init__(self, hands: Hands, cache: Cache, queue: WorkQueue, clock: Clock) -> None:
        self._hands = hands
        self._cache = cache
        self._queue = queue
        self._clock = clock
        self._doubted: dict[Ref, Write] = {}

    async def reconcile(self, ref: Ref, cause: Cause) -> None:
        """Look at one object and see to it that it becomes what it should be, now or later.

        Raises:
            ForkRefusedError: another process writes the ledger; this one must stop.
        """
        began = self._clock.monotonic()
        result: str = Result.FAILED.value
        try:
            result = await self._pass(ref, cause)
        except ForkRefusedError:
            raise
        except Exception:  # not even its status could be told; the others go on all the same
            log.exception("defect at one object", object=str(ref))
            self._queue.retry(ref, replace(cause, trigger=Trigger.RETRY), least=failures.LONG)
        finally:
            self._cache.promise_ends(ref)
            self._hands.metrics.looked(ref.type, result, self._clock.monotonic() - began)

    async def _pass(self, ref: Ref, cause: Cause) -> str:
        planned: tuple[AnySubject, Plan] | None = None
        failure: Failure | None
        try:
            planned = await self._hands.planner.plan(ref)
            if planned is None:
                return self._forget(ref)
            result, failure = await self._bring(*planned, cause)
        except ForkRefusedError:
            raise
        except ClusterError as error:
            result, failure = Result.FAILED, failures.of_cluster(error, str(ref))
        except Exception as error:  # whatever is wrong with this object must not stop the others
            log.exception("defect at one object", object=str(ref))
            result, failure = Result.FAILED, failures.of_defect(error)
        await self._settle(ref, planned, failure, cause)
        return result.value

    def _forget(self, ref: Ref) -> str:
        self._queue.succeeded(ref)
        self._doubted.pop(ref, None)
        return GONE

    async def _tell_episodes(self, subject: AnySubject, plan: Plan) -> None:
        """Record that a quarantine or a pause began or is over, before anything is done about it."""
        late = self._hands.episodes.is_first_look(subject.meta.uid)
        for standing in standings(subject, plan, self._clock.now(), late=late):
            await self._hands.episodes.settle(standing)

    # --- record and apply

    async def _bring(self, subject: AnySubject, plan: Plan, cause: Cause) -> tuple[Result, Failure | None]:
        batches = missing(plan, subject, self._cache)
        self._cache.promise(subject.ref, _all_writes(batches))  # before anything is waited for
        await self._tell_episodes(subject, plan)
        run = self._hands.recorder.run_of(subject, plan, cause, attempt=self._queue.attempts(subject.ref) + 1)
        try:
            if not batches:
                return await self._nothing_to_do(run, subject, plan), None
            if failure := await self._rehearse(subject.ref, batches):
                return Result.FAILED, failure
            await self._hands.recorder.start(run, _all_writes(batches))
        except ForkRefusedError:
            raise
        except LedgerError as error:
            await self._tighten(run, batches)
            return Result.FAILED, failures.of_ledger(error)
        return await self._apply(run, subject.ref, batches, plan, cause)

    async def _rehearse(self, ref: Ref, batches: Sequence[Batch]) -> Failure | None:
        """Try by a dry run what failed last time, so that a write that is refused for ever is on record once."""
        doubted = self._doubted.get(ref)
        if doubted is None or all(_what(write) != _what(doubted) for write in _all_writes(batches)):
            return None
        try:
            await self._hands.applier.rehearse(ref, doubted)
        except ClusterError as error:
            return failures.of_cluster(error, f"{doubted.verb} {doubted.ref}")
        return None

    async def _apply(
        self, run: Run, ref: Ref, batches: Sequence[Batch], plan: Plan, cause: Cause
    ) -> tuple[Result, Failure | None]:
        began = self._clock.monotonic()
        applied = await self._hands.applier.apply(run.id, ref, batches)
        failure = self._failure(ref, applied)
        outcome = self._outcome(applied, failure, plan, began)
        self._tell(ref, cause, applied, outcome)
        try:
            await self._hands.recorder.finish(run, outcome, applied.outcomes)
        except ForkRefusedError:
            raise
        except LedgerError as error:
            return Result.FAILED, failure or failures.of_ledger(error)
        return outcome.result, failure

    def _failure(self, ref: Ref, applied: Applied) -> Failure | None:
        if applied.error is None or applied.failed is None:
            self._doubted.pop(ref, None)
            return None
        if applied.failed.verb in _MAKING and applied.failed.ref.type != SECRET:  # which no dry run may apply
            self._doubted[ref] = applied.failed
        return failures.of_cluster(applied.error, f"{applied.failed.verb} {applied.failed.ref}")

    def _outcome(self, applied: Applied, failure: Failure | None, plan: Plan, began: float) -> Outcome:
        desired = sum(len(stage.apply) for stage in plan.stages)
        why = failure or next((each for each in plan.findings if each.reason in REMARKS), None)
        written = sum(outcome.verb in _MAKING for outcome in applied.outcomes)
        return Outcome(
            result=Result.FAILED if failure else Result.APPLIED,
            changed=applied.changed,
            unchanged=max(0, desired - written),
            duration_ms=int((self._clock.monotonic() - began) * 1000),
            reason=why.reason.value if why else "",
            message=why.message if why else "",
        )

    def _tell(self, ref: Ref, cause: Cause, applied: Applied, outcome: Outcome) -> None:
        """Tell people and machines of what was not their own wish: drift that was repaired, what became of others'."""
        subject = self._cache.subject(ref)
        if subject and outcome.reason and outcome.result is Result.APPLIED:
            self._hands.events.post(subject, reason=outcome.reason, note=outcome.message)
        if cause.trigger is not Trigger.DRIFT or not applied.changed:
            return
        self._hands.metrics.repaired_after(self._clock.monotonic() - cause.since)
        for write in applied.outcomes:
            self._hands.metrics.repaired(write.ref.type)
        if subject:
            self._hands.events.post(subject, reason=Reason.DRIFT_REPAIRED, note=_repaired(cause, applied), warning=True)

    async def _tighten(self, run: Run, batches: Sequence[Batch]) -> None:
        """Do what only takes access away although the ledger takes no record of it yet."""
        tightening = [batch for batch in batches if batch.tightening]
        if not tightening:
            return
        began = self._clock.monotonic()
        applied = await self._hands.applier.apply(run.id, run.facts.subject, tightening)
        failure = failures.of_cluster(applied.error, str(run.facts.subject)) if applied.error else None
        outcome = Outcome(
            result=Result.FAILED if failure else Result.APPLIED,
            changed=applied.changed,
            duration_ms=int((self._clock.monotonic() - began) * 1000),
            message=failure.message if failure else "",
        )
        self._hands.recorder.defer(run, _all_writes(tightening), outcome, applied.outcomes)
        log.warning("tightened without a record; it follows", object=str(run.facts.subject), run=run.id)

    async def _nothing_to_do(self, run: Run, subject: AnySubject, plan: Plan) -> Result:
        await self._hands.recorder.tell_deferred(run.log)
        denial = _new_denial(subject, plan)
        if denial is None:
            self._hands.recorder.unchanged(run, subject.ref)
            return Result.NO_CHANGE
        log.info("denied", object=str(subject.ref), reason=denial.reason.value, message=denial.message)
        if denial.reason is Reason.NAME_TAKEN:
            await self._tell_the_platform(subject)
        outcome = Outcome(Result.DENIED, reason=denial.reason.value, message=denial.message)
        await self._hands.recorder.finish(run, outcome)
        return Result.DENIED

    async def _tell_the_platform(self, subject: AnySubject) -> None:
        """Two tenants, or a tenant and a stranger, want one name: neither of them is to judge that alone."""
        ref = subject.ref
        name = names.core_namespace(ref.namespace, ref.name) if ref.namespace else ref.name
        holder = self._cache.core_namespace(name)
        uid = holder.labels.get(names.OWNER_UID_LABEL, "") if holder else ""
        await self._hands.recorder.name_taken(subject, name, uid)

    # --- report

    async def _settle(
        self, ref: Ref, planned: tuple[AnySubject, Plan] | None, failure: Failure | None, cause: Cause
    ) -> None:
        subject = planned[0] if planned else self._cache.subject(ref)
        plan = planned[1] if planned else None
        try:
            if subject is not None:
                await self._hands.reporter.report(subject, _told(plan, failure), self._besides(subject))
        except ClusterError as error:
            failure = failure or failures.of_cluster(error, f"status of {ref}")
        if failure:
            again = replace(cause, trigger=Trigger.RETRY)
            delay = self._queue.retry(ref, again, least=failure.patience, most=failure.bound)
            log.warning(
                "retry", object=str(ref), reason=failure.reason.value, error=failure.message, retry_in=round(delay, 1)
            )
            return
        self._queue.succeeded(ref)
        if plan and plan.look_again_at:
            wait = (plan.look_again_at - self._clock.now()).total_seconds()
            self._queue.add_later(ref, replace(cause, trigger=Trigger.RESYNC, managers=()), max(0.0, wait))

    def _besides(self, subject: AnySubject) -> dict[str, object]:
        """Say of a Tenant's record what it can be verified by, once the Tenant has one."""
        record = self._hands.recorder.summary(subject.meta.uid)
        return {"lineage": record} if record else {}


def _told(plan: Plan | None, failure: Failure | None) -> Plan:
    """Return the plan as its status is to tell it."""
    if failure or plan is None:
        return failures.failed(plan, failure or failures.of_defect(RuntimeError()))
    return replace(plan, conditions=(*plan.conditions, failures.lineage_recorded()))


def _repaired(cause: Cause, applied: Applied) -> str:
    by = f" that {' or '.join(cause.managers)} changed" if cause.managers else ""
    return f"put back{by}: {', '.join(str(write.ref) for write in applied.outcomes if write.changed)}"


def _what(write: Write) -> tuple[Ref, bytes]:
    return write.ref, write.fingerprint


def _all_writes(batches: Sequence[Batch]) -> list[Write]:
    return [write for batch in batches for write in batch.writes]


def _new_denial(subject: AnySubject, plan: Plan) -> Condition | None:
    """Return the refusal that the object's status does not tell yet."""
    ready = next((condition for condition in plan.conditions if condition.type is ConditionType.READY), None)
    if ready is None or ready.status != "False" or ready.reason not in {finding.reason for finding in plan.findings}:
        return None
    told = {(known["type"], known["reason"]) for known in subject.status.get("conditions") or ()}
    return None if (ready.type, ready.reason) in told else ready
