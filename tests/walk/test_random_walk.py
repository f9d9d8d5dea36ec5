"""Random lives of a cluster end as a pure model of them does, whatever was tried against the fence on the way.

The model is the planner in a world without failures. Real are the API server with all policies, the people, and the
operator, which is killed and started again. RINGFENCE_WALK_STEPS and RINGFENCE_WALK_SEED make longer and other walks.
"""

import os
from collections.abc import Iterator
from random import Random
from typing import Final

import pytest

from ringfence.controlplane import Client, ControlPlane
from tests.attack.asking import Asker
from tests.attack.prepared import introduce
from tests.operating import OperatorProcess, operating
from tests.waiting import eventually
from tests.walk.cluster import Cluster
from tests.walk.model import Model, differences
from tests.walk.steps import ALL_STEPS, TO_BE_TAKEN, Walk

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

STEPS: Final = int(os.environ.get("RINGFENCE_WALK_STEPS") or ALL_STEPS)
SEED: Final = int(os.environ.get("RINGFENCE_WALK_SEED") or 8)
LONGEST: Final = 120.0
"""Seconds until the cluster must be as it should; a namespace takes some to go."""


@pytest.fixture(scope="module")
def operator(controlplane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """The operator, with the shipped roles only, beside people with and without rights."""
    introduce(controlplane.admin)
    # Who keeps his name takes up his own Lease at once when he is started again.
    with operating(controlplane, tmp_path_factory.mktemp("walk"), "--identity", "walker") as process:
        yield process


def test_a_random_walk_ends_where_the_model_does(
    operator: OperatorProcess, controlplane: ControlPlane, admin: Client
) -> None:
    """After each step with the operator up, and at the end: the same objects, and no way between two tenants."""
    cluster = Cluster(admin)
    walk = Walk(Random(SEED), Model(cluster.facts()), Asker(controlplane), operator)
    for _ in walk.begin():
        arrives(walk, cluster)
    for _ in range(STEPS):
        walk.step()
        if operator.running:
            arrives(walk, cluster)
    walk.go_on()
    walk.start()
    arrives(walk, cluster)
    left = {step.__name__ for step in TO_BE_TAKEN - walk.effective}
    assert STEPS < ALL_STEPS or not left, "\n".join(walk.told)


def arrives(walk: Walk, cluster: Cluster) -> None:
    """The cluster becomes what the model says, and nobody reaches another tenant."""
    walk.model.settle()
    wanted = walk.model.picture()

    def is_there() -> bool:
        found = differences(wanted, cluster.picture())
        assert found == [], "\n".join([*walk.told, *found])
        return True

    eventually(is_there, LONGEST)
    assert cluster.reach().breaches == (), "\n".join(walk.told)
