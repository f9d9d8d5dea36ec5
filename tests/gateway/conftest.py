"""One gateway a file, started when the first test asks for it."""

from collections.abc import Iterator

import pytest

from tests.gateway.world import World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The tenant acme with its gateway, on a real Envoy."""
    with running(tmp_path_factory.mktemp("gateway")) as found:
        yield found
