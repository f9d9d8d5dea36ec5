"""The engine as a whole: what it is made of, and its life until it leads and after.

Laws: nothing is decided before everything is known, nor written before the lease is held; who leaves gives the lease
back.
"""

import asyncio
import gc
from collections.abc import Sequence

import structlog

from ringfence import __version__
from ringfence.engine.abort import Closer
from ringfence.engine.apply import Applier
from ringfence.engine.budget import MOST_OF_ONE_TENANT, Budget
from ringfence.engine.bulletin import Bulletin
from ringfence.engine.duties import Duties
from ringfence.engine.election import Candidate
from ringfence.engine.episodes import Episodes
from ringfence.engine.events import Events
from ringfence.engine.gateways import Watch
from ringfence.engine.health import Health, Role
from ringfence.engine.lookout import Lookout
from ringfence.engine.metrics import Metrics
from ringfence.engine.planning import Planner
from ringfence.engine.planting import Planting
from ringfence.engine.policies import LivePolicies
from ringfence.engine.publish import Publisher
from ringfence.engine.queue import WorkQueue
from ringfence.engine.reconcile import Hands, Reconciler
from ringfence.engine.record import Recorder
from ringfence.engine.report import Reporter
from ringfence.engine.stopping import unless
from ringfence.engine.succession import Succession
from ringfence.engine.tuning import Tuning
from ringfence.engine.usage import Sources, Usage
from ringfence.engine.world import World
from ringfence.lineage.runs import Operator
from ringfence.plan.enforcement import NOT_ASKED, UNGUARDED
from ringfence.ports.canary import Canary
from ringfence.ports.clock import Clock
from ringfence.ports.cluster import Cluster
from ringfence.ports.gateways import Gateways
from ringfence.ports.ledger import Ledger
from ringfence.ports.mint import Mint
from ringfence.ports.signer import Signer

log = structlog.get_logger(__name__)


class LeaseLostError(Exception):
    """Somebody else may lead now: this process must end."""


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
        mint: Mint,
        usage: Sources | None = None,
        gateways: Gateways | None = None,
    ) -> None:
        """Take what everything rests on.

        Without a ``canary`` nobody asks whether admission policies are in force; without ``usage`` nothing is counted;
        without ``gateways`` nobody looks whether they serve.
        """
        self._cluster = cluster
        self._mint = mint
        self._ledger = ledger
        self._clock = clock
        self._candidate = candidate
        self._tuning = tuning
        self._metrics = metrics
        self.health = Health(clock)
        self._queue = WorkQueue(share=MOST_OF_ONE_TENANT)
        self._policies = LivePolicies() if canary else None
        self.world = World(
            cluster, self._queue, clock, ranges=tuning.ranges, gateways=tuning.gateways, policies=self._policies
        )
        self.world.facts.enforce(NOT_ASKED if canary else UNGUARDED)
        self._budget = Budget(
            per_second=tuning.writes_per_second,
            burst=tuning.burst,
            share=MOST_OF_ONE_TENANT,
            allowed=candidate.sure,
        )
        self._events = Events(cluster, clock, identity=tuning.identity, metrics=metrics)
        self._planner = Planner(cluster, self.world.cache, self.world.facts.facts, clock, mint)
        self._recorder = Recorder(
            ledger, clock, operator=self._operator, spec_digest=self.world.subjects.spec_digest, metrics=metrics
        )
        self._episodes = Episodes(self._recorder, clock, operator=self._operator)
        hands = self._hands(cluster)
        self._duties = Duties(
            world=self.world,
            queue=self._queue,
            reconciler=Reconciler(hands, self.world.cache, self._queue, clock),
            episodes=self._episodes,
            succession=self._succession(),
            publisher=Publisher(ledger, self._recorder, signers, every=tuning.checkpoint),
            lookout=self._lookout(canary, self._policies, hands) if canary and self._policies else None,
            usage=self._usage(usage) if usage else None,
            watch=self._watch(gateways) if gateways else None,
            health=self.health,
            clock=clock,
            tuning=tuning,
        )
        self._measure()

    def _hands(self, cluster: Cluster) -> Hands:
        own_answer = self.world.own_answer
        return Hands(
            planner=self._planner,
            recorder=self._recorder,
            episodes=self._episodes,
            applier=Applier(cluster, self.world.cache, self._budget, self._metrics, own_answer, mint=self._mint),
            reporter=Reporter(cluster, self._events, self._clock, self._budget, own_answer),
            events=self._events,
            metrics=self._metrics,
        )

    def _usage(self, sources: Sources) -> Usage:
        return Usage(
            sources,
            view=self.world.cache,
            endpoints=self.world.endpoints,
            recorder=self._recorder,
            clock=self._clock,
            metrics=self._metrics,
        )

    def _watch(self, gateways: Gateways) -> Watch:
        world = self.world
        return Watch(gateways, world.cache, world.endpoints, self._clock, self._metrics, wake=world.waker.wake)

    def _lookout(self, canary: Canary, policies: LivePolicies, hands: Hands) -> Lookout:
        facts = self.world.facts
        return Lookout(
            canary,
            policies,
            self._clock,
            plant=Planting(self.world.cache, hands.recorder, hands.applier, self._clock),
            served=lambda: facts.facts().served,
            images=self._tuning.gateways.images.repositories,
            tell=Bulletin(facts, self.health, self._metrics, hands.recorder),
        )

    def _succession(self) -> Succession:
        return Succession(
            self._cluster,
            self._ledger,
            self._clock,
            closer=Closer(self._ledger, self._planner, self.world.cache, self._clock),
            recorder=self._recorder,
            episodes=self._episodes,
            world=self.world,
            operator=self._operator,
            tuning=self._tuning,
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
                    duties.create_task(self._duties.fulfil(stop), name="work"),
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
