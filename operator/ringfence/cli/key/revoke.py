"""`ringfence key revoke`: every token of a key, for good.

Law: a key is revoked by its ServiceAccount's end. One that is declared again has another uid, which no old token names.
"""

import time
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ringfence.cli.key.declared import NameArgument, NamespaceOption, find
from ringfence.cli.reach.sources import BROKEN, UNKNOWN, ContextOption, KubeconfigOption, fail
from ringfence.cli.tenant import TenantOption, asking

if TYPE_CHECKING:
    from ringfence.adapters.kubernetes.calls import Calls
    from ringfence.cli.key.declared import Declared

_POLL: Final = 0.2  # seconds


def revoke(
    name: NameArgument,
    namespace: NamespaceOption,
    *,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait for the end of its ServiceAccount; 0: not.")
    ] = 60.0,
    tenant: TenantOption = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
) -> None:
    """Take the key out of the Namespace object. Every token of it ends, also once a key of that name is declared again.

    Where a Git controller applies the object, take the entry out of Git, too: else there is a new key soon.
    """
    with asking(tenant, kubeconfig, context) as (calls, whose):
        key = find(calls, whose, namespace, name)
        _take_out(calls, key)
        if wait and not _gone(calls, key, time.monotonic() + wait):
            fail(UNKNOWN, f"{key.title} is taken out, but its ServiceAccount is still there: does the operator run?")
    typer.echo(f"{key.title} is revoked; the gateway refuses its tokens from its next configuration on", err=True)


def _take_out(calls: "Calls", key: "Declared") -> None:
    """Remove exactly that entry; nothing, where the list was changed meanwhile."""
    place = f"/spec/gatewayKeys/{key.position}"
    operations = [
        {"op": "test", "path": f"{place}/name", "value": key.entry.name},
        {"op": "remove", "path": place},
    ]
    reply = calls.patch(key.namespace.ref.path, operations)
    if not reply.ok:
        fail(BROKEN, f"{key.title}: {reply.message}")


def _gone(calls: "Calls", key: "Declared", deadline: float) -> bool:
    """Whether its ServiceAccount ends in time."""
    while calls.get(key.account) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True
