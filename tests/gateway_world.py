"""A tenant with routes in a simulated cluster, and a gateway that serves what it is told."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ringfence import names
from ringfence.gateway.served import Issuer
from ringfence.model.kinds import CONTROLLER_REVISION, MODEL_ROUTE, NAMESPACE, TENANT, Ref
from ringfence.plan.children import gateway_routes
from ringfence.plan.gateway.compose import Composed, compose
from ringfence.plan.seen import Probed
from tests.objects import edited, service
from tests.simulation import FACTS, START, Simulation

Json = dict[str, Any]

ACME: Final = Ref(TENANT, "", "acme")
CHAT: Final = Ref(MODEL_ROUTE, "acme", "chat")
ANN: Final = "oidc:ann"
BEN: Final = "oidc:ben"
ISSUER: Final = Issuer("https://kubernetes.default.svc", '{"keys":[]}')

OPENAI: Final = {
    "name": "openai",
    "schema": "OpenAI",
    "endpoint": {"host": "api.openai.com"},
    "region": "eu-central-1",
    "models": ["gpt-4o", "gpt-4o-mini"],
    "credential": {"secretRef": {"name": "model-openai", "key": "api-key"}},
}
LLAMA: Final = {
    "name": "llama",
    "schema": "OpenAI",
    "service": {"namespace": "models", "name": "llama", "port": 8000, "tls": {"caConfigMap": "llama-ca"}},
    "environments": ["dev", "staging"],
    "models": ["llama-3.3-70b"],
}
TENANT_SPEC: Final[Json] = {
    "environments": [{"name": "dev"}, {"name": "staging"}, {"name": "prod", "protected": True}],
    "residency": {"regions": ["eu-central-1"]},
    "providers": [OPENAI, LLAMA],
}
ROUTE_SPEC: Final[Json] = {
    "model": "chat",
    "backends": [
        {"provider": "openai", "model": "gpt-4o"},
        {"provider": "llama", "model": "llama-3.3-70b", "priority": 1},
    ],
}
NAMESPACES: Final = {"web": "dev", "models": "dev", "stage": "staging", "live": "prod"}
"""Environments by Namespace."""


def world(
    tenant: Json | None = None, route: Json | None = None, namespaces: Mapping[str, str] = NAMESPACES
) -> Simulation:
    """The tenant and its route, with edits of their specs, settled and served."""
    made = Simulation(facts=replace(FACTS, issuer=ISSUER))
    made.put(manifest(ACME, edited(TENANT_SPEC, tenant or {})))
    for name, environment in namespaces.items():
        made.put(manifest(Ref(NAMESPACE, "acme", name), {"environment": environment}))
    made.put(manifest(CHAT, edited(ROUTE_SPEC, route or {})))
    made.settle()
    if "models" in namespaces:
        made.put(service("acme-models", "llama", 8000, 8080))
    settle(made)
    return made


def manifest(ref: Ref, spec: Json) -> Json:
    """An object as somebody applies it."""
    metadata = {"name": ref.name, **({"namespace": ref.namespace} if ref.namespace else {})}
    return {"apiVersion": ref.type.api_version, "kind": ref.type.kind, "metadata": metadata, "spec": spec}


def settle(made: Simulation) -> None:
    """Let the operator work and look at the gateway, until both are at rest."""
    before: object = None
    while (now := (made.count, made.gateways.get("acme"))) != before:
        before = now
        made.settle()
        look_at_gateway(made)


def look_at_gateway(made: Simulation, *, reachable: bool = True, problem: str = "") -> None:
    """A look at the gateway: it serves what it was told last."""
    told = made.objects.get(gateway_routes.ref("acme"))
    revision = told["metadata"]["annotations"][names.REVISION_ANNOTATION] if told else ""
    made.gateways["acme"] = Probed(START, reachable=reachable, revision=revision, problem=problem)


def composed(made: Simulation) -> Composed:
    """What the tenant's gateway is to serve."""
    made.plan(ACME)  # asks what has to be asked
    subject, seen = made.look(ACME)
    assert subject is not None
    return compose(subject, seen)


def change(made: Simulation, ref: Ref, edits: Json) -> None:
    """Edit an object's spec as its user, and let everything settle."""
    made.put(edited(made.objects[ref], {f"spec.{path}": value for path, value in edits.items()}))
    settle(made)


def promote(made: Simulation, environment: str, revision: str, *, by: str = ANN) -> None:
    """Promote as the API server would note it."""
    made.annotate(CHAT, {f"{names.PROMOTED_BY_PREFIX}{environment}": by})
    promotions = {**made.objects[CHAT]["spec"].get("promotions", {}), environment: revision}
    change(made, CHAT, {"promotions": promotions})


def approve(made: Simulation, environment: str, revision: str, *, by: str = BEN) -> None:
    """Approve as the API server would let it."""
    approval = {"environment": environment, "revision": revision, "by": by}
    change(made, CHAT, {"approvals": [*made.objects[CHAT]["spec"].get("approvals", []), approval]})


def revision(made: Simulation, ref: Ref = CHAT) -> str:
    """The revision of a route's spec."""
    return str(made.objects[ref]["status"]["revision"])


def serving(made: Simulation, ref: Ref = CHAT) -> dict[str, str]:
    """Revisions by environment, as the gateway serves them."""
    return dict(composed(made).serving.get(ref.name, {}))


def kept(made: Simulation, ref: Ref = CHAT) -> dict[str, Json]:
    """The ControllerRevisions of a route, by revision."""
    found = {
        each.name.removeprefix(f"{ref.name}-"): thing
        for each, thing in made.objects.items()
        if each.type == CONTROLLER_REVISION and thing["metadata"]["labels"].get(names.ROUTE_LABEL) == ref.name
    }
    return dict(sorted(found.items(), key=lambda item: item[1]["revision"]))
