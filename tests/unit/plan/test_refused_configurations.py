"""What Envoy refuses replaces nothing: what was seen to serve is kept, and put back."""

import base64
import gzip
from dataclasses import replace
from typing import Any, Final

import orjson
import pytest

from ringfence import names
from ringfence.model.kinds import CONFIG_MAP, DEPLOYMENT, Ref
from ringfence.plan.children import gateway_served
from ringfence.plan.seen import Probed
from tests import gateway_world
from tests.gateway_world import ACME, CHAT, change, look_at_gateway, settle
from tests.sample_world import edit
from tests.simulation import START, Simulation
from tests.told import message, told

FILES: Final = Ref(CONFIG_MAP, "acme", names.GATEWAY_FILES)
ROUTES: Final = Ref(CONFIG_MAP, "acme", names.GATEWAY_ROUTES)
SERVED: Final = Ref(CONFIG_MAP, "acme", names.GATEWAY_SERVED)
WHY: Final = "pod gateway-1: Envoy refused revision {}, of its clusters"


@pytest.fixture(scope="module")
def settled() -> Simulation:
    """A gateway that was seen to serve."""
    return gateway_world.world()


@pytest.fixture
def world(settled: Simulation) -> Simulation:
    """One of one's own."""
    return settled.fork()


def revision_of(world: Simulation, ref: Ref = FILES) -> str:
    return str(world.objects[ref]["metadata"]["annotations"][names.REVISION_ANNOTATION])


def marks(world: Simulation) -> tuple[str | None, str | None]:
    noted = world.objects[FILES]["metadata"]["annotations"]
    return noted.get(names.REFUSED_ANNOTATION), noted.get(names.REFUSED_BECAUSE_ANNOTATION)


def limit(world: Simulation, number: int) -> str:
    """Ask for another configuration, and publish it; nobody has looked yet."""
    changed = orjson.loads(orjson.dumps(world.objects[CHAT]))
    changed["spec"]["limits"] = {"requestsPerMinute": number}
    world.put(changed)
    world.settle()
    return revision_of(world)


def refuse(world: Simulation) -> str:
    """A look finds that what is published was refused in one replica."""
    revision = revision_of(world)
    world.gateways["acme"] = Probed(START, reachable=True, problem=WHY.format(revision), refused=revision)
    return revision


def published(world: Simulation) -> tuple[Any, Any]:
    return world.objects[FILES]["data"], world.objects[ROUTES]["data"]


def test_what_was_refused_is_replaced_by_what_served(world: Simulation) -> None:
    """In every byte, with the ConfigMap that tells of it; both name the revision that serves."""
    before, files = revision_of(world), published(world)
    assert limit(world, 7) != before
    assert published(world) != files
    refused = refuse(world)
    world.settle()
    assert published(world) == files
    assert (revision_of(world), revision_of(world, ROUTES)) == (before, before)
    assert marks(world) == (refused, WHY.format(refused))


def test_the_condition_says_which_was_refused_and_which_serves(world: Simulation) -> None:
    """Also when the look that found it is over, and every replica serves what was put back."""
    before = revision_of(world)
    limit(world, 7)
    refused = refuse(world)
    settle(world)
    assert world.gateways["acme"] == Probed(START, reachable=True, revision=before)
    for type_ in ("GatewayReady", "Ready"):
        assert told(world, ACME, type_) == ("False", "ConfigurationRefused")
    said = message(world, ACME, "GatewayReady")
    assert WHY.format(refused) in said
    assert f"revision {before} goes on serving" in said
    assert "change what was changed last" in said
    assert told(world, CHAT) == ("False", "NotServed")


def test_the_record_of_it_leads_from_one_revision_to_the_other(world: Simulation) -> None:
    """As of every change of a configuration."""
    before = revision_of(world)
    limit(world, 7)
    refused = refuse(world)
    planned = world.plan(ACME)
    assert planned is not None
    assert planned[1].configuration == (refused, before)


def test_it_is_not_tried_again_until_it_is_another_one(world: Simulation) -> None:
    """Then once; and what was refused may come back once there was another one."""
    limit(world, 7)
    refused = refuse(world)
    settle(world)
    assert world.settle() == []
    other = limit(world, 8)
    assert other not in (refused, "")
    assert marks(world) == (None, None)
    settle(world)
    assert told(world, ACME, "GatewayReady") == ("True", "GatewayServes")
    assert limit(world, 7) == refused


def test_what_was_refused_is_told_also_while_nothing_new_can_be_rendered(world: Simulation) -> None:
    """Who vouches for callers is not known yet: what was put back stays, and so does the reason."""
    before = revision_of(world)
    limit(world, 7)
    refused = refuse(world)
    settle(world)
    world.facts = replace(world.facts, issuer=None)
    settle(world)
    assert (revision_of(world), marks(world)[0]) == (before, refused)
    assert told(world, ACME, "GatewayReady") == ("False", "ConfigurationRefused")


def test_what_was_taken_back_leaves_no_mark(world: Simulation) -> None:
    """Who undoes his change and makes it again is heard again."""
    before = revision_of(world)
    limit(world, 7)
    refuse(world)
    settle(world)
    change(world, CHAT, {"limits": {}})
    assert revision_of(world) == before
    assert marks(world) == (None, None)
    assert told(world, ACME, "GatewayReady") == ("True", "GatewayServes")


def test_what_was_not_seen_is_neither_kept_nor_put_back(world: Simulation) -> None:
    """Out of reach nothing is known of what Envoy did."""
    kept = world.objects[SERVED]
    refused = limit(world, 7)
    look_at_gateway(world, reachable=False, problem="no route to host")
    world.settle()
    assert revision_of(world) == refused
    assert world.objects[SERVED] == kept
    look_at_gateway(world, problem="gateway-1 lets anybody in")
    world.settle()
    assert world.objects[SERVED] == kept
    look_at_gateway(world)
    world.settle()
    assert revision_of(world, SERVED) == refused


def test_a_missing_key_keeps_nothing_from_being_kept(world: Simulation) -> None:
    """Or a gateway without one provider's key would go back further and further."""
    newer = limit(world, 7)
    look_at_gateway(world, problem="has not taken it for sds openai")
    world.gateways["acme"] = replace(world.gateways["acme"], lacks_secrets=True)
    world.settle()
    assert revision_of(world, SERVED) == newer


def test_where_nothing_else_ever_served_nothing_is_put_back(world: Simulation) -> None:
    """The first configuration of all stays; the condition says that there is no other."""
    world.delete(SERVED)
    refused = refuse(world)
    world.settle()
    assert revision_of(world) == refused
    assert told(world, ACME, "GatewayReady") == ("False", "ConfigurationRefused")
    assert "No other revision was seen to serve" in message(world, ACME, "GatewayReady")


def test_what_served_and_is_refused_by_a_new_replica_stays(world: Simulation) -> None:
    """There is nothing better to put back, and what serves goes on."""
    before = refuse(world)
    world.settle()
    assert (revision_of(world), marks(world)) == (before, (None, None))
    assert told(world, ACME, "GatewayReady") == ("False", "ConfigurationRefused")


@pytest.mark.parametrize("how", ["another content", "no content", "no gzip"])
def test_what_somebody_forged_is_not_put_back(world: Simulation, how: str) -> None:
    """It is believed only while it is what its name says, to the byte."""
    content = orjson.loads(gzip.decompress(base64.b64decode(world.objects[SERVED]["binaryData"][KEY])))
    content["files"]["rds.json"] = content["files"]["rds.json"].replace("gpt-4o", "gpt-5o")
    packed = base64.b64encode(gzip.compress(orjson.dumps(content))).decode()
    forged = {"another content": {KEY: packed}, "no content": {}, "no gzip": {KEY: "AAAA"}}[how]
    limit(world, 7)
    world.put({**world.objects[SERVED], "binaryData": forged})
    refused = refuse(world)
    world.settle()
    assert revision_of(world) == refused
    assert "No other revision" in message(world, ACME, "GatewayReady")


KEY: Final = gateway_served._KEY


def test_what_somebody_changed_is_not_kept_for_what_it_was(world: Simulation) -> None:
    """The files were seen to serve; whose words they were is not known."""
    limit(world, 7)
    changed = {**world.objects[FILES], "data": {**world.objects[FILES]["data"], "rds.json": "{}"}}
    world.put(changed)
    look_at_gateway(world)
    first = next(iter(world.writes(ACME)))
    assert first.ref == FILES
    world.settle()
    assert revision_of(world, SERVED) == revision_of(world)


def test_what_serves_is_kept_before_anything_else_is_published(world: Simulation) -> None:
    """Killed between the two, there is still what can be put back."""
    limit(world, 7)
    look_at_gateway(world)
    serving = revision_of(world)
    changed = orjson.loads(orjson.dumps(world.objects[ACME]))
    changed["spec"]["gateway"] = {"requestsPerMinute": 9}
    world.put(changed)
    assert [write.ref for write in world.writes(ACME)][:2] == [SERVED, FILES]
    assert revision_of(world, SERVED) == serving
    assert revision_of(world) != serving


@pytest.mark.parametrize("writes", range(4))
def test_an_operator_that_is_killed_while_it_puts_back_ends_in_the_same_state(world: Simulation, writes: int) -> None:
    """After any of its writes; who starts anew has seen nothing of the gateway yet."""
    limit(world, 7)
    refuse(world)
    undisturbed = world.fork()
    settle(undisturbed)
    world.reconcile(ACME, stop_after=writes)
    del world.gateways["acme"]
    if revision_of(world) != revision_of(undisturbed):
        world.settle()
        refuse(world)
    settle(world)
    assert published(world) == published(undisturbed)
    assert (marks(world), world.objects[SERVED]["binaryData"]) == (
        marks(undisturbed),
        undisturbed.objects[SERVED]["binaryData"],
    )
    assert message(world, ACME, "GatewayReady") == message(undisturbed, ACME, "GatewayReady")


def test_an_incident_leaves_what_was_kept(world: Simulation) -> None:
    """Everything of the gateway stays to be looked at, and serves again afterwards."""
    kept = world.objects[SERVED]
    del world.gateways["acme"]
    edit(ACME, {"isolation": "Quarantined", "incident": {"id": "INC-1", "reason": "leak"}})(world)
    world.settle()
    assert world.objects[SERVED] == kept
    assert world.objects[Ref(DEPLOYMENT, "acme", names.GATEWAY)]["spec"]["replicas"] == 0
