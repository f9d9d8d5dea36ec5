"""Keeps the record of episodes: what is out of the ordinary at an object, from when until when.

Laws: what lasts is what the ledger says, taken up where the process before left it; what the objects say now is
compared with that, so that each beginning and each end is on record once. An episode stops nothing and waits for
nothing: where the ledger takes no record, its record follows.
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ringfence.engine.record import Recorder
from ringfence.lineage import episodes, facets
from ringfence.lineage.entry import Entry, LogId, OpenRun
from ringfence.lineage.episodes import End, Lasting
from ringfence.lineage.runs import Actor, Operator, make_run_id
from ringfence.model.kinds import Ref
from ringfence.plan import timers
from ringfence.plan.episode import Ending, Episode, EpisodeKind, ending
from ringfence.ports.clock import Clock

_RANDOM_BYTES: Final = 10

Holder = tuple[Ref, str]
"""An object and its uid: a namesake made later is another holder."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What one object says now of one kind of episode."""

    holder: Holder
    kind: EpisodeKind
    log: LogId
    tenant: str
    holding: tuple[Episode, ...] = ()
    """What it is in, of this kind."""
    namespace: str = ""
    """The Namespace object concerned; empty for what concerns the whole tenant."""
    actor: Actor = field(default_factory=Actor)
    """Who is behind what is new or over."""
    confirmed_by: str = ""
    """Who confirmed, where it takes two."""
    quarantined: bool = False
    """Whether a quarantine lasts, which no pause holds up."""
    late: bool = False
    """Nobody watched when it came to be so."""


class Episodes:
    """What lasts, and the telling of what begins and ends."""

    def __init__(
        self,
        recorder: Recorder,
        clock: Clock,
        *,
        operator: Callable[[], Operator],
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._recorder = recorder
        self._clock = clock
        self._operator = operator
        self._random = random
        self._lasting: dict[Holder, tuple[Lasting, ...]] = {}
        self._confirmed: dict[Holder, str] = {}
        self._unseen: set[str] = set()
        self._resumed = False

    def resume(self, runs: Iterable[OpenRun], uids: Iterable[str]) -> Sequence[Holder]:
        """Take up what lasts on record, and return where; of objects with these uids the first word comes late."""
        for lasting in filter(None, map(episodes.lasting_of, runs)):
            holder = lasting.episode.subject, lasting.episode.uid
            self._lasting[holder] = (*self._lasting.get(holder, ()), lasting)
        self._unseen = set(uids)
        self._resumed = True
        return tuple(self._lasting)

    def is_first_look(self, uid: str) -> bool:
        """Answer whether an object that was there before us is looked at for the first time; once."""
        first = uid in self._unseen
        if self._resumed:
            self._unseen.discard(uid)
        return first

    async def settle(self, standing: Standing) -> None:
        """Tell what began and what is over at an object; before the record was read nobody can know."""
        if not self._resumed:
            return
        holder, wanted = standing.holder, [_bounded(each) for each in standing.holding]
        known = [each for each in self._lasting.get(holder, ()) if each.episode.kind is standing.kind]
        over = [each for each in known if each.episode not in wanted]
        begun = [self._begun(standing, each) for each in wanted if all(each != old.episode for old in known)]
        ends = [(each, self._end(standing, each)) for each in over]
        self._note(holder, over, begun, standing.confirmed_by)
        await self._tell(ends, begun)

    async def vanished(self, holder: Holder, *, late: bool = False) -> None:
        """Tell that an object is gone, and with it whatever lasted there."""
        over = self._lasting.get(holder, ())
        self._note(holder, over, ())
        await self._tell([(each, End(Ending.VANISHED, late=late)) for each in over], ())

    def _note(self, holder: Holder, over: Collection[Lasting], begun: Iterable[Lasting], confirmed: str = "") -> None:
        """Remember before anybody is waited for: a second look meanwhile must not tell the same."""
        left = (*(each for each in self._lasting.get(holder, ()) if each not in over), *begun)
        if left:
            self._lasting[holder] = left
            self._confirmed[holder] = confirmed or self._confirmed.get(holder, "")
        else:
            self._lasting.pop(holder, None)
            self._confirmed.pop(holder, None)

    def _begun(self, standing: Standing, episode: Episode) -> Lasting:
        return Lasting(
            log=standing.log,
            run_id=make_run_id(self._now_ms(), self._random(_RANDOM_BYTES)),
            episode=episode,
            tenant=standing.tenant,
            namespace=standing.namespace,
            actor=standing.actor,
            late=standing.late,
        )

    def _end(self, standing: Standing, over: Lasting) -> End:
        how = ending(over.episode, standing.holding, self._clock.now(), quarantined=standing.quarantined)
        if how is Ending.EXPIRED:  # nobody ended it
            at = timers.moment(over.episode.until)
            return End(how, at_ms=int(at.timestamp() * 1000) if at else None, late=standing.late)
        confirmed_by = standing.confirmed_by or self._confirmed.get(standing.holder, "")
        second = confirmed_by if over.episode.kind is EpisodeKind.QUARANTINE and how is Ending.LIFTED else ""
        return End(how, actor=standing.actor, confirmed_by=second, late=standing.late)

    async def _tell(self, ends: Iterable[tuple[Lasting, End]], begun: Iterable[Lasting]) -> None:
        now, operator = self._now_ms(), self._operator()
        entries: dict[LogId, list[Entry]] = {}
        for lasting, end in ends:
            entries.setdefault(lasting.log, []).append(episodes.over(lasting, end, operator, time_ms=now))
        for lasting in begun:
            entries.setdefault(lasting.log, []).append(episodes.begun(lasting, operator, time_ms=now))
        for log, told in entries.items():
            await self._recorder.tell(log, told)

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _bounded(episode: Episode) -> Episode:
    """As the record has it: without admission policies a reason may be of any length."""
    return replace(episode, reason=facets.bounded(episode.reason))
