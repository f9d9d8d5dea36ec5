"""Random worlds for the planner's laws: a few tenants with Namespaces, and strangers' objects in their way."""

from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st

from ringfence import names
from ringfence.model.kinds import CORE_NAMESPACE, TENANT, Ref
from tests.objects import service
from tests.simulation import Simulation

Object = dict[str, Any]
APPROVER: Final = {"group": "oidc:ciso"}
API: Final = "ringfence.dev/v1alpha1"
TENANTS: Final = ("acme", "globex")
NAMESPACES: Final = ("dev", "web")
ENVIRONMENTS: Final = ("dev", "prod")
CANARY: Final = "canary-4f1d8c"
"""Stands on every custom resource, where nothing may be copied from."""

_FREE: Final = ("203.0.113.0/24", "8.0.0.0/6", "2001:db8::/32")
_NETWORKS: Final = (*_FREE, "192.0.2.128/25", "10.100.0.0/16", "172.16.5.0/24")
_CHOICES: Final = tuple(map(st.sampled_from, (_FREE, _FREE, _NETWORKS)))
_AMPLE: Final = {"pods": "100", "requests.cpu": "100", "requests.memory": "100Gi"}
_PLATFORM: Final = ("globex-dev", "monitoring")


def principals(tenant: str) -> st.SearchStrategy[list[Object]]:
    """Some people: of the tenant, of everybody's, and a robot."""
    known: list[Object] = [{"group": f"oidc:{tenant}-{letter}"} for letter in "abc"]
    known += [{"user": "oidc:everywhere"}, {"serviceAccount": {"namespace": "ci", "name": "robot"}}]
    return st.lists(st.sampled_from(known), max_size=3, unique_by=str)


def amounts(most: int) -> st.SearchStrategy[Object]:
    """Quantities by resource, written in several ways."""
    return st.fixed_dictionaries(
        {"pods": st.integers(0, most).map(str)},
        optional={
            "requests.cpu": st.integers(0, most * 1000).map(lambda milli: f"{milli}m"),
            "requests.memory": st.integers(0, most).map(lambda gibi: f"{gibi}Gi"),
        },
    )


ports: Final = st.lists(st.sampled_from((80, 5432, 8000)), min_size=1, max_size=2, unique=True)


def rules(side: str) -> st.SearchStrategy[list[Object]]:
    """Declared peers."""
    peer = st.sampled_from(NAMESPACES).map(lambda name: {"namespace": name})
    return st.lists(st.fixed_dictionaries({side: peer, "ports": ports}), max_size=2)


@st.composite
def tenant_specs(draw: st.DrawFn, tenant: str) -> Object:
    """What a platform team may write."""
    spec: Object = {
        "environments": [
            {"name": "dev"},
            {"name": "prod", "protected": draw(st.booleans()), "approvers": draw(st.sampled_from(([], [APPROVER])))},
        ],
        "access": {role: draw(principals(tenant)) for role in ("owners", "admins", "developers", "viewers", "members")},
        "budget": {
            "namespaces": draw(st.sampled_from((3, 3, 3, 1))),
            "hard": draw(st.one_of(st.just(_AMPLE), amounts(10))),
        },
        "podSecurity": {"allow": draw(st.sampled_from((["restricted"], ["restricted", "baseline"])))},
        "storageClasses": draw(st.lists(st.sampled_from(("fast", "slow")), unique=True, max_size=2)),
        "network": {
            "egress": [
                {"cidr": cidr, "ports": draw(ports)}
                for cidr in draw(st.lists(draw(st.sampled_from(_CHOICES)), unique=True, max_size=2))
            ],
            "ingressFrom": [
                {"namespace": name} for name in draw(st.lists(st.sampled_from(_PLATFORM), unique=True, max_size=2))
            ],
        },
        "deletionPolicy": draw(st.sampled_from(("Retain", "Delete"))),
        "secretStores": [{"kind": "ClusterSecretStore", "name": "vault", "keyPrefix": f"{tenant}/"}],
    }
    if draw(st.booleans()):
        service = {"namespace": draw(st.sampled_from(NAMESPACES)), "name": "llama", "port": 8000}
        spec["providers"] = [{"name": "local", "schema": "OpenAI", "service": service, "models": ["llama"]}]
    if _rarely(draw):
        spec |= {"isolation": "Quarantined", "incident": {"id": "INC-7", "reason": "key leak"}}
    return spec


@st.composite
def namespace_specs(draw: st.DrawFn, tenant: str) -> Object:
    """What a tenant may write."""
    stranger = {"group": "oidc:stranger"}
    access = draw(principals(tenant)) + ([stranger] if _rarely(draw) else [])
    secret: Object = {"name": "db"}
    if draw(st.booleans()):
        key = draw(st.sampled_from((f"{tenant}/db", "other/db")))
        secret["externalSecret"] = {"store": {"kind": "ClusterSecretStore", "name": "vault"}, "key": key}
    return {
        "environment": draw(st.sampled_from(ENVIRONMENTS)),
        "podSecurity": "baseline" if _rarely(draw) else "restricted",
        "quota": {"hard": draw(amounts(6))},
        "network": {
            "ingress": draw(rules("from")) if _rarely(draw) else [],
            "egress": draw(rules("to")) if _rarely(draw) else [],
        },
        "access": {draw(st.sampled_from(("admins", "developers", "viewers"))): access} if draw(st.booleans()) else {},
        "labels": draw(st.sampled_from(({}, {"cost-center": "r42"}))),
        "secrets": [secret] if draw(st.booleans()) else [],
        "gatewayKeys": [{"name": "ci"}] if draw(st.booleans()) else [],
        "isolation": "Quarantined" if _rarely(draw) else "Enforced",
    }


def _rarely(draw: st.DrawFn) -> bool:
    return draw(st.integers(0, 7)) == 7


def connect(draw: st.DrawFn, specs: Mapping[str, Object]) -> None:
    """Let two Namespaces of one tenant declare each other, mostly in one environment: in two it is refused."""
    if specs:
        source, target = (draw(st.permutations(sorted(specs))) * 2)[:2]
        if not _rarely(draw):
            specs[target]["environment"] = specs[source]["environment"]
        numbers, others = draw(ports), draw(ports) if draw(st.booleans()) else []
        specs[source]["network"]["egress"].append({"to": {"namespace": target}, "ports": sorted({*numbers, *others})})
        specs[target]["network"]["ingress"].append({"from": {"namespace": source}, "ports": numbers})


def tenant(name: str, spec: Mapping[str, Any]) -> Object:
    """A Tenant, with metadata of tools that must not be copied."""
    return _resource("Tenant", {"name": name}, spec)


def namespace(home: str, name: str, spec: Mapping[str, Any]) -> Object:
    """A Namespace object, likewise."""
    return _resource("Namespace", {"name": name, "namespace": home}, spec)


def core(name: str, labels: Mapping[str, str] | None = None, annotations: Mapping[str, str] | None = None) -> Object:
    """A core namespace of somebody's."""
    metadata = {"name": name, "labels": dict(labels or {}), "annotations": dict(annotations or {})}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def open_policy(where: str) -> Object:
    """A NetworkPolicy of a tenant's own making."""
    metadata = {"name": "mine", "namespace": where}
    spec: Object = {"podSelector": {}, "ingress": [{}], "policyTypes": ["Ingress"]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


ORPHAN: Final = {
    names.TENANT_LABEL: "acme",
    names.NAMESPACE_LABEL: "dev",
    names.ENVIRONMENT_LABEL: "dev",
    names.ORPHANED_LABEL: "true",
}
"""Labels of what a former Tenant of the same name left behind."""


@st.composite
def manifests(draw: st.DrawFn) -> list[Object]:
    """Everything that people wrote, in the order in which it came."""
    found = [_home(home) for home in TENANTS if draw(st.booleans())]
    found += [core("monitoring")]
    if _rarely(draw):
        found.append(core("acme-dev", draw(st.sampled_from(({}, {names.TENANT_LABEL: "globex"}, ORPHAN)))))
    resources = [tenant(home, draw(tenant_specs(home))) for home in TENANTS]
    for home in TENANTS:
        declared = draw(st.sampled_from((NAMESPACES, NAMESPACES, NAMESPACES[:1])))
        specs = {name: draw(namespace_specs(home)) for name in declared}
        for _ in range(draw(st.sampled_from((0, 1, 1, 2)))):
            connect(draw, specs)
        resources += [namespace(home, name, spec) for name, spec in specs.items()]
    return [*found, *draw(st.permutations(resources))]


@st.composite
def peerings(draw: st.DrawFn) -> list[Object]:
    """A tenant that has all it asks for, with Namespaces of one environment that declare each other at random."""
    spec: Object = {"environments": [{"name": "dev"}], "budget": {"namespaces": 3, "hard": _AMPLE}}
    found = [_home("acme"), tenant("acme", spec)]
    for name in NAMESPACES:
        network = {"ingress": draw(rules("from")), "egress": draw(rules("to"))}
        found.append(namespace("acme", name, {"environment": "dev", "network": network}))
    return found


def build(written: list[Object]) -> Simulation:
    """A cluster with these objects, before Ringfence looked at it."""
    world = Simulation()
    for manifest in written:
        world.put(manifest)
    return world


def models_come_up(world: Simulation) -> bool:
    """Whether a model frontend has a namespace to run in; then its Service is there, from one port to another."""
    tenants = [ref for ref in world.primaries() if ref.type == TENANT]
    wanted = [
        f"{ref.name}-{provider['service']['namespace']}"
        for ref in tenants
        for provider in world.objects[ref]["spec"].get("providers", ())
    ]
    there = [name for name in wanted if Ref(CORE_NAMESPACE, "", name) in world.objects]
    for name in there:
        world.put(service(name, "llama", 8000, 8080))
    return bool(there)


def _home(name: str) -> Object:
    return core(name, {names.TENANT_LABEL: name}, {names.ADOPT_ANNOTATION: name})


def _resource(kind: str, metadata: Object, spec: Mapping[str, Any]) -> Object:
    foreign = {"argocd.argoproj.io/instance": CANARY}
    return {
        "apiVersion": API,
        "kind": kind,
        "metadata": {**metadata, "labels": dict(foreign), "annotations": dict(foreign)},
        "spec": dict(spec),
    }
