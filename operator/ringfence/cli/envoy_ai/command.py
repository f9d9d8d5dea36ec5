"""`ringfence envoy-ai TENANT`: a tenant's gateway as resources of Envoy AI Gateway.

Law: it prints and writes nothing; resources go to standard output, what is refused to standard error.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ringfence.cli.reach.sources import BROKEN, ContextOption, KubeconfigOption, fail
from ringfence.cli.tenant import asking

if TYPE_CHECKING:
    from ringfence.adapters.kubernetes.calls import Calls
    from ringfence.gateway.envoy_ai.engine import Resource
    from ringfence.gateway.envoy_ai.render import Rendered
    from ringfence.gateway.served import Gateway, Issuer
    from ringfence.model.subject import Subject
    from ringfence.model.tenant import TenantSpec
    from ringfence.plan.seen import Answer, Question


def envoy_ai(
    tenant: Annotated[str, typer.Argument(help="The Tenant.")],
    gateway_class: Annotated[str, typer.Option(help="The GatewayClass of the engine.")],
    certificate: Annotated[str, typer.Option(help="A Secret of the home namespace with the gateway's certificate.")],
    *,
    counts_globally: Annotated[
        bool, typer.Option("--rate-limits", help="Envoy Gateway has a rate limit service, which counts tokens, too.")
    ] = False,
    accept_weaker: Annotated[
        bool, typer.Option("--accept-weaker", help="Print resources by which less is promised than by Envoy's files.")
    ] = False,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    output: Annotated[Literal["yaml", "json"], typer.Option("--output", "-o", help="How to print them.")] = "yaml",
) -> None:
    """Print what a tenant's gateway would be for Envoy AI Gateway, whose resources the operator does not write.

    The same is served to the same callers as by the tenant's own Envoy. Of some promises that engine keeps less: they
    are named each time, and nothing is printed unless that is accepted. docs/reference/data-planes.md compares them.

    Exit codes: 0 all of it is printed, 1 something is refused or was not accepted, 2 the command line is wrong, 3 the
    cluster can't be asked.
    """
    from ringfence.gateway.envoy_ai.engine import Engine, SecretKey
    from ringfence.gateway.envoy_ai.render import render
    from ringfence.plan.gateway.providers import key_mounts

    with asking(tenant, kubeconfig, context) as (calls, name):
        spec, gateway = _composed(calls, name)
    secrets = {each.provider: SecretKey(each.secret, each.key) for each in key_mounts(spec.providers)}
    engine = Engine(gateway_class, certificate, secrets, counts_globally=counts_globally)
    rendered = render(gateway, engine)
    _warn(accepted=accept_weaker)
    _tell(rendered, tenant, output)


def _warn(*, accepted: bool) -> None:
    """Name every promise that this engine keeps by less; end the command where nobody accepted that."""
    from ringfence.gateway.envoy_ai.differences import DIFFERENCES, Verdict

    for difference in DIFFERENCES:
        if difference.verdict is Verdict.WEAKER:
            typer.echo(f"weaker: {difference.promise}: {difference.engine}", err=True)
    if not accepted:
        fail(BROKEN, "this engine promises less; nothing is printed without --accept-weaker")


def _tell(rendered: "Rendered", tenant: str, output: Literal["yaml", "json"]) -> None:
    """Print what can be served, and say what can't."""
    from ringfence.cli.output import print_structured

    items = [_manifest(each, tenant) for each in rendered.resources]
    print_structured({"apiVersion": "v1", "kind": "List", "items": items}, output)
    for refused in rendered.refused:
        typer.echo(f"refused: {refused.message}", err=True)
    if rendered.refused:
        raise typer.Exit(BROKEN)


def _composed(calls: "Calls", name: str) -> "tuple[TenantSpec, Gateway]":
    """What the operator's planner makes of the cluster; ends the command where there is no such Tenant."""
    from ringfence import names
    from ringfence.cli.envoy_ai.view import ClusterView
    from ringfence.model.kinds import TENANT, Ref
    from ringfence.plan.enforcement import NOT_ASKED
    from ringfence.plan.gateway.compose import compose
    from ringfence.plan.look import look
    from ringfence.plan.seen import Facts

    # Whether policies see to two persons nobody asked here: in a protected environment serves what the operator placed.
    facts = Facts("", names.OPERATOR_NAMESPACE, issuer=_issuer(calls), enforcement=NOT_ASKED)
    ref, view, now = Ref(TENANT, "", name), ClusterView(calls), datetime.now(UTC)
    found, seen = look(ref, view, now=now, facts=facts, answers={})
    tenant: Subject[TenantSpec] | None = found
    if tenant is None or tenant.spec is None:
        fail(BROKEN, f"there is no Tenant {name}" if tenant is None else f"Tenant {name} breaks a rule of its kind")
    answers = dict(_answers(calls, compose(tenant, seen).questions))
    _, known = look(ref, view, now=now, facts=facts, answers=answers)
    return tenant.spec, compose(tenant, known).gateway


def _issuer(calls: "Calls") -> "Issuer":
    """Whoever signs tokens of this cluster, by discovery."""
    import json

    from ringfence.gateway.served import Issuer

    document, keys = (_published(calls, path) for path in ("/.well-known/openid-configuration", "/openid/v1/jwks"))
    return Issuer(document["issuer"], json.dumps(keys, sort_keys=True))


def _published(calls: "Calls", path: str) -> Any:
    from ringfence.adapters.kubernetes.lists import ListError

    reply = calls.send("GET", path, headers={"Accept": "*/*"})
    if not reply.ok:
        raise ListError(f"{path}: {reply.message}")
    return reply.body


def _answers(calls: "Calls", questions: "tuple[Question, ...]") -> "Iterator[tuple[Question, Answer]]":
    """Public certificates of private frontends."""
    from ringfence import names
    from ringfence.adapters.kubernetes.certificates import public_part
    from ringfence.model.kinds import CONFIG_MAP
    from ringfence.plan.seen import Authority

    for question in questions:
        if isinstance(question, Authority):
            found = calls.get(CONFIG_MAP.path(question.namespace, question.name)) or {}
            yield question, public_part((found.get("data") or {}).get(names.AUTHORITY, ""))


def _manifest(resource: "Resource", tenant: str) -> dict[str, Any]:
    from ringfence import names

    labels = {"app.kubernetes.io/part-of": "ringfence", names.TENANT_LABEL: tenant}
    return {
        "apiVersion": resource.type.api_version,
        "kind": resource.type.kind,
        "metadata": {"name": resource.name, "namespace": tenant, "labels": labels},
        **resource.body,
    }
