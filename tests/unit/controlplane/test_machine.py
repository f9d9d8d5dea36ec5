"""What stands for an image, and where names lead."""

import pytest

from ringfence.controlplane.node import Machine
from ringfence.controlplane.node.ways import Ways

MACHINE = Machine(programs={"envoy": ["/bin/envoy"]}, outside={"a.example:443": "127.0.0.1:9"}, spared=["system"])


@pytest.mark.parametrize(
    "image",
    [
        "envoy",
        "docker.io/envoyproxy/envoy:distroless-v1.40.0",
        "registry.example:5000/envoyproxy/envoy",
        "docker.io/envoyproxy/envoy@sha256:0123",
        "docker.io/envoyproxy/envoy:v1@sha256:0123",
    ],
)
def test_an_image_is_known_by_the_end_of_its_repository(image: str) -> None:
    """Registry, tag and digest don't matter: what runs is on this machine."""
    assert MACHINE.entrypoint(image) == ["/bin/envoy"]


@pytest.mark.parametrize("image", ["docker.io/envoy/other:v1", "myenvoy", "envoy/"])
def test_other_images_are_not_known(image: str) -> None:
    """They wait for another node."""
    assert MACHINE.entrypoint(image) is None


def test_a_machine_is_told_whole_to_its_process() -> None:
    """Nothing is lost on the command line."""
    assert Machine.from_json(MACHINE.to_json()) == MACHINE


def test_a_name_leads_to_where_it_is_now() -> None:
    """A Service may come, move and go; what is outside stays."""
    ways = Ways(MACHINE.outside)
    assert ways.target("a.example:443") == "127.0.0.1:9"
    with pytest.raises(ConnectionRefusedError, match="nobody is at web"):
        ways.target("web.app.svc:80")
    ways.lead_to({"web.app.svc:80": ""})
    assert ways.names == {"a.example:443", "web.app.svc:80"}
    with pytest.raises(ConnectionRefusedError):
        ways.target("web.app.svc:80")
    ways.lead_to({"web.app.svc:80": "192.0.2.1:7"})
    assert ways.target("web.app.svc:80") == "192.0.2.1:7"
