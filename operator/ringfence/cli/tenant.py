"""Which tenant a command is about: the one that is named, or the one in whose namespace the kubeconfig's context is.

Law: a tenant's name has no hyphen, so any namespace of a tenant's says whose it is.
"""

from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli.reach.sources import USAGE, fail

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
