"""Whose replicas count: those in a tenant's home namespace, and so many of them."""

import pytest

from ringfence import names
from ringfence.engine.endpoints import MOST_REPLICAS, Endpoints
from ringfence.model.kinds import ENDPOINT_SLICE
from ringfence.plan.children import core_namespace
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired
from tests.simulation import Simulation
from tests.unit.engine.conftest import tenant


@pytest.fixture
def view() -> Simulation:
    """A tenant, and no namespace yet."""
    made = Simulation()
    made.put(tenant("acme"))
    return made


def _uid(view: Simulation) -> str:
    (found,) = [thing["metadata"]["uid"] for thing in view.objects.values() if thing["kind"] == "Tenant"]
    return str(found)


def _slice(endpoints: Endpoints, namespace: str, count: int = 1) -> None:
    listed = [{"addresses": ["10.0.0.7"], "targetRef": {"name": f"pod-{each:03}"}} for each in range(count)]
    metadata = {"namespace": namespace, "name": "slice"}
    ports = [{"name": "usage", "port": 9902}]
    endpoints.seen(ENDPOINT_SLICE, {"metadata": metadata, "endpoints": listed, "ports": ports})


def _without(made: Desired, label: str) -> Desired:
    metadata = made.manifest["metadata"]
    labels = {key: value for key, value in metadata["labels"].items() if key != label}
    return Desired(made.ref, {**made.manifest, "metadata": {**metadata, "labels": labels}})


def test_replicas_in_a_home_namespace_count(view: Simulation) -> None:
    endpoints = Endpoints(view)
    view.put(core_namespace.make(Place.home("acme", _uid(view)), None).manifest)
    _slice(endpoints, "acme")
    assert endpoints.homes() == {"acme"}


def test_replicas_in_no_other_namespace_count(view: Simulation) -> None:
    """The tenant's own core namespace, one of a former owner, one that is nobody's, one that is not there."""
    uid = _uid(view)
    for made in (
        core_namespace.make(Place.of("acme", uid, "dev", "dev"), None),
        core_namespace.make(Place.home("acme", "a-former-owner"), None),
        _without(core_namespace.make(Place.home("acme", uid), None), names.TENANT_LABEL),
        None,
    ):
        endpoints = Endpoints(world := view.fork())
        if made:
            world.put(made.manifest)
        for namespace in ("acme", "acme-dev", "default"):
            _slice(endpoints, namespace)
        assert not endpoints.homes()


def test_a_home_counts_as_soon_as_it_is_known_to_be_one(view: Simulation) -> None:
    """Whichever comes first: slices and namespaces are told by different watches."""
    endpoints = Endpoints(view)
    _slice(endpoints, "acme")
    assert not endpoints.homes()
    view.put(core_namespace.make(Place.home("acme", _uid(view)), None).manifest)
    assert endpoints.homes() == {"acme"}


@pytest.mark.parametrize(("there", "asked"), [(MOST_REPLICAS, MOST_REPLICAS), (MOST_REPLICAS + 9, MOST_REPLICAS)])
def test_a_gateway_has_no_more_replicas_than_it_can_have(view: Simulation, there: int, asked: int) -> None:
    """Whatever else is listed there is not asked."""
    endpoints = Endpoints(view)
    _slice(endpoints, "acme", there)
    assert len(endpoints.of("acme")) == asked
