"""`ringfence approve`: a second person's word for a promotion.

Law: what is approved is what was shown: a promotion that changed meanwhile is refused.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.output import printable
from ringfence.cli.reach.sources import BROKEN, ContextOption, KubeconfigOption, fail
from ringfence.cli.route.difference import changes
from ringfence.cli.route.found import EnvironmentOption, Found, RouteArgument, find, history
from ringfence.cli.tenant import TenantOption, asking

if TYPE_CHECKING:
    from ringfence.adapters.kubernetes.calls import Calls


def approve(
    name: RouteArgument,
    *,
    environment: EnvironmentOption,
    revision: Annotated[
        str | None, typer.Option(help="The revision that you reviewed; what is promoted now where it is left out.")
    ] = None,
    tenant: TenantOption = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
) -> None:
    """Approve what somebody else promoted, as those may who hold the verb approve on modelroutes."""
    with asking(tenant, kubeconfig, context) as (calls, whose):
        found = find(calls, whose, name)
        promoted = _promoted(found, environment, revision)
        for line in _changes(calls, found, environment, promoted):
            typer.echo(f"  {printable(line)}", err=True)
        reply = calls.patch(found.ref.path, _patch(found, environment, promoted))
        if not reply.ok:
            fail(BROKEN, f"{found.title}: {reply.message}")
    typer.echo(f"{found.title}: {promoted} is approved for {environment}", err=True)


def _promoted(found: Found, environment: str, revision: str | None) -> str:
    promoted = found.promotions.get(environment)
    if promoted is None:
        fail(BROKEN, f"{found.title}: nothing is promoted to {environment}")
    if revision not in (None, promoted):
        fail(BROKEN, f"{found.title}: {promoted} is promoted to {environment}, not {revision}")
    return promoted


def _patch(found: Found, environment: str, revision: str) -> list[dict[str, Any]]:
    """Added to the route as it was read: whoever changed it since is not approved with it."""
    approval = {"environment": environment, "revision": revision}
    there = "approvals" in found.raw["spec"]
    return [
        {"op": "test", "path": "/metadata/resourceVersion", "value": found.raw["metadata"]["resourceVersion"]},
        {"op": "add", "path": "/spec/approvals/-", "value": approval}
        if there
        else {"op": "add", "path": "/spec/approvals", "value": [approval]},
    ]


def _changes(calls: "Calls", found: Found, environment: str, revision: str) -> Iterator[str]:
    """What the environment would serve instead of what it serves."""
    kept = history(calls, found)
    if kept is None or revision not in kept:
        yield f"what {revision} is can't be shown to you"
        return
    serving = kept.get(found.serving(environment).get("revision", ""))
    yield from changes(serving.content if serving else None, kept[revision].content)
