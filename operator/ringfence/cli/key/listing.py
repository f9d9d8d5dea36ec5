"""`ringfence key list`: which keys are declared, and which of them can be issued."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.key.declared import all_keys
from ringfence.cli.output import Format, print_columns, print_structured
from ringfence.cli.reach.sources import ContextOption, KubeconfigOption
from ringfence.cli.tenant import TenantOption, asking

if TYPE_CHECKING:
    from ringfence.adapters.kubernetes.calls import Calls
    from ringfence.cli.key.declared import Declared

_HEADER = ("NAMESPACE", "KEY", "MODE", "MAX-AGE", "FROM", "OWNER", "SERVED-SINCE")


def list_keys(
    *,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="Those of one Namespace only.")] = None,
    tenant: TenantOption = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    output: Annotated[Format, typer.Option("--output", "-o", help="How to print the result.")] = "text",
) -> None:
    """List the keys that a tenant's Namespaces declare.

    How many tokens of a key are about, nobody knows: they are kept nowhere. Those that were issued before SERVED-SINCE
    are revoked.
    """
    with asking(tenant, kubeconfig, context) as (calls, whose):
        values = [_value(calls, key) for key in all_keys(calls, whose, namespace)]
    if output != "text":
        print_structured(values, output)
        return
    print_columns(_HEADER, [_row(value) for value in values])


def _value(calls: "Calls", key: "Declared") -> dict[str, Any]:
    account = calls.get(key.account)
    entry = key.entry
    return {
        "namespace": key.namespace.name,
        "name": entry.name,
        "mode": entry.mode,
        "maxAge": entry.max_age,
        "allowCIDRs": list(entry.allow_cidrs or ()),
        "owner": entry.owner or "",
        "servedSince": account["metadata"]["creationTimestamp"] if account else None,
        "message": "" if account else key.why_not,
    }


def _row(value: Mapping[str, Any]) -> list[str]:
    networks = ",".join(value["allowCIDRs"]) or "anywhere"
    served = value["servedSince"] or f"not served: {value['message']}"
    return [value["namespace"], value["name"], value["mode"], value["maxAge"], networks, value["owner"], served]
