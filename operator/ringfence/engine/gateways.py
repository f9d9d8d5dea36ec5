"""Sees whether gateways serve what was rendered for them.

Laws: who is not served as wanted is looked at often, and everybody once a minute. What is found wakes only when it is
news. Nobody's look waits for another tenant's gateway.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from ringfence import names
from ringfence.engine.cache import Cache
from ringfence.engine.endpoints import Endpoints, trust_of
from ringfence.engine.metrics import Metrics
from ringfence.engine.visits import Visits
from ringfence.lineage.runs import Trigger
from ringfence.model.kinds import CONFIG_MAP, MODEL_ROUTE, TENANT, Ref
from ringfence.plan.children import gateway_routes
from ringfence.plan.gateway.sight import Sight, judge
from ringfence.plan.seen import Probed
from ringfence.ports.clock import Clock
from ringfence.ports.gateways import Gateways
from ringfence.ports.usage import Replica, Trust

log = structlog.get_logger(__name__)

TURN: Final = 0.5
"""Seconds between two looks at who is due; no call is made for that."""
EVERY: Final = 60.0
"""Seconds between looks at a gateway that serves as wanted."""
SOON: Final = (0.0, 0.5, 1.0, 1.0, 2.0, 3.0, 5.0, 8.0, 15.0)
"""Seconds until the next look at one that does not (yet); the last of them again and again."""
_SERVES: Final = "serves"
_NOT_READY: Final = "it is not ready, and no caller is led to it"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a look is about: another one is due as soon as it changes."""

    revision: str
    trust: Trust
    replicas: tuple[Replica, ...]


@dataclass(slots=True)
class _Turn:
    """When a gateway is looked at next."""

    known: tuple[object, ...]
    """By what the wanted was read: versions are compared, and not contents, which may have a megabyte."""
    wanted: Wanted
    due: float
    attempts: int = 0
    suspected: bool = False
    """Whether the last look found that Envoy refused what is published; a swap under way looks alike for a moment."""


@dataclass(slots=True)
class Watch:
    """Looks at the gateways of all tenants, again and again."""

    gateways: Gateways
    cache: Cache
    endpoints: Endpoints
    clock: Clock
    metrics: Metrics
    wake: Callable[[Iterable[Ref], Trigger], None]
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when everybody was looked at who was there at the start."""
    _turns: dict[str, _Turn] = field(default_factory=dict)
    _visits: Visits = field(init=False)

    def __post_init__(self) -> None:
        self._visits = Visits(self._visit, self.clock)

    async def run(self) -> None:
        """Look until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell_of(self._begin(tasks)))
            while True:
                await asyncio.sleep(TURN)
                self._begin(tasks)

    async def look(self) -> None:
        """Look at every gateway that is due, tell what is news, and wait for all of it."""
        async with asyncio.TaskGroup() as tasks:
            self._begin(tasks)

    def _begin(self, tasks: asyncio.TaskGroup) -> tuple[asyncio.Task[None], ...]:
        homes = self.endpoints.homes()
        for home in self._turns.keys() - homes:
            del self._turns[home]
            self._tell(home, None)
        return self._visits.begin(filter(self._is_due, sorted(homes)), tasks)

    async def _tell_of(self, first: Iterable[asyncio.Task[None]]) -> None:
        await asyncio.gather(*first)
        self.looked.set()

    def _is_due(self, home: str) -> bool:
        try:
            return self._turn(home).due <= self.clock.monotonic()
        except Exception:  # what can't be read of one gateway hides none of the others
            log.exception("defect while reading what a gateway should serve", tenant=home)
            return False

    def _turn(self, home: str) -> _Turn:
        turn = self._turns.get(home)
        refs = [Ref(CONFIG_MAP, home, name) for name in (names.GATEWAY_FILES, names.GATEWAY_CONFIG_MAP)]
        known = (*map(self.cache.version, refs), self.endpoints.of(home))
        if turn is None or turn.known != known:
            wanted = self._wanted(home, refs[0])
            if turn is None or turn.wanted != wanted:
                turn = self._turns[home] = _Turn(known, wanted, due=self.clock.monotonic())
            turn.known = known
        return turn

    def _wanted(self, home: str, files: Ref) -> Wanted:
        live = self.cache.live(home)
        replicas = tuple(each for each in self.endpoints.of(home) if not each.ending)
        return Wanted(gateway_routes.configuration(live.get(files)), trust_of(home, live), replicas)

    async def _visit(self, home: str) -> None:
        try:
            if turn := self._turns.get(home):
                await self._look_at(home, turn)
        except Exception:  # what is wrong with one look stops neither the next one nor anybody else's
            log.exception("defect while looking at a gateway", tenant=home)

    async def _look_at(self, home: str, turn: _Turn) -> None:
        asked = (self._look(replica, turn.wanted.trust) for replica in turn.wanted.replicas)
        found = self._judged(await asyncio.gather(*asked), turn)
        result = _result(found, turn.wanted.revision)
        self.metrics.seen(result)
        well = result == _SERVES
        turn.due = self.clock.monotonic() + (EVERY if well else SOON[min(turn.attempts, len(SOON) - 1)])
        turn.attempts = 0 if well else turn.attempts + 1
        if home in self._turns:  # or it went while it was looked at
            self._tell(home, found)

    def _judged(self, sights: Sequence[Sight], turn: _Turn) -> Probed | None:
        """What was found; that something was refused, when it was found twice."""
        found = judge(sights, self.clock.now(), turn.wanted.revision)
        before, turn.suspected = turn.suspected, found is not None and bool(found.refused)
        return found if before or not turn.suspected else judge(sights, self.clock.now())

    async def _look(self, replica: Replica, trust: Trust) -> Sight:
        """One that is not ready is asked as well: it may have refused all that it could start with."""
        sight = await self.gateways.look(replica, trust)
        return sight if replica.ready else replace(sight, unreachable=_NOT_READY)

    def _tell(self, home: str, found: Probed | None) -> None:
        before = self.cache.probed(home)
        if found is not None and before is not None and replace(found, at=before.at) == before:
            return
        if self.cache.look_found(home, found):
            log.info("a gateway was looked at", tenant=home, **_words(found))
            routes = (route.ref for route in self.cache.subjects(MODEL_ROUTE, home))
            self.wake((Ref(TENANT, "", home), *routes), Trigger.DEPENDENCY)


def _result(found: Probed | None, wanted: str) -> str:
    if found is None:
        return "absent"
    if not found.reachable:
        return "unreachable"
    if found.problem:
        return "fails"
    return _SERVES if found.revision == wanted else "behind"


def _words(found: Probed | None) -> dict[str, str]:
    return {"revision": found.revision, "problem": found.problem} if found else {"problem": "it has no replica"}
