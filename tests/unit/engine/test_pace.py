"""How often changes of one object are followed."""

from itertools import pairwise

from ringfence.engine.pace import BURST, EVERY, Pace, is_paced
from ringfence.lineage.runs import Trigger
from ringfence.model.kinds import NAMESPACE, TENANT, Ref

WEB = Ref(NAMESPACE, "acme", "web")
SHOP = Ref(NAMESPACE, "globex", "shop")
ACME = Ref(TENANT, "", "acme")


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_now_and_then_is_at_once_and_all_the_time_is_once_a_second() -> None:
    """As it is used: while a look is to come, further changes are the same look, and nobody asks."""
    clock = Hand()
    pace = Pace(clock)
    looks: list[float] = []
    for tick in range(1000):  # ten seconds
        clock.seconds = 1000 + tick / 100
        if not looks or looks[-1] <= clock.seconds:
            looks.append(clock.seconds + pace.wait(WEB))
    assert looks[:BURST] == [1000 + tick / 100 for tick in range(BURST)]
    assert all(later - earlier > EVERY - 0.05 for earlier, later in pairwise(looks[BURST - 1 :]))
    assert pace.wait(SHOP) == 0
    clock.seconds += (BURST + 1) * EVERY
    assert [pace.wait(WEB) for _ in range(BURST)] == [0] * BURST


def test_quiet_objects_are_forgotten() -> None:
    """There may be thousands, and they come and go."""
    clock = Hand()
    pace = Pace(clock)
    for number in range(1000):
        pace.wait(Ref(NAMESPACE, "acme", f"n{number}"))
    clock.seconds += BURST * EVERY
    pace.wait(WEB)
    assert len(pace._empty_at) == 1


def test_what_closes_or_mends_never_waits() -> None:
    """A Tenant's own change may declare an incident; a fence is repaired at once."""
    assert is_paced(WEB, Trigger.SPEC)
    assert is_paced(ACME, Trigger.DEPENDENCY)
    assert not is_paced(ACME, Trigger.SPEC)
    for trigger in (Trigger.DRIFT, Trigger.DELETE, Trigger.RETRY, Trigger.RESUME, Trigger.RESYNC):
        assert not is_paced(WEB, trigger)
