"""Nothing is opened before every policy was seen to refuse, and a doubt lasts before the world is told."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from ringfence.admission.answers import Answer
from ringfence.admission.drift import shipped
from ringfence.engine import lookout
from ringfence.engine.lookout import Lookout
from ringfence.engine.policies import TYPES, LivePolicies
from ringfence.model.kinds import EXTERNAL_SECRET
from ringfence.plan.enforcement import NOT_ASKED, Enforcement
from ringfence.ports.cluster import RefusedError
from tests.fakes.canary import FakeCanary

PODS = "ringfence-pods"


@dataclass
class Clock:
    """Time that is set."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


class World:
    """A lookout and everything around it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.canary = FakeCanary()
        self.told: list[Enforcement] = []
        self.policies = LivePolicies()
        for kind in TYPES:
            self.policies.serves(kind, served=True)
            for key, spec in shipped().items():
                if key.kind == kind.kind:
                    self.policies.seen(kind, {"metadata": {"name": key.name}, "spec": spec})
        self.trouble: Exception | None = None
        self.served = frozenset({EXTERNAL_SECRET})
        self.lookout = Lookout(
            self.canary,
            self.policies,
            self.clock,
            plant=self._plant,
            served=lambda: self.served,
            tell=self._tell,
        )

    async def _plant(self) -> None:
        if self.trouble:
            raise self.trouble

    async def _tell(self, before: Enforcement, state: Enforcement) -> None:
        assert before != state
        self.told.append(state)

    def look(self, after: float = 0.0) -> Enforcement:
        """Ask once, some time later."""
        self.clock.seconds += after
        asyncio.run(self.lookout._round())
        return self.lookout.state


@pytest.fixture
def world() -> World:
    return World()


def test_nothing_is_opened_before_anybody_asked(world: World) -> None:
    """What nobody has seen refuse is not in force."""
    assert world.lookout.state is NOT_ASKED
    assert not world.lookout.state.opens
    assert world.look().opens
    assert world.told == [Enforcement()]


def test_one_silent_policy_is_enough_to_wait(world: World) -> None:
    """At the start there is nothing to be patient with."""
    world.canary.otherwise = {PODS: Answer(503, "not yet")}
    assert world.look().silent == (f"ValidatingAdmissionPolicy {PODS} could not be asked",)
    world.canary.otherwise = {}
    assert world.look(1).opens


@pytest.mark.parametrize(
    ("answer", "patience"),
    [(Answer(201), 0.5), (Answer(403, "somebody else says no"), 60.0), (Answer(0, "no answer"), 60.0)],
)
def test_a_policy_that_was_in_force_is_doubted_before_the_world_is_told(
    world: World, answer: Answer, patience: float
) -> None:
    """What passes closes the door at once; a server in trouble, when it lasts."""
    world.look()
    world.canary.otherwise = {PODS: answer}
    assert world.look(1).opens
    assert world.look(patience / 2).opens
    assert not world.look(patience).opens
    world.canary.otherwise = {}
    assert world.look(1).opens


def test_a_doubt_that_ends_is_forgotten(world: World) -> None:
    """Two short troubles are not a long one."""
    world.look()
    for _ in range(5):
        world.canary.otherwise = {PODS: Answer(503)}
        assert world.look(20).opens
        world.canary.otherwise = {}
        assert world.look(20).opens
    assert world.told == [Enforcement()]


def test_what_is_only_filled_in_closes_nothing(world: World) -> None:
    """People write it themselves; it is told as a drift."""
    world.look()
    world.canary.otherwise = {"MutatingAdmissionPolicy ringfence-regions": Answer(201)}
    world.look(1)
    state = world.look(1)
    assert state.opens
    assert state.drifted == ("MutatingAdmissionPolicy ringfence-regions has no effect",)


def test_a_missing_policy_closes_the_door_though_nobody_can_provoke_it(world: World) -> None:
    """It is told once, not as missing and as silent."""
    world.look()
    for name in ("ringfence-definitions", PODS):
        world.policies.gone(TYPES[0], {"metadata": {"name": name}})
    world.canary.otherwise = {PODS: Answer(201)}
    world.look(1)
    missing = tuple(f"ValidatingAdmissionPolicy {name} is missing" for name in ("ringfence-definitions", PODS))
    assert world.look(1) == Enforcement(silent=missing, drifted=missing)


def test_canary_namespaces_that_cant_be_made_close_the_door(world: World) -> None:
    """There is nowhere to ask."""
    world.trouble = RefusedError("no", status=403)
    assert world.look().silent == (f"{lookout.PLANTED} could not be asked",)


def test_a_server_without_mutating_policies_is_asked_for_the_others(world: World) -> None:
    """And told what it lacks."""
    for kind in TYPES[2:]:
        world.policies.serves(kind, served=False)
        world.policies.listed(kind, frozenset(), 1)
    state = world.look()
    assert state.opens
    assert not state.drifted
    assert "MutatingAdmissionPolicy" in state.lacking[0]
    assert not any(each.subject.startswith("Mutating") for each in world.canary.asked)


def test_a_server_without_validating_policies_opens_nothing(world: World) -> None:
    """Where nobody can be asked, nobody is seen to refuse; and the message says why."""
    for kind in TYPES:
        world.policies.serves(kind, served=False)
        world.policies.listed(kind, frozenset(), 1)
    state = world.look()
    assert state.silent == ("this API server serves no ValidatingAdmissionPolicy: nothing is refused",)
    assert not state.opens
    assert not world.canary.asked


def test_nobody_asks_about_a_type_that_is_not_served(world: World) -> None:
    """External Secrets need not be installed."""
    world.look()
    asked = len(world.canary.asked)
    world.served = frozenset()
    world.look(60)
    assert len(world.canary.asked) == 2 * asked - 1


def test_what_gets_better_is_no_news_for_the_record() -> None:
    """What gets worse is, and what ends."""
    worse, bad, good = Enforcement(silent=("a", "b")), Enforcement(silent=("a",)), Enforcement()
    assert bad.is_news_after(good)
    assert worse.is_news_after(bad)
    assert not bad.is_news_after(worse)
    assert good.is_news_after(bad)
