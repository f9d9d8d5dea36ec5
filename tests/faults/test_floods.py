"""One tenant floods the API server and the operator; another goes on being served."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ringfence.controlplane import ControlPlane
from tests.bench.fairness import Flood, Times, grounds
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver

NAMESPACES = 6
"""Of the tenant that floods."""


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """Two tenants, and an operator that serves them."""
    with TemporaryDirectory() as folder, grounds(Path(folder), NAMESPACES) as served:
        yield served


def test_a_tenant_is_served_while_another_floods(plane: ControlPlane) -> None:
    """What it asks for is ready long before the flood ends. How much longer it takes is measured by `make bench`."""
    flood = Flood(plane, NAMESPACES, total=1_000_000, connections=6)
    times = Times(plane, repeats=1)
    (alone,) = times.until_ready()
    with ThreadPoolExecutor(1) as pool:
        flooding = pool.submit(flood.run)
        try:
            eventually(lambda: flood.sent > 100, 120)
            (meanwhile,) = times.until_ready()
            assert not flooding.done()
        finally:
            flood.stop()
        flooding.result()
    assert meanwhile < 20 * alone + 20
