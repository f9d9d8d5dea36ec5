"""Keeps the two namespaces in which the canary asks.

Law: they are written as every tenant's namespace is: what agrees is not written, and nothing is without its record.
"""

from ringfence import names
from ringfence.engine.apply import Applier
from ringfence.engine.cache import Cache
from ringfence.engine.cause import Cause
from ringfence.engine.record import Recorder
from ringfence.engine.writes import missing
from ringfence.lineage.runs import Outcome, Result, Trigger
from ringfence.model.kinds import CORE_NAMESPACE, Ref
from ringfence.model.subject import Meta, Subject
from ringfence.plan.canary import plan_canary
from ringfence.ports.clock import Clock

_REF = Ref(CORE_NAMESPACE, "", names.CANARY)


class Planting:
    """Makes the canary's namespaces, and puts back what somebody changed in them."""

    def __init__(self, cache: Cache, recorder: Recorder, applier: Applier, clock: Clock) -> None:
        self._cache = cache
        self._recorder = recorder
        self._applier = applier
        self._clock = clock
        self._plan = plan_canary()

    async def __call__(self) -> None:
        """Write what is missing.

        Raises:
            LedgerError: it can't be recorded, therefore nothing was written.
            ClusterError: the API server refused a write.
        """
        subject = self._subject()
        batches = missing(self._plan, subject, self._cache)
        if not batches:
            return
        began = self._clock.monotonic()
        run = self._recorder.run_of(subject, self._plan, Cause(Trigger.RESUME, began), attempt=1)
        await self._recorder.start(run, [write for batch in batches for write in batch.writes])
        applied = await self._applier.apply(run.id, _REF, batches)
        outcome = Outcome(
            result=Result.FAILED if applied.error else Result.APPLIED,
            changed=applied.changed,
            duration_ms=int((self._clock.monotonic() - began) * 1000),
            message=applied.error.message if applied.error else "",
        )
        await self._recorder.finish(run, outcome, applied.outcomes)
        if applied.error:
            raise applied.error

    def _subject(self) -> Subject[None]:
        known = self._cache.core_namespace(names.CANARY)
        return Subject(_REF, Meta(uid=known.uid if known else names.CANARY, generation=0, created=""), None)
