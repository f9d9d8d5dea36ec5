"""The sample tenants, settled once for all tests of this folder."""

import pytest

from tests import sample_world
from tests.simulation import Simulation


@pytest.fixture(scope="session")
def settled_samples() -> Simulation:
    return sample_world.settled()


@pytest.fixture
def world(settled_samples: Simulation) -> Simulation:
    """A cluster of one's own, in which the samples stand."""
    return settled_samples.fork()
