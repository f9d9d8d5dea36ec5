"""Sees to it that nothing is opened while policies do not refuse.

Laws: what has never been seen to refuse is not in force. What once was is doubted for as long as its patience lasts
before the world is told, for an API server that is starting refuses for many reasons. Policies are never written.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Final

import structlog

from ringfence.admission import drift
from ringfence.admission.answers import Answer, Probe, Verdict, judge
from ringfence.admission.operator_fence import PINNED
from ringfence.admission.probes import PROBES
from ringfence.engine.policies import LivePolicies
from ringfence.model.kinds import ResourceType
from ringfence.plan.enforcement import NOT_ASKED, Enforcement
from ringfence.ports.canary import Canary
from ringfence.ports.clock import Clock
from ringfence.ports.cluster import ClusterError
from ringfence.ports.ledger import ForkRefusedError, LedgerError

log = structlog.get_logger(__name__)

EVERY: Final = 60.0
"""Seconds between rounds while all is well."""
RETRY: Final = 1.0
GATHERING: Final = 0.2
"""Seconds in which changes of policies gather."""
RESTLESS: Final = 6.0
"""Seconds of frequent rounds after a change: the API server takes a second to notice it, or two."""
AT_ONCE: Final = 8
"""Probes under way."""
PATIENCE: Final[Mapping[Verdict, float]] = {Verdict.ACCEPTED: 0.5, Verdict.OTHERWISE: 60.0, Verdict.UNKNOWN: 60.0}
"""Seconds that a policy which was in force may go on answering so, before it is said not to be. An API server that was
just started looks for parameters every 30."""


PLANTED: Final = "namespaces of the canary"
ESSENTIAL: Final = frozenset({PLANTED, *(probe.subject for probe in PROBES if probe.essential)})
"""What is to be in force before anything is opened."""


class _Doubts:
    """Since when policies have not answered as they should."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[str, float] = {}

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._since)

    def note(self, wrong: Iterable[str]) -> Mapping[str, float]:
        """Note what is wrong now; return for how many seconds each of it has been."""
        now = self._clock.monotonic()
        self._since = {each: self._since.get(each, now) for each in wrong}
        return {each: now - since for each, since in self._since.items()}


class Lookout:
    """Asks the canary, compares policies with what is shipped, and tells when either says something else."""

    def __init__(
        self,
        canary: Canary,
        policies: LivePolicies,
        clock: Clock,
        *,
        plant: Callable[[], Awaitable[None]],
        served: Callable[[], frozenset[ResourceType]],
        tell: Callable[[Enforcement, Enforcement], Awaitable[None]],
        images: Sequence[str] = PINNED,
    ) -> None:
        self._canary = canary
        self._images = images
        self._policies = policies
        self._clock = clock
        self._plant = plant
        self._served = served
        self._tell = tell
        self._doubts = _Doubts(clock)
        self._trusted = False
        self._restless_until = 0.0
        self.state = NOT_ASKED
        self.asked = asyncio.Event()
        """Set when the first round is over."""

    async def run(self) -> None:
        """Look until cancelled."""
        self._policies.changed.clear()  # what was listed at the start is no change
        while True:
            try:
                await self._round()
            except ForkRefusedError:
                raise
            except Exception:  # whatever is wrong with one round, what is known stays, and the next one asks anew
                log.exception("defect while asking for policies")
            self.asked.set()
            await self._rest()

    async def _rest(self) -> None:
        calm = self.state.opens and not self._doubts and self._clock.monotonic() > self._restless_until
        try:
            await asyncio.wait_for(self._policies.changed.wait(), EVERY if calm else RETRY)
        except TimeoutError:
            return
        await asyncio.sleep(GATHERING)
        self._policies.changed.clear()
        self._restless_until = self._clock.monotonic() + RESTLESS

    async def _round(self) -> None:
        """Ask once, and tell what changed."""
        state = await self._look()
        if state == self.state:
            return
        well = state.opens and not state.drifted
        (log.info if well else log.error)(
            "admission policies are in force" if well else "admission policies are not as they should be",
            silent=state.silent,
            drifted=state.drifted,
            lacking=state.lacking,
        )
        before, self.state = self.state, state
        await self._tell(before, state)

    async def _look(self) -> Enforcement:
        found = drift.differences(self._policies.specs, self._policies.served, images=self._images)
        silent, unfilled = self._confirmed(await self._wrong())
        missing = {each.key.name for each in found if not each.path}
        return Enforcement(
            silent=(
                *drift.defenceless(self._policies.served),
                *(str(each) for each in found if each.opens),
                *(f"{each} {silent[each].value}" for each in _besides(missing, silent)),
            ),
            drifted=(*map(str, found), *(f"{each} has no effect" for each in _besides(missing, unfilled))),
            lacking=drift.lacking(self._policies.served),
        )

    def _confirmed(self, wrong: Mapping[str, Verdict]) -> tuple[dict[str, Verdict], dict[str, Verdict]]:
        """Say which policies are not in force, and which of those on which nothing rests."""
        doubted = self._doubts.note(wrong)
        lasting = {each: verdict for each, verdict in wrong.items() if doubted[each] >= PATIENCE[verdict]}
        believed = lasting if self._trusted else wrong
        silent = {each: verdict for each, verdict in believed.items() if each in ESSENTIAL}
        self._trusted = self._trusted or not silent
        return silent, {each: verdict for each, verdict in lasting.items() if each not in ESSENTIAL}

    async def _wrong(self) -> dict[str, Verdict]:
        """Ask everything, and return what did not answer as it should."""
        try:
            await self._plant()
        except ForkRefusedError:
            raise
        except (ClusterError, LedgerError) as error:
            log.warning("the canary's namespaces are not as they should be", error=str(error))
            return {PLANTED: Verdict.UNKNOWN}
        gate, served = asyncio.Semaphore(AT_ONCE), self._served()
        probes = [probe for probe in PROBES if self._is_there(probe, served)]
        answers = await asyncio.gather(*(self._ask(probe, gate) for probe in probes))
        found: dict[str, Verdict] = {}
        for probe, answer in zip(probes, answers, strict=True):
            verdict = judge(probe, answer)
            if verdict is not Verdict.HELD:
                found[probe.subject] = verdict
                log.debug(
                    "not refused as it should be", policy=probe.subject, status=answer.status, said=answer.message
                )
        return found

    def _is_there(self, probe: Probe, served: frozenset[ResourceType]) -> bool:
        kind = probe.subject.partition(" ")[0]
        return (probe.needs is None or probe.needs in served) and kind in self._policies.served

    async def _ask(self, probe: Probe, gate: asyncio.Semaphore) -> Answer:
        async with gate:
            return await self._canary.ask(probe)


def _besides(missing: Set[str], found: Iterable[str]) -> Iterator[str]:
    """Of what was found, the policies that are there: of the others it is said that they are not."""
    return (each for each in found if each.split()[-1] not in missing)
