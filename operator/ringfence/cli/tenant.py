"""Which tenant a command is about, and the cluster that it asks.

The tenant is the one that is named, or the one in whose namespace the kubeconfig's context is.

Law: a tenant's name has no hyphen, so any namespace of a tenant's says whose it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli.reach.sources import UNKNOWN, USAGE, fail

if TYPE_CHECKING:
    from ringfence.adapters.kubernetes.calls import Calls

TenantOption = Annotated[
    str | None,
    typer.Option(
        "--tenant",
        "-t",
        envvar="RINGFENCE_TENANT",
        help="The tenant; that of the namespace in the kubeconfig's context where it is left out.",
    ),
]


def tenant_of(tenant: str | None, kubeconfig: Path | None, context: str | None) -> str:
    """The tenant's name, which its home namespace bears; ends the command where nothing says it."""
    from ringfence import names
    from ringfence.adapters.kubernetes.calls import context_namespace

    found = tenant or names.split_core_namespace(context_namespace(kubeconfig, context))[0]
    if not found:
        fail(USAGE, "whose? Say --tenant NAME, or set a namespace of the tenant's in the kubeconfig's context")
    return found


@contextmanager
def asking(tenant: str | None, kubeconfig: Path | None, context: str | None) -> "Iterator[tuple[Calls, str]]":
    """The cluster, and the tenant's name; ends the command where the cluster can't be asked."""
    from ringfence.adapters.kubernetes.calls import calling
    from ringfence.adapters.kubernetes.lists import ListError

    try:
        with calling(kubeconfig, context) as calls:
            yield calls, tenant_of(tenant, kubeconfig, context)
    except ListError as error:
        fail(UNKNOWN, str(error))
