"""Many tenants as the planner makes them, without an operator: what policies look things up in.

Law: each tenant has its home namespace, one core namespace, a Guardrail in both and an object of each of our kinds;
one of them has everything, so that its people may do what their roles say.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from ringfence import names
from ringfence.controlplane import ControlPlane
from ringfence.model.kinds import CORE_NAMESPACE, GUARDRAIL, MODEL_ROUTE, NAMESPACE, RETENTION_POLICY, TENANT, Ref
from tests.attack.asking import Request, Who
from tests.bench.admission.wire import Wire
from tests.simulation import Simulation

API: Final = "ringfence.dev/v1alpha1"
ADMIN: Final = Who("kubernetes-admin", ("system:masters",))
_MADE: Final = (CORE_NAMESPACE, GUARDRAIL)
_AT_ONCE: Final = 8


def tenant_name(number: int) -> str:
    """The name of one of them."""
    return f"crowd{number}"


def member(tenant: str, role: str) -> Who:
    """One of a tenant's people."""
    return Who(f"{role}@{tenant}", (f"oidc:{tenant}-{role}s",))


def objects_of(tenant: str) -> tuple[dict[str, Any], ...]:
    """What the platform team and an owner applied, with their names as the API server writes them."""
    owner = member(tenant, "owner")
    return (
        _object(TENANT.kind, tenant, "", _tenant_spec(tenant), ADMIN),
        _object(NAMESPACE.kind, "dev", tenant, {"environment": "dev", "region": "eu-central-1"}, owner),
        _object(MODEL_ROUTE.kind, "chat", tenant, _ROUTE, owner),
        _object(RETENTION_POLICY.kind, "default", tenant, {"reviewEvery": "180d"}, owner),
    )


def fill(plane: ControlPlane, url: str, count: int) -> None:
    """Make so many tenants, the first of them whole, by the server at ``url``: namespaces first."""
    made = [pair for number in range(count) for pair in _made(tenant_name(number), whole=number == 0)]
    plane.certificate(ADMIN.user, ADMIN.groups)  # made once, before many ask for it at a time
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for first in (True, False):
            part = [pair for pair in made if (pair[0].type == CORE_NAMESPACE) is first]
            list(pool.map(lambda some: _create(plane, url, some), (part[n::_AT_ONCE] for n in range(_AT_ONCE))))


def _made(tenant: str, *, whole: bool) -> Iterable[tuple[Ref, Mapping[str, Any]]]:
    world = Simulation()
    for manifest in objects_of(tenant):
        world.put(manifest)
    world.settle()
    yield from ((ref, each) for ref, each in world.applied.items() if whole or ref.type in _MADE)
    yield from ((world.put(manifest), manifest) for manifest in objects_of(tenant))


def _create(plane: ControlPlane, url: str, manifests: Sequence[tuple[Ref, Mapping[str, Any]]]) -> None:
    with Wire(plane, url, ADMIN) as wire:
        for ref, manifest in manifests:
            path = ref.type.collection_path(ref.namespace or None)
            status, body, _ = wire.send(Request("POST", path, manifest, {}))
            # Its controller may have been first with a namespace's default ServiceAccount.
            if status not in (201, 409):
                raise RuntimeError(f"{path}: {body.get('message')}")


def _object(kind: str, name: str, namespace: str, spec: Mapping[str, Any], author: Who) -> dict[str, Any]:
    stamped = {"name": name, "annotations": {names.REQUESTED_BY_ANNOTATION: author.user}}
    metadata = {**stamped, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": dict(spec)}


def _tenant_spec(tenant: str) -> dict[str, Any]:
    return {
        "access": {f"{role}s": [{"group": f"oidc:{tenant}-{role}s"}] for role in names.ROLES},
        "environments": [{"name": "dev"}, {"name": "staging"}, {"name": "prod", "protected": True}],
        "residency": {"regions": ["eu-central-1", "eu-west-1"]},
        "storageClasses": ["encrypted"],
        "secretStores": [{"kind": "ClusterSecretStore", "name": "vault", "keyPrefix": f"{tenant}/"}],
        "network": {"hosts": [f"*.{tenant}.example"]},
        "providers": [_PROVIDER],
    }


_PROVIDER: Final = {
    "name": "openai",
    "schema": "OpenAI",
    "endpoint": {"host": "api.openai.com", "path": "/v1"},
    "region": "eu-central-1",
    "models": ["gpt-4o", "gpt-4o-mini"],
    "credential": {"secretRef": {"name": "model-openai", "key": "api-key"}},
}
_ROUTE: Final = {"model": "chat", "backends": [{"provider": "openai", "model": "gpt-4o"}]}
