"""The engine as a whole: the order in which its parts start and stop.

Laws: nothing is decided before everything is known, nor written before the lease is held; who stops finishes what it
began, publishes its checkpoints and gives the lease back.
"""

import asyncio
import gc
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import structlog

from ringfence import __version__
from ringfence.engine.abort import Closer, first_run_id
from ringfence.engine.apply import Applier
from ringfence.engine.budget import MOST_OF_ONE_TENANT, WRITES_PER_SECOND, Budget
from ringfence.engine.bulletin import Bulletin
from ringfence.engine.cause import Cause
from ringfence.engine.election import Candidate
from ringfence.engine.episodes import Episodes
from ringfence.engine.events import Events
from ringfence.engine.facts import Ranges
from ringfence.engine.health import Health, Role
from ringfence.engine.lookout import Lookout
from ringfence.engine.metrics import Metrics
from ringfence.engine.planning import Planner
from ringfence.engine.planting import Planting
from ringfence.engine.policies import LivePolicies, policy_set_digest
from ringfence.engine.queue import WorkQueue
from ringfence.engine.reconcile import Hands, Reconciler
from ringfence.engine.record import Recorder
from ringfence.engine.report import Reporter
from ringfence.engine.stopping import unless
from ringfence.engine.world import World
from ringfence.lineage.canonical import digest
from ringfence.lineage.entry import LogId, OpenRun
from ringfence.lineage.runs import Operator, Trigger
from ringfence.plan.enforcement import NOT_ASKED, UNGUARDED
from ringfence.ports.canary import Canary
from ringfence.ports.clock import Clock
from ringfence.ports.cluster import Cluster, ClusterError
from ringfence.ports.ledger import ForkRefusedError, Ledger, LedgerError, LedgerUnavailableError
from ringfence.ports.signer import Signer

log = structlog.get_logger(__name__)


ANNOUNCE_RETRY: Final = 5.0
"""Seconds."""
FIRST_ANSWERS: Final = 5.0
"""Seconds."""


class LeaseLostError(Exception):
    """Somebody else may lead now: this process must end."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the engine works; times in seconds."""

    identity: str
    workers: int = 16
    resync: float = 1800.0
    """How long it takes until every object was looked at again without any cause."""
    checkpoint: float = 3600.0
    writes_per_second: float = WRITES_PER_SECOND
    burst: int = int(2 * WRITES_PER_SECOND)
    grace: float = 8.0
    """How long what was begun may take to end when the process is asked to stop."""
    ranges: Ranges = field(default_factory=Ranges)
    configuration_digest: str = digest(b"")
    image: str = ""


class Engine:
    """One operator process, given its ports."""

    def __init__(
        self,
        cluster: Cluster,
        ledger: Ledger,
        clock: Clock,
        *,
        candidate: Candidate,
        signers: Sequence[Signer],
        tuning: Tuning,
        metrics: Metrics,
        canary: Canary | None,
    ) -> None:
        """Take what everything rests on; without a ``canary`` nobody asks whether admission policies are in force."""
        self._cluster = cluster
        self._ledger = ledger
        self._clock = clock
        self._candidate = candidate
        self._signers = signers
        self._tuning = tuning
        self._metrics = metrics
        self.health = Health(clock)
        self._announced = asyncio.Event()
        self._queue = WorkQueue(share=MOST_OF_ONE_TENANT)
        self._policies = LivePolicies() if canary else None
        self.world = World(cluster, self._queue, clock, ranges=tuning.ranges, policies=self._policies)
        self.world.facts.enforce(NOT_ASKED if canary else UNGUARDED)
        self._budget = Budget(
            per_second=tuning.writes_per_second,
            burst=tuning.burst,
            share=MOST_OF_ONE_TENANT,
            allowed=candidate.sure,
        )
        self._events = Events(cluster, clock, identity=tuning.identity, metrics=metrics)
        self._planner = Planner(cluster, self.world.cache, self.world.facts.facts, clock)
        self._recorder = Recorder(
            ledger, clock, operator=self._operator, spec_digest=self.world.subjects.spec_digest, metrics=metrics
        )
        self._episodes = Episodes(self._recorder, clock, operator=self._operator)
        hands = self._hands(cluster)
        self._reconciler = Reconciler(hands, self.world.cache, self._queue, clock)
        self._lookout = self._look_out(canary, self._policies, hands) if canary and self._policies else None
        self._measure()

    def _hands(self, cluster: Cluster) -> Hands:
        own_answer = self.world.own_answer
        return Hands(
            planner=self._planner,
            recorder=self._recorder,
            episodes=self._episodes,
            applier=Applier(cluster, self.world.cache, self._budget, self._metrics, own_answer),
            reporter=Reporter(cluster, self._events, self._clock, self._budget, own_answer),
            events=self._events,
            metrics=self._metrics,
        )

    def _look_out(self, canary: Canary, policies: LivePolicies, hands: Hands) -> Lookout:
        facts = self.world.facts
        return Lookout(
            canary,
            policies,
            self._clock,
            plant=Planting(self.world.cache, hands.recorder, hands.applier, self._clock),
            served=lambda: facts.facts().served,
            tell=Bulletin(facts, self.health, self._metrics, hands.recorder),
        )

    def _operator(self) -> Operator:
        return Operator(self.world.cluster_uid(), __version__)

    # --- life

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set.

        Raises:
            LeaseLostError: the lease could not be renewed.
            ForkRefusedError: another process writes the ledger.
        """
        async with asyncio.TaskGroup() as background:
            tasks = [
                background.create_task(coroutine, name=name)
                for name, coroutine in (
                    ("world", self.world.run()),
                    ("events", self._events.run()),
                    ("heartbeat", self._beat()),
                )
            ]
            try:
                await unless(stop, self._stand_by())
                if not stop.is_set():
                    await self._lead(stop)
            finally:
                for task in tasks:
                    task.cancel()

    async def _stand_by(self) -> None:
        await self.world.synced()
        gc.collect()
        gc.freeze()  # what is known by now stays: the collector need not walk it again and again
        self.health.role = Role.STANDBY
        log.info(
            "everything is known; standing by", objects=len(self.world.subjects), children=len(self.world.children)
        )
        await self._candidate.win()

    async def _lead(self, stop: asyncio.Event) -> None:
        self.health.role = Role.LEADER
        self._metrics.leader.set(1)
        log.info("leading", identity=self._tuning.identity)
        try:
            async with asyncio.TaskGroup() as duties:
                tasks = [
                    duties.create_task(self._hold(), name="lease"),
                    duties.create_task(self._work(stop), name="work"),
                ]
                await tasks[1]
                tasks[0].cancel()
        finally:
            self._metrics.leader.set(0)
            self.health.role = Role.STOPPING
            await self._candidate.release()

    async def _hold(self) -> None:
        await self._candidate.hold()
        raise LeaseLostError("the lease could not be renewed; another process may lead now")

    async def _work(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            announcing = tasks.create_task(self._announce(), name="announce")
            await unless(stop, self._first_attempt())
            looking = tasks.create_task(self._look_out_for_policies(), name="lookout")
            await unless(stop, self._first_answers())
            self._wake()
            workers = [tasks.create_task(self._worker(), name=f"worker {n}") for n in range(self._tuning.workers)]
            others = [
                announcing,
                looking,
                tasks.create_task(self.world.witness.run(self._episodes)),
                tasks.create_task(self._resync()),
                tasks.create_task(self._checkpoints()),
            ]
            await stop.wait()
            self.world.waker.awake = False
            self._queue.close()
            await self._finish()
            for task in (*workers, *others):
                task.cancel()
        await self._publish()

    async def _announce(self) -> None:
        """Settle what a predecessor left and say that we are here, as soon as the ledger takes records."""
        ours_from = first_run_id(self._clock.now())
        closer = Closer(self._ledger, self._planner, self.world.cache, self._clock)
        while True:
            try:
                closed = await closer.close_runs(self._operator(), before=ours_from)
                policies = await policy_set_digest(self._cluster)
                lasting = await self._ledger.open_runs()
                await self._recorder.started(self._tuning.configuration_digest, policies, self._tuning.image)
            except ForkRefusedError:
                raise
            except (LedgerError, ClusterError) as error:
                log.warning("the record can't be taken up yet; nothing but tightening is done", error=str(error))
                self._announced.set()
                await asyncio.sleep(ANNOUNCE_RETRY)
            else:
                log.info("the record is taken up", closed_runs=closed)
                self._take_up_episodes(lasting)
                self._announced.set()
                return

    def _take_up_episodes(self, runs: Iterable[OpenRun]) -> None:
        """Go on with what lasts on record; objects that were looked at without knowing that are looked at again."""
        uids = (subject.meta.uid for ref in self.world.subjects.refs() if (subject := self.world.subjects.get(ref)))
        self.world.witness.resume(self._episodes.resume(runs, uids))
        self.world.look_at_all(Trigger.RESUME)

    async def _first_attempt(self) -> None:
        await self._announced.wait()

    async def _look_out_for_policies(self) -> None:
        if self._lookout is None:
            log.error(
                "nobody asks whether admission policies are in force: what the API server itself should refuse, "
                "nothing may refuse"
            )
        else:
            await self._lookout.run()

    async def _first_answers(self) -> None:
        """Wait for the canary's first round, for what it finds decides of every object; not for a slow one."""
        if self._lookout is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._lookout.asked.wait(), FIRST_ANSWERS)

    def _wake(self) -> None:
        self.world.waker.awake = True
        self.world.look_at_all(Trigger.RESUME)

    # --- duties

    async def _worker(self) -> None:
        while True:
            ref, cause = await self._queue.take()
            try:
                await self._reconciler.reconcile(ref, cause)
            finally:
                self._queue.done(ref)
                self.health.moved()

    async def _resync(self) -> None:
        """Look at every object once in a while, evenly spread, whether or not anything was heard of it."""
        while True:
            refs = self.world.subjects.refs()
            pause = self._tuning.resync / max(1, len(refs))
            for ref in refs or (None,):
                await asyncio.sleep(pause)
                if ref is not None:
                    self._queue.add(ref, Cause(Trigger.RESYNC, self._clock.monotonic()))

    async def _checkpoints(self) -> None:
        while True:
            await asyncio.sleep(self._tuning.checkpoint)
            await self._publish()

    async def _publish(self) -> None:
        """Record the looks that changed nothing, then sign and publish the head of every log that grew."""
        try:
            await self._recorder.tell_unchanged()
            for name in await self._ledger.unpublished():
                await self._publish_log(name)
        except LedgerError as error:
            log.warning("checkpoints not published", error=str(error))

    async def _publish_log(self, name: LogId) -> None:
        """Publish one log's checkpoint; one that can't be stops no other."""
        try:
            self._recorder.published(await self._ledger.publish_checkpoint(name, self._signers))
        except LedgerUnavailableError as error:
            log.warning("checkpoint not published", log=name, error=str(error))

    async def _finish(self) -> None:
        """Let busy workers come to an end of what they do, for as long as the grace allows."""
        try:
            async with asyncio.timeout(self._tuning.grace):
                await self._queue.idle()
                await self.world.witness.told()
        except TimeoutError:
            log.warning("stopped in the middle; the next leader closes what is open", objects=self._queue.working)

    async def _beat(self) -> None:
        while True:
            self.health.unsynced = self.world.unsynced()
            self.health.beat(waiting=len(self._queue))
            self._metrics.synced.set(not self.health.unsynced)
            self._metrics.last_loop.set(self._clock.now().timestamp())
            await asyncio.sleep(1)

    def _measure(self) -> None:
        metrics = self._metrics
        metrics.queue_depth.set_function(lambda: len(self._queue))
        metrics.working.set_function(lambda: self._queue.working)
        metrics.in_flight.set_function(lambda: self._budget.in_flight)
        metrics.objects.set_function(lambda: len(self.world.subjects))
        metrics.children.set_function(lambda: len(self.world.children))
