"""`ringfence promote` and `ringfence rollback`: which revision an environment is to serve."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli.output import printable
from ringfence.cli.reach.sources import BROKEN, ContextOption, KubeconfigOption, fail
from ringfence.cli.route.found import EnvironmentOption, Found, RouteArgument, find, history
from ringfence.cli.tenant import TenantOption, asking

if TYPE_CHECKING:
    from ringfence.adapters.kubernetes.calls import Calls
    from ringfence.model.guardrail import GuardedEnvironment
    from ringfence.plan.modelroute.steps import Step


def promote(
    name: RouteArgument,
    *,
    to: Annotated[str, typer.Option("--to", help="The environment that is to serve it.")],
    revision: Annotated[
        str | None,
        typer.Option(
            help="The revision; where it is left out, what serves in the environment before, or what is written where "
            "no environment is before."
        ),
    ] = None,
    tenant: TenantOption = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
) -> None:
    """Promote what serves in the environment before; to a protected first one, what is written.

    Where Git keeps the route, write the promotion there: a Git controller takes back what is written here.
    """
    with asking(tenant, kubeconfig, context) as (calls, whose):
        found = find(calls, whose, name)
        step = found.step(to)
        _write(calls, found, step, revision or _next(found, step))


def rollback(
    name: RouteArgument,
    *,
    environment: EnvironmentOption,
    to: Annotated[
        str | None, typer.Option("--to", help="The revision; the one that served there last where it is left out.")
    ] = None,
    tenant: TenantOption = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
) -> None:
    """Go back to a revision that an environment served before.

    In a protected environment its approval counts still, if it was given by somebody else than who goes back now: at
    night one person goes back to what two persons wanted.
    """
    with asking(tenant, kubeconfig, context) as (calls, whose):
        found = find(calls, whose, name)
        step = found.step(environment)
        _write(calls, found, step, to or _last(calls, found, environment))


def _next(found: Found, step: "Step[GuardedEnvironment]") -> str:
    """What serves in the environment before, or the route as it is written where nothing is before."""
    if step.before is None:
        return found.written or fail(BROKEN, f"{found.title} was not looked at yet since it changed: try again")
    told = found.serving(step.before.name)
    if told.get("served") != "True":
        to = step.environment.name
        fail(
            BROKEN, f"{found.title} was not seen to serve in {step.before.name}: nothing is to be promoted to {to} yet"
        )
    return told["revision"]


def _last(calls: "Calls", found: Found, environment: str) -> str:
    """What the environment served before what it is to serve now."""
    kept = history(calls, found)
    if kept is None:
        fail(BROKEN, "you may not see the route's revisions: say with --to which one is meant")
    others = [each for each in kept.values() if environment in each.served]
    others = [each for each in others if each.name != found.promotions.get(environment)]
    if not others:
        fail(BROKEN, f"{found.title} served nothing else in {environment}, as far as it is kept")
    return max(others, key=lambda each: (each.served[environment], each.number)).name


def _write(calls: "Calls", found: Found, step: "Step[GuardedEnvironment]", revision: str) -> None:
    environment = step.environment.name
    reply = calls.patch(found.ref.path, {"spec": {"promotions": {environment: revision}}})
    if not reply.ok:
        fail(BROKEN, f"{found.title}: {reply.message}")
    typer.echo(f"{found.title}: {revision} is promoted to {environment}", err=True)
    if step.environment.protected:
        approvals = reply.body["spec"].get("approvals") or ()
        typer.echo(_approval(found, environment, revision, approvals), err=True)


def _approval(found: Found, environment: str, revision: str, approvals: Iterable[Mapping[str, str]]) -> str:
    """By whose word it will serve."""
    asked = (
        each.get("by", "") for each in approvals if (each["environment"], each["revision"]) == (environment, revision)
    )
    if by := next(asked, ""):
        return f"it serves without another approval: {printable(by)} gave one before"
    command = f"ringfence approve {found.ref.name} --environment {environment} --tenant {found.ref.namespace}"
    return f"it serves when somebody else has approved it: {command}"
