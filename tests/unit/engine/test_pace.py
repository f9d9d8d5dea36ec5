"""How often changes that people make are followed."""

from collections.abc import Sequence
from itertools import pairwise

from ringfence.engine.pace import BURST, EVERY, OF_TENANT, Pace, is_paced
from ringfence.lineage.runs import Trigger
from ringfence.model.kinds import NAMESPACE, TENANT, Ref

WEB = Ref(NAMESPACE, "acme", "web")
API = Ref(NAMESPACE, "acme", "api")
SHOP = Ref(NAMESPACE, "globex", "shop")
ACME = Ref(TENANT, "", "acme")


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def looks_at(pace: Pace, clock: Hand, refs: Sequence[Ref], seconds: float) -> dict[Ref, list[float]]:
    """As it is used: each object changes all the time, and while a look is to come, nobody asks for another."""
    looks: dict[Ref, list[float]] = {ref: [] for ref in refs}
    begun = clock.seconds
    for tick in range(int(seconds * 100)):
        clock.seconds = begun + tick / 100
        for ref in refs:
            if not looks[ref] or looks[ref][-1] <= clock.seconds:
                looks[ref].append(clock.seconds + pace.wait(ref))
    return looks


def test_now_and_then_is_at_once() -> None:
    """The first changes of each object don't wait, whatever its neighbours do, and it has them again in time."""
    clock = Hand()
    pace = Pace(clock)
    for ref in (WEB, API, SHOP):
        assert [pace.wait(ref) for _ in range(BURST)] == [0] * BURST
    clock.seconds += BURST * EVERY
    assert [pace.wait(WEB) for _ in range(BURST)] == [0] * BURST


def test_all_the_time_is_a_few_times_a_second_for_a_tenant() -> None:
    """However many of a tenant's objects change, and without any delay for another's."""
    clock = Hand()
    pace = Pace(clock)
    looks = looks_at(pace, clock, [WEB, API], 20)
    assert looks[WEB][:BURST] == [1000 + tick / 100 for tick in range(BURST)]
    later = sorted(looks[WEB][BURST:] + looks[API][BURST:])
    assert all(after - before > OF_TENANT - 0.02 for before, after in pairwise(later))
    assert len(later) >= 19 / OF_TENANT
    assert min(len(looks[WEB]), len(looks[API])) > 0.4 * len(later), "they take turns"
    assert pace.wait(SHOP) == 0


def test_no_object_waits_longer_than_half_a_minute() -> None:
    """Not even that of a tenant who has hundreds of them, and changes all of them all the time."""
    clock = Hand()
    pace = Pace(clock)
    looks = looks_at(pace, clock, [Ref(NAMESPACE, "acme", f"n{number}") for number in range(300)], 40)
    assert max(after - before for found in looks.values() for before, after in pairwise(found)) <= EVERY + 0.02
    assert sum(map(len, looks.values())) <= 300 * (BURST + 70 / EVERY) + 70 / OF_TENANT


def test_quiet_objects_and_tenants_are_forgotten() -> None:
    """There may be thousands, and they come and go."""
    clock = Hand()
    pace = Pace(clock)
    for number in range(1000):
        for _ in range(BURST + 1):
            pace.wait(Ref(NAMESPACE, f"t{number}", "web"))
    clock.seconds += (BURST + 1) * EVERY
    for _ in range(BURST + 1):
        pace.wait(WEB)
    assert len(pace) == 2


def test_what_closes_or_mends_never_waits() -> None:
    """A Tenant's own change may declare an incident; a fence is repaired at once."""
    assert is_paced(WEB, Trigger.SPEC)
    assert is_paced(ACME, Trigger.DEPENDENCY)
    assert not is_paced(ACME, Trigger.SPEC)
    for trigger in (Trigger.DRIFT, Trigger.DELETE, Trigger.RETRY, Trigger.RESUME, Trigger.RESYNC):
        assert not is_paced(WEB, trigger)
