"""A tenant's budget as its Namespaces share it."""

from dataclasses import replace

from ringfence.model.kinds import NAMESPACE, Ref
from ringfence.plan.shares import allocation
from tests.sample_world import ACME, WEB
from tests.simulation import Simulation


def test_one_division_serves_all_siblings_until_something_changes(world: Simulation) -> None:
    """What was divided is not divided again for the next sibling; another quota is another division."""
    tenant = world.subject(ACME)
    assert tenant is not None
    assert tenant.spec is not None
    _, seen = world.look(WEB)
    first = allocation(tenant, tenant.spec, seen)
    assert allocation(tenant, tenant.spec, replace(seen, live={})) is first
    lower = {**seen.quotas, "acme-web": {**seen.quotas["acme-web"], "pods": "1"}}
    assert allocation(tenant, tenant.spec, replace(seen, quotas=lower)) is not first
    assert allocation(tenant, tenant.spec, replace(seen, namespaces=seen.namespaces[:1])) is not first


def test_a_quota_counts_for_the_namespace_that_has_it(world: Simulation) -> None:
    """Two namespaces that swap their quotas are not taken for what they were."""
    tenant = world.subject(ACME)
    assert tenant is not None
    assert tenant.spec is not None
    _, seen = world.look(Ref(NAMESPACE, "acme", "web"))
    swapped = dict(zip(seen.quotas, reversed(list(seen.quotas.values())), strict=True))
    before, after = (allocation(tenant, tenant.spec, replace(seen, quotas=each)) for each in (seen.quotas, swapped))
    assert before is not after
