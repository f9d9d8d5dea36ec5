"""`ringfence key issue`: a new key, printed once.

Law: the key goes to standard output and nowhere else; what it is good for is said beside it.
"""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from ringfence.cli.key.declared import NameArgument, NamespaceOption, find
from ringfence.cli.output import Format, print_structured
from ringfence.cli.reach.sources import BROKEN, USAGE, ContextOption, KubeconfigOption, fail
from ringfence.cli.tenant import TenantOption, asking

if TYPE_CHECKING:
    from ringfence.adapters.kubernetes.calls import Calls, Reply
    from ringfence.cli.key.declared import Declared

_NOT_FOUND: Final = 404


def issue(
    name: NameArgument,
    namespace: NamespaceOption,
    *,
    age: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="How long it is good for; else maxAge of the key.")
    ] = None,
    tenant: TenantOption = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    output: Annotated[Format, typer.Option("--output", "-o", help="How to print the result.")] = "text",
) -> None:
    """Have the API server sign a key, and print it: it is shown this once and is kept nowhere.

    Each call makes another key of the same name, beside those that there are. They end by themselves, or all at once by
    `ringfence key revoke`.
    """
    with asking(tenant, kubeconfig, context) as (calls, whose):
        key = find(calls, whose, namespace, name)
        reply = signed(calls, key, _seconds(key, age))
    value = {
        "key": key.prefix + reply.body["status"]["token"],
        "expires": reply.body["status"]["expirationTimestamp"],
        "tenant": whose,
        "namespace": namespace,
        "name": name,
        "mode": key.entry.mode,
        "allowCIDRs": list(key.entry.allow_cidrs or ()),
    }
    if output != "text":
        print_structured(value, output)
    else:
        print(value["key"])
    for line in (*map(_text, reply.warnings), _remark(key, str(value["expires"]))):
        typer.echo(line, err=True)


def signed(calls: "Calls", key: "Declared", seconds: int) -> "Reply":
    """A token of the key's ServiceAccount: the key without its prefix. Ends the command where that is refused."""
    from ringfence import names

    request = {"spec": {"audiences": [names.GATEWAY_AUDIENCE], "expirationSeconds": seconds}}
    reply = calls.send("POST", f"{key.account}/token", request)
    if reply.status == _NOT_FOUND:
        fail(BROKEN, f"{key.title} is not served: {key.why_not}")
    if not reply.ok:
        fail(BROKEN, f"{key.title}: {reply.message}")
    return reply


def _seconds(key: "Declared", age: str | None) -> int:
    """How long it is to be good for; ends the command where that is longer than the key allows, or no span at all."""
    from ringfence.model.fields import Duration

    most = key.entry.max_age
    try:
        asked = Duration(age) if age else most
    except ValueError as error:
        fail(USAGE, f"--for: {error}")
    if asked.seconds > most.seconds:
        fail(USAGE, f"--for {asked}: {key.title} is good for {most} at most, its maxAge")
    return asked.seconds


def _text(warning: str) -> str:
    """What a Warning header says, such as that the API server grants less than was asked for (RFC 7234, 5.5)."""
    return warning.partition('"')[2].removesuffix('"')


def _remark(key: "Declared", expires: str) -> str:
    networks = ", ".join(key.entry.allow_cidrs or ())
    where = f" from {networks}" if networks else ""
    return f"{key.title}, mode {key.entry.mode}, good{where} until {expires}; it is not shown again"
