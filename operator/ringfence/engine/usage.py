"""Brings usage home: asks every collector, keeps what it says, and records each hour that is over.

Laws: nobody waits for another tenant's collector. An hour is on record only after the ledger has it, and is asked for
again until then; so a process may be killed between any two steps.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from ringfence.engine.endpoints import Endpoints, trust_of
from ringfence.engine.metrics import Metrics
from ringfence.engine.record import Recorder
from ringfence.engine.visits import Visits
from ringfence.lineage.entry import LogId
from ringfence.lineage.usage import rows_digest
from ringfence.model.kinds import RETENTION_POLICY
from ringfence.plan.retention import usage_keep
from ringfence.plan.seen import AnySubject, View
from ringfence.ports.clock import Clock
from ringfence.ports.ledger import ForkRefusedError, LedgerUnavailableError
from ringfence.ports.usage import CollectorError, Collectors, Replica, UsageStore, UsageUnavailableError
from ringfence.usage.page import PageError, decode
from ringfence.usage.tally import HOUR

log = structlog.get_logger(__name__)

EVERY: Final = 60.0
"""Seconds between rounds."""
HURRY: Final = 2.0
"""Seconds between rounds while a replica is ending: what it has counted goes with it."""
GRACE: Final = 300
"""Seconds after an hour's end until it is recorded: what was served in it has been told by then."""
MOST_PAGES: Final = 40
"""Of one replica in one round; the rest of it comes in the next one."""
LONGEST: Final = 10.0
"""Seconds after which no further page is asked for in a round."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What usage is made of, and where it goes."""

    collectors: Collectors
    store: UsageStore
    every: float = EVERY


class Usage:
    """Pulls and records."""

    def __init__(
        self,
        sources: Sources,
        *,
        view: View,
        endpoints: Endpoints,
        recorder: Recorder,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._collectors = sources.collectors
        self._store = sources.store
        self._every = sources.every
        self._view = view
        self._endpoints = endpoints
        self._recorder = recorder
        self._clock = clock
        self._metrics = metrics
        self._visits = Visits(self._visit, clock)
        self._visited: set[LogId] = set()
        """The logs of whom is being asked: they are recorded when that is over."""
        self._recorded: dict[LogId, int] = {}
        """Before which second nothing is due, as far as this process knows."""

    async def run(self) -> None:
        """Work until cancelled.

        Raises:
            ExceptionGroup: of a ForkRefusedError; another process writes the ledger.
        """
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    await self._begin_round(tasks)
                except ForkRefusedError:
                    raise
                except Exception:  # counting must not stop what it counts
                    log.exception("defect while counting usage")
                await self._rest(tasks)

    async def round(self) -> None:
        """Ask everybody, record what is over, and wait for all of it.

        Raises:
            ExceptionGroup: of a ForkRefusedError; another process writes the ledger.
        """
        async with asyncio.TaskGroup() as tasks:
            await self._begin_round(tasks)

    async def _begin_round(self, tasks: asyncio.TaskGroup) -> None:
        homes = self._endpoints.homes()
        self._visits.begin(homes, tasks)
        asked = {tenant.meta.uid for home in homes if (tenant := self._endpoints.tenant(home))}
        for name in await self._store.logs():
            if name not in asked | self._visited:
                await self._record(name)

    async def _visit(self, home: str) -> None:
        if tenant := self._endpoints.tenant(home):
            self._visited.add(tenant.meta.uid)
            try:
                await self._pull_all(tenant)
                await self._record(tenant.meta.uid)
            finally:
                self._visited.discard(tenant.meta.uid)

    async def _pull_all(self, tenant: AnySubject) -> None:
        """Ask every replica of a tenant's gateway once for what it has not told yet."""
        async with asyncio.TaskGroup() as tasks:
            for replica in self._endpoints.of(tenant.name):
                tasks.create_task(self._pull(tenant, replica))

    async def _rest(self, tasks: asyncio.TaskGroup) -> None:
        """Wait for the next round; meanwhile keep up with replicas that end."""
        until = self._clock.monotonic() + self._every
        while (left := until - self._clock.monotonic()) > 0:
            if ending := self._endpoints.homes(ending=True):
                self._visits.begin(ending, tasks)
                await asyncio.sleep(min(HURRY, left))
            else:
                self._endpoints.ending.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._endpoints.ending.wait(), left)

    async def _pull(self, tenant: AnySubject, replica: Replica) -> None:
        try:
            await self._take(tenant, replica)
        except (CollectorError, PageError, UsageUnavailableError) as error:
            self._metrics.pulled(ok=False)
            log.warning(
                "usage not taken; it is asked for again", tenant=tenant.name, pod=replica.name, error=str(error)
            )
        except Exception:  # whatever one pod's answer does to us, the others are asked all the same
            self._metrics.pulled(ok=False)
            log.exception("defect while taking usage", tenant=tenant.name, pod=replica.name)
        else:
            self._metrics.pulled(ok=True)

    async def _take(self, tenant: AnySubject, replica: Replica) -> None:
        """Take page after page. One that is ending is asked until nothing comes any more, which lets it go."""
        uid, keep = tenant.meta.uid, self._keep(tenant.name)
        trust = trust_of(tenant.name, self._view.live(tenant.name))
        cursor, until = await self._store.cursor(uid, replica.name), self._clock.monotonic() + LONGEST
        for _ in range(MOST_PAGES):
            body = await self._collectors.page(replica, trust, cursor)
            page = decode(body, tenant=tenant.name, until=self._now())
            if page.cursor == cursor:
                return
            await self._store.take(uid, replica.name, page, tenant=tenant.name, keep=keep // timedelta(seconds=1))
            self._changed(uid, min((row.key.hour for row in page.rows), default=self._now()))
            cursor = page.cursor
            if not (page.more or replica.ending) or self._clock.monotonic() > until:
                return

    def _changed(self, name: LogId, hour: int) -> None:
        self._recorded[name] = min(self._recorded.get(name, 0), hour)

    def _keep(self, home: str) -> timedelta:
        return usage_keep(self._view.subjects(RETENTION_POLICY, home))

    async def _record(self, name: LogId) -> None:
        """Record the hours of one log that are over, as they are by now; its trouble is nobody else's."""
        before = (self._now() - GRACE) // HOUR * HOUR
        try:
            if self._recorded.get(name, 0) < before:
                await self._record_hours(name, before)
        except ForkRefusedError:
            raise
        except (LedgerUnavailableError, UsageUnavailableError) as error:
            log.warning("usage is not recorded yet", log=name, error=str(error))
        except Exception:  # counting must not stop what it counts
            log.exception("defect while recording usage", log=name)

    async def _record_hours(self, name: LogId, before: int) -> None:
        for due in await self._store.due(name, before):
            await self._recorder.used(name, due)
            await self._store.recorded(name, due, rows_digest(due.rows))
        self._recorded[name] = before

    def _now(self) -> int:
        return int(self._clock.now().timestamp())
