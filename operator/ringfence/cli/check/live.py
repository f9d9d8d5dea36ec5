"""`ringfence check --live`: whether a provider answers on a route, seen by one request that somebody wants to pay for.

Law: nothing is sent before a person said so, by a key of the tenant's own that this person may issue. Neither what was
asked nor what was answered is printed or kept, and the key ends by itself.
"""

import asyncio
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from ringfence import names
from ringfence.adapters.pods import PodError
from ringfence.admission.tokens import OWN_TOKEN_AGE
from ringfence.cli.check.completion import Door, Told, complete
from ringfence.cli.check.finding import Finding, failed, well
from ringfence.cli.key.declared import Declared
from ringfence.cli.key.declared import find as find_key
from ringfence.cli.key.issue import signed
from ringfence.cli.reach.sources import BROKEN, USAGE, fail
from ringfence.cli.route.found import Found, history
from ringfence.cli.route.found import find as find_route
from ringfence.cli.tenant import asking
from ringfence.gateway.replies import REFUSALS
from ringfence.model.kinds import CONFIG_MAP

if TYPE_CHECKING:
    from ringfence.adapters.kubernetes.calls import Calls

_CHECK: Final = "live"
_SERVED: Final = 200
_ADDRESS: Final = re.compile(r"\[?(?P<host>[^\[\]/\s]+?)\]?:(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to see answered."""

    route: str
    """`TENANT/ROUTE`."""
    key: str
    """`NAMESPACE/KEY`, the Namespace by its own name."""
    gateway: str = ""
    """`HOST:PORT`, where the gateway is not reached by its own name."""
    sure: bool = False
    """Whether nobody is asked again."""


@dataclass(frozen=True, slots=True)
class Way:
    """A route in the environment of a key, as the cluster has it."""

    title: str
    model: str
    """What callers there write."""
    revision: str
    """Of the route; empty where it serves nothing there."""
    configuration: str
    """The revision that the gateway's pods are to have; empty where whoever asks may not see it."""
    door: Door


def live(wish: Wish, kubeconfig: Path | None, context: str | None) -> Finding:
    """Ask for one token, and judge the answer; ends the command where that is not to be, or can't be, asked."""
    tenant, name = _halves(wish.route, "--live", "TENANT/ROUTE")
    namespace, key = _halves(wish.key, "--as-key", "NAMESPACE/KEY")
    reached = _reached(wish.gateway)
    with asking(tenant, kubeconfig, context) as (calls, _):
        declared = find_key(calls, tenant, namespace, key)
        way = _way(calls, declared, find_route(calls, tenant, name), reached)
        _agreed(way, sure=wish.sure)
        token = declared.prefix + signed(calls, declared, OWN_TOKEN_AGE).body["status"]["token"]
    try:
        return judge(way, asyncio.run(complete(way.door, token, way.model)))
    except PodError as error:
        return failed(_CHECK, f"{way.title}: {error}", "ask from a pod, or say with --gateway where it is reached")


def judge(way: Way, told: Told) -> Finding:
    """What an answer says of the way."""
    found = f"request {told.request_id or 'without an id'}, configuration {way.configuration or 'unknown'}"
    if told.status == _SERVED and told.completed:
        tokens = "tokens untold" if told.tokens is None else f"{told.tokens} tokens"
        model = f"model {told.model or 'untold'}"
        return well(_CHECK, f"{way.title}: served, {told.status}, {model}, {tokens}, {way.revision}; {found}")
    answered = f"{told.status} {told.code}".rstrip() if told.status != _SERVED else "200 without a completion"
    return failed(_CHECK, f"{way.title}: failed, {answered}, {way.revision or 'nothing served'}; {found}", _step(told))


def _step(told: Told) -> str:
    own = next((each for each in REFUSALS if (each.status, each.code) == (told.status, told.code)), None)
    return f"the gateway: {own.message}" if own else "this is the provider's answer: look its code up there"


def _halves(text: str, option: str, form: str) -> tuple[str, str]:
    first, _, second = text.partition("/")
    if not first or not second or "/" in second:
        fail(USAGE, f"{option} {text}: say {form}")
    return first, second


def _reached(gateway: str) -> tuple[str, int] | None:
    found = _ADDRESS.fullmatch(gateway)
    if gateway and not found:
        fail(USAGE, f"--gateway {gateway}: say HOST:PORT")
    return (found["host"], int(found["port"])) if found else None


def _way(calls: "Calls", key: Declared, route: Found, reached: tuple[str, int] | None) -> Way:
    told = _told(calls, key)
    environment = key.namespace.spec.environment if key.namespace.spec else ""
    revision = route.serving(environment).get("revision", "")
    kept = (history(calls, route) or {}).get(revision)
    return Way(
        title=f"{route.title} in {environment} by {key.title}",
        model=kept.content.model if kept else route.raw["spec"]["model"],
        revision=revision,
        configuration=_configuration(calls, route),
        door=Door.of(told["url"], told[names.AUTHORITY], reached),
    )


def _told(calls: "Calls", key: Declared) -> Mapping[str, str]:
    """What the key's namespace says of the gateway; ends the command where nothing serves."""
    core = names.core_namespace(key.namespace.ref.namespace, key.namespace.name)
    told = calls.get(CONFIG_MAP.path(core, names.GATEWAY_CONFIG_MAP))
    if told is None or told["data"].get("served") != "true":
        fail(BROKEN, f"namespace {core} has no gateway that serves; see GatewayReady of the Tenant")
    data: Mapping[str, str] = told["data"]
    return data


def _configuration(calls: "Calls", route: Found) -> str:
    reply = calls.send("GET", CONFIG_MAP.path(route.ref.namespace, names.GATEWAY_FILES))
    return str(reply.body["metadata"]["annotations"][names.REVISION_ANNOTATION]) if reply.ok else ""


def _agreed(way: Way, *, sure: bool) -> None:
    """Have somebody say that it may cost; ends the command where nobody does."""
    typer.echo(
        f"{way.title}: one request for one token of model {way.model}, which the provider may charge for", err=True
    )
    if sure:
        return
    typer.echo("send it? [y/N] ", nl=False, err=True)  # click's own question leaves a space on standard output
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        fail(BROKEN, "nothing was sent")
