"""Takes the record up where a predecessor left it, and says that we are here.

Law: it is tried until the ledger takes records; meanwhile whoever waits goes on, and does nothing but tighten.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from ringfence.engine.abort import Closer, first_run_id
from ringfence.engine.episodes import Episodes
from ringfence.engine.policies import policy_set_digest
from ringfence.engine.record import Recorder
from ringfence.engine.tuning import Tuning
from ringfence.engine.world import World
from ringfence.lineage.entry import OpenRun
from ringfence.lineage.runs import Operator, Trigger
from ringfence.ports.clock import Clock
from ringfence.ports.cluster import ClusterError, Reader
from ringfence.ports.ledger import ForkRefusedError, Ledger, LedgerError

log = structlog.get_logger(__name__)

RETRY: Final = 5.0
"""Seconds."""


class Succession:
    """What comes before the first look."""

    def __init__(
        self,
        reader: Reader,
        ledger: Ledger,
        clock: Clock,
        *,
        closer: Closer,
        recorder: Recorder,
        episodes: Episodes,
        world: World,
        operator: Callable[[], Operator],
        tuning: Tuning,
    ) -> None:
        self._reader = reader
        self._ledger = ledger
        self._clock = clock
        self._closer = closer
        self._recorder = recorder
        self._episodes = episodes
        self._world = world
        self._operator = operator
        self._tuning = tuning
        self.attempted = asyncio.Event()
        """Set when it was tried once."""

    async def run(self) -> None:
        """Settle what a predecessor left and say that we are here, as soon as the ledger takes records.

        Raises:
            ForkRefusedError: another process writes the ledger.
        """
        ours_from = first_run_id(self._clock.now())
        while True:
            try:
                closed, lasting = await self._settle(ours_from)
            except ForkRefusedError:
                raise
            except (LedgerError, ClusterError) as error:
                log.warning("the record can't be taken up yet; nothing but tightening is done", error=str(error))
                self.attempted.set()
                await asyncio.sleep(RETRY)
            else:
                log.info("the record is taken up", closed_runs=closed)
                self._take_up_episodes(lasting)
                self.attempted.set()
                return

    async def _settle(self, ours_from: str) -> tuple[int, Iterable[OpenRun]]:
        """Close what is open; answers how many runs that were, and what stays open because it lasts."""
        closed = await self._closer.close_runs(self._operator(), before=ours_from)
        policies = await policy_set_digest(self._reader)
        lasting = await self._ledger.open_runs()
        await self._recorder.started(self._tuning.configuration_digest, policies, self._tuning.image)
        return closed, lasting

    def _take_up_episodes(self, runs: Iterable[OpenRun]) -> None:
        """Go on with what lasts on record; objects that were looked at without knowing that are looked at again."""
        subjects = self._world.subjects
        uids = (subject.meta.uid for ref in subjects.refs() if (subject := subjects.get(ref)))
        self._world.witness.resume(self._episodes.resume(runs, uids))
        self._world.look_at_all(Trigger.RESUME)
