"""What a Tenant's status has room for."""

from dataclasses import replace

from ringfence.model.status import MOST_NAMESPACES
from ringfence.plan.tenant.status import status
from tests.sample_world import ACME
from tests.simulation import Simulation


def test_a_flood_of_namespace_objects_does_not_keep_the_status_from_being_told(world: Simulation) -> None:
    """The API server takes so many entries and no more; the count tells of all."""
    tenant, seen = world.look(ACME)
    assert tenant is not None
    assert tenant.spec is not None
    first = seen.namespaces[0]
    flood = tuple(replace(first, ref=first.ref._replace(name=f"n{number}")) for number in range(MOST_NAMESPACES + 1))
    for namespaces in (seen.namespaces, (*seen.namespaces, *flood)):
        told = status(tenant, tenant.spec, replace(seen, namespaces=namespaces))
        assert told["counts"]["namespaces"] == len(namespaces)
        assert len(told["namespaces"]) == min(len(namespaces), MOST_NAMESPACES)
        assert {each.name for each in seen.namespaces} <= {each["name"] for each in told["namespaces"]}
