"""The operator's looks at a real Envoy: that it serves is seen, and so is whatever keeps it from serving."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import pytest

from ringfence import names
from ringfence.adapters.gateways import HttpGateways
from ringfence.cli.grafana.gateways import GATEWAYS
from ringfence.gateway.bootstrap import CLUSTERS, LISTENERS
from ringfence.gateway.files import configuration
from ringfence.gateway.listener import ROUTES_FILE
from ringfence.plan.gateway.sight import Sight, judge
from ringfence.plan.seen import Probed
from ringfence.ports.usage import Replica, Trust
from tests.dashboards import asked, lacking
from tests.gateway.asking import Request
from tests.gateway.certificates import Certificates
from tests.gateway.world import PROBE, World
from tests.waiting import eventually_awaited

NOW: Final = datetime(2026, 11, 1, tzinfo=UTC)
Files = dict[str, bytes]


@pytest.fixture
def gateways(world: World) -> HttpGateways:
    """The operator's eyes, with tokens of the probe."""

    async def token() -> str:
        return world.door.signers.issuer.token(PROBE.namespace, PROBE.account)

    return HttpGateways(token)


class Looking:
    """Looks at the world's gateway."""

    def __init__(self, world: World, gateways: HttpGateways) -> None:
        self._gateways = gateways
        pod = world.pod
        self.replica = Replica("pod-1", "127.0.0.1", 0, gateway=pod.port, metrics=pod.metrics_port)
        self.trust = Trust("localhost", pod.certificates.authority.read_text())

    async def sight(self) -> Sight:
        return await self._gateways.look(self.replica, self.trust)

    async def found(self) -> Probed:
        probed = judge((await self.sight(),), NOW)
        assert probed is not None
        return probed

    async def refused(self, published: str) -> str:
        """Whether Envoy refused that revision."""
        probed = judge((await self.sight(),), NOW, published)
        assert probed is not None
        return probed.refused

    async def until(self, told: str) -> None:
        """Look until the problem is this one."""
        await eventually_awaited(self.found, lambda probed: told in probed.problem)


@pytest.fixture
def looking(world: World, gateways: HttpGateways) -> Looking:
    """Look at the world's one replica."""
    return Looking(world, gateways)


async def test_a_gateway_that_serves_is_seen_with_its_revision(world: World, looking: Looking) -> None:
    """Every resource of its files was taken in that revision: listeners, clusters, routes and secrets."""
    sight = await looking.sight()
    revision = configuration(world.gateway).revision
    assert judge((sight,), NOW) == Probed(NOW, reachable=True, revision=revision)
    assert {"lds", "cds", "rds", "sds gateway", "sds first"} <= {name for name, _ in sight.taken}


async def test_every_metric_of_envoys_that_a_dashboard_shows_is_told(world: World, looking: Looking) -> None:
    """With its labels, at the port that is scraped, after a request."""
    world.ask(Request())
    exposition = world.pod.ask("/stats/prometheus")
    assert list(asked(GATEWAYS, "envoy_"))
    assert not lacking(GATEWAYS, exposition, "envoy_")


async def test_the_looks_of_the_operator_reach_no_provider(world: World, looking: Looking) -> None:
    """A look costs no token of any model."""
    world.received()
    assert not (await looking.found()).problem
    assert not world.received()


@pytest.mark.parametrize(
    ("file", "resource"), [(LISTENERS, "lds"), (CLUSTERS, "cds")], ids=["of listeners", "of clusters"]
)
async def test_an_update_that_envoy_refuses_is_seen(world: World, looking: Looking, file: str, resource: str) -> None:
    """Routes of the new revision are served by then, so that the header alone would say all is well."""
    changed = replace(world.gateway, max_request_bytes=world.gateway.max_request_bytes + len(resource))
    rendered = {name: bytes(content) for name, content in configuration(changed).files.items()}
    world.pod.mount({**rendered, file: _broken(rendered[file])})
    await looking.until(f"has not taken it for {resource}")
    assert world.pod.rejected() > 0
    revision = configuration(changed).revision
    assert await looking.refused(revision) == revision
    world.serve(world.gateway)
    assert not (await looking.found()).problem
    # It was refused once, and is still counted: that says nothing of what was put back.
    assert await looking.refused(configuration(world.gateway).revision) == ""


async def test_routes_that_envoy_refuses_are_seen_although_those_before_are_served(
    world: World, looking: Looking
) -> None:
    """The header tells the old revision; listeners, clusters and secrets that the new one has arrived."""
    changed = configuration(replace(world.gateway, max_request_bytes=world.gateway.max_request_bytes + 7))
    rendered = {name: bytes(content) for name, content in changed.files.items()}
    assert await looking.refused(changed.revision) == ""
    world.pod.mount({**rendered, ROUTES_FILE: _broken(rendered[ROUTES_FILE])})
    await looking.until("has not taken it for")
    assert await looking.refused(changed.revision) == changed.revision
    world.serve(world.gateway)


def _broken(content: bytes) -> bytes:
    """A name that is too short for any resource, which only Envoy itself finds out."""
    file: dict[str, Any] = orjson.loads(content)
    file["resources"].append({**file["resources"][0], "name": "broken", "connect_timeout": "-1s", "address": {}})
    return orjson.dumps(file)


async def test_a_gateway_without_identities_is_seen_as_open(world: World, looking: Looking) -> None:
    """Everything was taken and nothing is refused: only the request of a stranger tells."""
    rendered = {name: bytes(content) for name, content in configuration(world.gateway).files.items()}
    world.pod.mount({**rendered, LISTENERS: _opened(rendered[LISTENERS])})
    await looking.until("a request without a token by")
    world.serve(replace(world.gateway, max_request_bytes=world.gateway.max_request_bytes + 99))
    world.serve(world.gateway)


def _opened(content: bytes) -> bytes:
    file: dict[str, Any] = orjson.loads(content)
    filters = file["resources"][0]["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
    filters[:] = [each for each in filters if "jwt" not in each["name"] and "rbac" not in each["name"]]
    return orjson.dumps(file)


async def test_a_replica_that_cannot_be_reached_says_so(gateways: HttpGateways, looking: Looking) -> None:
    """Nothing listens at that port."""
    assert not (await looking.sight()).unreachable
    sight = await gateways.look(replace(looking.replica, gateway=1), looking.trust)
    assert "Connect call failed" in sight.unreachable or "refused" in sight.unreachable


async def test_what_a_pod_took_is_known_though_nobody_reaches_its_gateway(
    gateways: HttpGateways, looking: Looking
) -> None:
    """Once another port of it has proved whose words these are; of a pod that proves nothing, nothing is believed."""
    closed = replace(looking.replica, gateway=1)
    proven = await gateways.look(replace(closed, port=looking.replica.gateway), looking.trust)
    unproven = await gateways.look(replace(closed, port=looking.replica.metrics), looking.trust)
    assert proven.unreachable
    assert proven.taken == (await looking.sight()).taken
    assert unproven.unreachable
    assert not unproven.taken


async def test_a_certificate_of_another_authority_is_not_trusted(
    gateways: HttpGateways, looking: Looking, tmp_path: Any
) -> None:
    """Nor is any as long as no authority is known."""
    other = Certificates(tmp_path).authority.read_text()
    assert not (await looking.sight()).unreachable
    sight = await gateways.look(looking.replica, Trust("localhost", other))
    assert "CERTIFICATE_VERIFY_FAILED" in sight.unreachable
    unknown = await gateways.look(looking.replica, Trust(f"{names.GATEWAY}.acme.svc", ""))
    assert "no authority" in unknown.unreachable
