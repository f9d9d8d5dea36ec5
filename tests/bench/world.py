"""The objects of the benchmark: tenants with ten Namespaces each, as a platform team would apply them."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from ringfence.controlplane import ControlPlane

PER_TENANT: Final = 10
EXTRA: Final = "benchextra"  # the tenant of the one Namespace that is created after a restart
_GROUP: Final = "/apis/ringfence.dev/v1alpha1"
_POLL: Final = 0.2  # seconds


def tenant_names(namespaces: int) -> list[str]:
    """The tenants that hold this many Namespaces."""
    return [f"bench{index}" for index in range(-(-namespaces // PER_TENANT))]


def create_tenants(plane: ControlPlane, tenants: list[str]) -> None:
    """Create the Tenants and their home namespaces; two roles and shells are bound: a Namespace has twelve children."""
    for name in tenants:
        home = {"name": name, "labels": {"ringfence.dev/tenant": name}, "annotations": {"ringfence.dev/adopt": name}}
        plane.admin.request("POST", "/api/v1/namespaces", {"metadata": home}).must()
        plane.admin.request("POST", f"{_GROUP}/tenants", _tenant(name)).must()


def create_namespaces(plane: ControlPlane, tenants: list[str], count: int) -> None:
    """Create Namespace objects, eight requests at a time."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda place: _create_namespace(plane, *place), _places(tenants, count)))


def core_namespaces(tenants: list[str], count: int) -> list[str]:
    """The core namespaces of what `create_namespaces` created."""
    return [f"{tenant}-{name}" for tenant, name in _places(tenants, count)]


def wait_ready(plane: ControlPlane, count: int, *, deadline: float, alive: Callable[[], None]) -> None:
    """Wait until `count` Namespaces are Ready at their generation. Raises TimeoutError, or what `alive` raises."""
    _wait(lambda: _ready(plane), count, deadline, alive)


def create_extra(plane: ControlPlane) -> None:
    """Create one Namespace of the tenant `EXTRA`."""
    _create_namespace(plane, EXTRA, "one")


def wait_extra_ready(plane: ControlPlane, *, deadline: float, alive: Callable[[], None]) -> None:
    """Wait for what `create_extra` created, as `wait_ready` does."""
    _wait(lambda: _ready(plane, EXTRA), 1, deadline, alive)


def _wait(ready: Callable[[], int], count: int, deadline: float, alive: Callable[[], None]) -> None:
    end = time.monotonic() + deadline
    while (found := ready()) < count:
        alive()
        if time.monotonic() > end:
            raise TimeoutError(f"{found} of {count} Namespaces are ready after {deadline:.0f} s")
        time.sleep(_POLL)


def _ready(plane: ControlPlane, tenant: str | None = None) -> int:
    scope = f"namespaces/{tenant}/" if tenant else ""
    items = plane.admin.get(f"{_GROUP}/{scope}tenantnamespaces?resourceVersion=0").must()["items"]
    return sum(any(_is_ready(condition, item) for condition in item["status"].get("conditions", ())) for item in items)


def _is_ready(condition: dict[str, Any], item: dict[str, Any]) -> bool:
    current: bool = condition.get("observedGeneration") == item["metadata"]["generation"]
    return current and condition["type"] == "Ready" and condition["status"] == "True"


def _places(tenants: list[str], count: int) -> Iterator[tuple[str, str]]:
    return ((tenants[index // PER_TENANT], f"n{index % PER_TENANT}") for index in range(count))


def _create_namespace(plane: ControlPlane, tenant: str, name: str) -> None:
    path = f"{_GROUP}/namespaces/{tenant}/tenantnamespaces"
    plane.admin.request("POST", path, _namespace(tenant, name)).must()


def _tenant(name: str) -> dict[str, Any]:
    access = {f"{role}s": [{"group": f"oidc:{name}-{role}"}] for role in ("owner", "developer")}
    spec = {
        "residency": {"regions": ["local"]},
        "environments": [{"name": "dev"}],
        "access": access,
        "budget": {"hard": {"requests.cpu": "100", "requests.memory": "100Gi", "pods": "1000"}, "namespaces": 50},
    }
    return {"apiVersion": "ringfence.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": name}, "spec": spec}


def _namespace(tenant: str, name: str) -> dict[str, Any]:
    quota = {"hard": {"requests.cpu": "1", "requests.memory": "1Gi", "pods": "10"}}
    return {
        "apiVersion": "ringfence.dev/v1alpha1",
        "kind": "Namespace",
        "metadata": {"name": name, "namespace": tenant},
        "spec": {"environment": "dev", "quota": quota},
    }
