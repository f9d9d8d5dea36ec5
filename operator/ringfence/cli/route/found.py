"""A route as the cluster has it: where it serves, what it was, and where it may go."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ringfence.cli.reach.sources import BROKEN, USAGE, fail

if TYPE_CHECKING:
    from ringfence.adapters.kubernetes.calls import Calls
    from ringfence.model.guardrail import GuardedEnvironment
    from ringfence.model.kinds import Ref
    from ringfence.plan.modelroute.history import History
    from ringfence.plan.modelroute.steps import Step

RouteArgument = Annotated[str, typer.Argument(metavar="ROUTE", help="The ModelRoute, by its name.")]
EnvironmentOption = Annotated[str, typer.Option("--environment", "-e", help="The environment.")]

_FORBIDDEN: Final = 403


@dataclass(frozen=True, slots=True)
class Found:
    """One ModelRoute, and its Tenant's environments in the order of promotion."""

    ref: "Ref"
    raw: Mapping[str, Any]
    environments: "tuple[GuardedEnvironment, ...]"

    @property
    def title(self) -> str:
        """How people call it."""
        return f"route {self.ref.namespace}/{self.ref.name}"

    @property
    def promotions(self) -> Mapping[str, str]:
        """What is promoted where."""
        promoted: Mapping[str, str] = self.raw["spec"].get("promotions") or {}
        return promoted

    def serving(self, environment: str) -> Mapping[str, str]:
        """What its status tells of an environment; empty where that serves nothing."""
        told = self.raw.get("status", {}).get("environments", ())
        return next((each for each in told if each["name"] == environment), {})

    @property
    def written(self) -> str:
        """The revision of its spec; empty where the operator did not tell it yet."""
        status = self.raw.get("status", {})
        told = status.get("observedGeneration") == self.raw["metadata"]["generation"]
        return str(status.get("revision", "")) if told else ""

    def step(self, environment: str) -> "Step[GuardedEnvironment]":
        """An environment that something can be promoted to; ends the command where it is none."""
        from ringfence.plan.modelroute.steps import steps

        possible = {each.environment.name: each for each in steps(self.environments)}
        if environment not in possible:
            there = environment in (each.name for each in self.environments)
            why = "follows the spec" if there else "is none of the Tenant's environments"
            known = ", ".join(possible) or "none"
            fail(USAGE, f"{environment} {why}; something can be promoted to: {known}")
        return possible[environment]


def find(calls: "Calls", tenant: str, name: str) -> Found:
    """One route; ends the command where there is none."""
    from ringfence.model.kinds import MODEL_ROUTE, Ref

    ref = Ref(MODEL_ROUTE, tenant, name)
    raw = calls.get(ref.path)
    if raw is None:
        fail(BROKEN, f"tenant {tenant} has no ModelRoute {name}")
    return Found(ref, raw, _environments(calls, tenant))


def _environments(calls: "Calls", tenant: str) -> "tuple[GuardedEnvironment, ...]":
    """From the Guardrail of the home namespace, since members may not see Tenants; none for whoever is no member."""
    from ringfence import names
    from ringfence.model.guardrail import GuardedEnvironment
    from ringfence.model.kinds import GUARDRAIL

    reply = calls.send("GET", GUARDRAIL.path(tenant, names.GUARDRAIL))
    found = reply.body["spec"].get("environments", ()) if reply.ok else ()
    # As JSON: models are strict, and take no list of Python's for a tuple.
    return tuple(GuardedEnvironment.model_validate_json(json.dumps(each), by_name=False) for each in found)


def history(calls: "Calls", found: Found) -> "History | None":
    """The revisions that are kept of a route; None where whoever asks may not see them."""
    from ringfence import names
    from ringfence.adapters.kubernetes.lists import ListError
    from ringfence.engine.children import child_of
    from ringfence.model.kinds import CONTROLLER_REVISION, Ref
    from ringfence.plan.modelroute.history import of_route

    place = CONTROLLER_REVISION.collection_path(found.ref.namespace)
    reply = calls.send("GET", f"{place}?labelSelector={names.ROUTE_LABEL}%3D{found.ref.name}")
    if reply.status == _FORBIDDEN:
        return None
    if not reply.ok:
        raise ListError(reply.message)
    live = {}
    for item in reply.body["items"]:
        ref = Ref(CONTROLLER_REVISION, found.ref.namespace, item["metadata"]["name"])
        live[ref] = child_of({**item, "kind": CONTROLLER_REVISION.kind}).live(ref)
    return of_route(found.ref.name, found.raw["metadata"]["uid"], live)
