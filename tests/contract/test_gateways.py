"""What the engine relies on of looks at gateways: a real Envoy and its stand-in keep the same promises."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import pytest

from ringfence.adapters.gateways import HttpGateways
from ringfence.gateway.files import configuration
from ringfence.plan.gateway.sight import Sight, judge
from ringfence.plan.seen import Probed
from ringfence.ports.gateways import Gateways
from ringfence.ports.usage import Replica, Trust
from tests.fakes.gateways import FakeGateways
from tests.gateway.world import PROBE, World, running

NOW: Final = datetime(2026, 11, 1, tzinfo=UTC)
AWAY: Final = Replica("pod-2", "127.0.0.1", 0, gateway=1, metrics=1)


@dataclass(frozen=True)
class Looking:
    """A port, one replica that serves, and what it serves."""

    gateways: Gateways
    replica: Replica
    trust: Trust
    revision: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Run a gateway on a real Envoy."""
    with running(tmp_path_factory.mktemp("gateway")) as found:
        yield found


@pytest.fixture(params=["memory", "envoy"])
def looking(request: pytest.FixtureRequest) -> Looking:
    """Give the port of either kind."""
    if request.param == "memory":
        fake = FakeGateways("aaaa", {AWAY.name: Sight(AWAY.name, unreachable="no route to host")})
        return Looking(fake, Replica("pod-1", "10.0.0.1", 0), Trust("gateway", "PEM"), "aaaa")
    world: World = request.getfixturevalue("world")

    async def token() -> str:
        return world.door.signers.issuer.token(PROBE.namespace, PROBE.account)

    pod = world.pod
    replica = Replica("pod-1", "127.0.0.1", 0, gateway=pod.port, metrics=pod.metrics_port)
    trust = Trust("localhost", pod.certificates.authority.read_text())
    return Looking(HttpGateways(token), replica, trust, configuration(world.gateway).revision)


async def test_a_replica_that_serves_is_judged_so(looking: Looking) -> None:
    """By name, with the revision that it serves."""
    sight = await looking.gateways.look(looking.replica, looking.trust)
    assert sight.replica == looking.replica.name
    assert judge((sight,), NOW) == Probed(NOW, reachable=True, revision=looking.revision)


async def test_a_look_twice_is_the_same(looking: Looking) -> None:
    """Nothing is changed by looking."""
    first = await looking.gateways.look(looking.replica, looking.trust)
    assert await looking.gateways.look(looking.replica, looking.trust) == first


async def test_a_replica_that_is_away_is_told_and_not_raised(looking: Looking) -> None:
    """What it fails to do stops nobody who looks at others."""
    assert not (await looking.gateways.look(looking.replica, looking.trust)).unreachable
    assert (await looking.gateways.look(AWAY, looking.trust)).unreachable


async def test_nobody_is_asked_whose_authority_is_not_known(looking: Looking) -> None:
    """The probe's token goes to no stranger."""
    unknown = replace(looking.trust, authority="")
    assert "authority" in (await looking.gateways.look(looking.replica, unknown)).unreachable
