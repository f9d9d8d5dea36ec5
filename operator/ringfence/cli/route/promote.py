"""`ringfence promote` and `ringfence rollback`: which revision an environment is to serve."""

from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli.key.declared import asking
from ringfence.cli.reach.sources import BROKEN, ContextOption, KubeconfigOption, fail
from ringfence.cli.route.found import EnvironmentOption, Found, RouteArgument, find, history
from ringfence.cli.tenant import TenantOption

if TYPE_CHECKING:
    from ringfence.adapters.kubernetes.calls import Calls


def promote(
    name: RouteArgument,
    *,
    to: Annotated[str, typer.Option("--to", help="The environment that is to serve it.")],
    revision: Annotated[
        str | None, typer.Option(help="The revision; what serves in the environment before where it is left out.")
    ] = None,
    tenant: TenantOption = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
) -> None:
    """Promote what serves in the environment before.

    Where Git keeps the route, write the promotion there: a Git controller takes back what is written here.
    """
    with asking(tenant, kubeconfig, context) as (calls, whose):
        found = find(calls, whose, name)
        found.later(to)
        _write(calls, found, to, revision or _served_before(found, to))


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

    In a protected environment its approval counts still, if it was given by somebody else than who goes back now.
    """
    with asking(tenant, kubeconfig, context) as (calls, whose):
        found = find(calls, whose, name)
        found.later(environment)
        _write(calls, found, environment, to or _last(calls, found, environment))


def _served_before(found: Found, to: str) -> str:
    before = found.before(to)
    told = found.serving(before)
    if told.get("served") != "True":
        fail(BROKEN, f"{found.title} was not seen to serve in {before}: nothing is to be promoted to {to} yet")
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


def _write(calls: "Calls", found: Found, environment: str, revision: str) -> None:
    reply = calls.patch(found.ref.path, {"spec": {"promotions": {environment: revision}}})
    if not reply.ok:
        fail(BROKEN, f"{found.title}: {reply.message}")
    typer.echo(f"{found.title}: {revision} is promoted to {environment}", err=True)
    approvals = reply.body["spec"].get("approvals") or ()
    approved = any((each["environment"], each["revision"]) == (environment, revision) for each in approvals)
    if found.later(environment).get("protected") and not approved:
        command = f"ringfence approve {found.ref.name} --environment {environment} --tenant {found.ref.namespace}"
        typer.echo(f"it serves when somebody else has approved it: {command}", err=True)
