"""A pod without a working configuration replaces none that has one: a real Envoy, started with what it refuses."""

import orjson
import pytest

from ringfence.gateway.bootstrap import CLUSTERS, LISTENERS
from ringfence.gateway.files import configuration
from ringfence.gateway.listener import ROUTES_FILE
from tests.gateway.world import World
from tests.waiting import eventually

OK, UNAVAILABLE = 200, 503


def test_a_pod_that_took_its_configuration_is_ready(world: World) -> None:
    """And stays so while it refuses a later one, for it serves on."""
    eventually(lambda: world.pod.ready() == OK)
    before = world.pod.rejected()
    world.pod.mount(broken(world, LISTENERS))
    eventually(lambda: world.pod.rejected() > before)
    assert world.pod.ready() == OK


@pytest.mark.parametrize("file", [LISTENERS, CLUSTERS, ROUTES_FILE])
def test_a_pod_that_starts_with_what_it_refuses_is_not_ready(world: World, file: str) -> None:
    """Until it gets what it takes, without another start. Envoy itself says that it is ready all the time."""
    world.pod.mount(broken(world, file))
    world.pod.start_anew()
    eventually(lambda: world.pod.ready() == UNAVAILABLE)
    eventually(lambda: "LIVE" in world.pod.ask("/ready"))
    assert world.pod.ready() == UNAVAILABLE
    world.pod.publish(world.gateway)
    eventually(lambda: world.pod.ready() == OK)


def broken(world: World, file: str) -> dict[str, bytes]:
    """The files with one that has a field which nobody knows."""
    files = {name: bytes(content) for name, content in configuration(world.gateway).files.items()}
    content = orjson.loads(files[file])
    content["resources"][0]["nonsense"] = True
    return {**files, file: orjson.dumps(content)}
