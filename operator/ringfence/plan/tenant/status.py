"""What a Tenant's status says besides conditions."""

from typing import Any

from ringfence import names
from ringfence.model.namespace import NamespaceSpec
from ringfence.model.status import MOST_NAMESPACES
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan import shares
from ringfence.plan.reasons import ConditionType
from ringfence.plan.seen import Seen


def status(tenant: Subject[TenantSpec], spec: TenantSpec, seen: Seen) -> dict[str, Any]:
    """Counts, Namespaces and the division of the budget.

    A tenant's admins may write any number of Namespace objects; told of are the oldest, as many as there is room for.
    """
    told = sorted(seen.namespaces[:MOST_NAMESPACES], key=lambda each: each.name)
    return {
        "counts": {"namespaces": len(seen.namespaces), "routes": len(seen.routes)},
        "namespaces": [_namespace(tenant.name, each) for each in told],
        "budget": {
            "hard": {name: str(amount) for name, amount in sorted(spec.budget.hard.items())},
            "allocated": dict(shares.allocation(tenant, spec, seen).allocated),
        },
    }


def _namespace(tenant: str, namespace: Subject[NamespaceSpec]) -> dict[str, Any]:
    entry = {
        "name": namespace.name,
        "coreNamespace": names.core_namespace(tenant, namespace.name),
        "ready": is_ready(namespace),
    }
    return entry | ({"environment": namespace.spec.environment} if namespace.spec else {})


def is_ready(namespace: Subject[NamespaceSpec]) -> bool:
    """Whether the Namespace's own status says so, of its present generation."""
    return namespace.status.get("observedGeneration") == namespace.meta.generation and any(
        condition["type"] == ConditionType.READY and condition["status"] == "True"
        for condition in namespace.status.get("conditions", ())
    )
