"""`ringfence run`: the operator, in a cluster or beside one.

Law: settings are read here once and handed on as values; nothing else reads the environment.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli.absent import absent
from ringfence.cli.logs import LogFormat, LogLevel, configure_logs
from ringfence.engine.budget import WRITES_PER_SECOND
from ringfence.plan.images import SHIPPED

REFUSED = 1
UNREACHABLE = 3


def run(  # noqa: PLR0917 -- they are options: nobody gives them by place
    kubeconfig: Annotated[
        Path | None,
        typer.Option(
            envvar="RINGFENCE_KUBECONFIG",
            help="How to reach the API server from outside; in a pod its own files are used.",
            dir_okay=False,
        ),
    ] = None,
    context: Annotated[str | None, typer.Option(envvar="RINGFENCE_CONTEXT", help="The kubeconfig's context.")] = None,
    ledger: Annotated[
        str, typer.Option(envvar="RINGFENCE_LEDGER", help="Where records go: sqlite:///DIRECTORY.")
    ] = "sqlite:///ringfence-ledger",
    signing_key: Annotated[
        Path | None,
        typer.Option(
            envvar="RINGFENCE_SIGNING_KEY",
            help="The Ed25519 key (PEM) that signs checkpoints; without it one is made beside the ledger.",
        ),
    ] = None,
    unsafe_admin: Annotated[
        bool, typer.Option(help="Run although the credentials are those of system:masters, which no fence holds.")
    ] = False,
    unsafe_without_policies: Annotated[
        bool,
        typer.Option(
            help="Let tenants in although nobody asks whether admission policies are in force. For tests and benches."
        ),
    ] = False,
    metrics_host: Annotated[
        str, typer.Option(envvar="RINGFENCE_METRICS_HOST", help="Where probes and metrics listen; all in a pod.")
    ] = "",
    metrics_port: Annotated[
        int, typer.Option(envvar="RINGFENCE_METRICS_PORT", help="Their port; 8080 in a pod, else any free one.")
    ] = -1,
    identity: Annotated[
        str, typer.Option(envvar="RINGFENCE_IDENTITY", help="Our name in the Lease; made up where none is given.")
    ] = "",
    resync: Annotated[
        float, typer.Option(envvar="RINGFENCE_RESYNC", help="Seconds until every object was looked at again.", min=1)
    ] = 1800,
    checkpoint: Annotated[
        float, typer.Option(envvar="RINGFENCE_CHECKPOINT", help="Seconds between signed checkpoints.", min=1)
    ] = 3600,
    writes_per_second: Annotated[
        float,
        typer.Option(envvar="RINGFENCE_WRITES_PER_SECOND", help="The most that is asked of the API server.", min=1),
    ] = WRITES_PER_SECOND,
    usage: Annotated[
        float,
        typer.Option(envvar="RINGFENCE_USAGE", help="Seconds between looks at what gateways have counted.", min=1),
    ] = 60,
    pod_ranges: Annotated[
        str, typer.Option(envvar="RINGFENCE_POD_RANGES", help="Pod address ranges, where nodes don't tell; by comma.")
    ] = "",
    service_ranges: Annotated[
        str,
        typer.Option(envvar="RINGFENCE_SERVICE_RANGES", help="Service address ranges, where the cluster doesn't tell."),
    ] = "",
    node_ranges: Annotated[
        str,
        typer.Option(envvar="RINGFENCE_NODE_RANGES", help="Address ranges of nodes and of whatever else is protected."),
    ] = "",
    gateway_image: Annotated[
        str, typer.Option(envvar="RINGFENCE_GATEWAY_IMAGE", help="Envoy's image; admission pins its repository.")
    ] = SHIPPED.gateway,
    collector_image: Annotated[
        str,
        typer.Option(
            envvar="RINGFENCE_COLLECTOR_IMAGE",
            help="The operator's own image, which counts beside Envoy; RINGFENCE_IMAGE where it is left out.",
        ),
    ] = "",
    certificate_issuer: Annotated[
        str,
        typer.Option(
            envvar="RINGFENCE_CERTIFICATE_ISSUER",
            help="An issuer of cert-manager's for gateways, as KIND/NAME; Ringfence certifies where it is left out.",
        ),
    ] = "",
    certificate_authority: Annotated[
        Path | None,
        typer.Option(
            envvar="RINGFENCE_CERTIFICATE_AUTHORITY",
            help="What that issuer's certificates are verified by (PEM); workloads are told.",
            dir_okay=False,
            exists=True,
        ),
    ] = None,
    rate_limit_service: Annotated[
        str,
        typer.Option(
            envvar="RINGFENCE_RATE_LIMIT_SERVICE",
            help="A Service beside the operator that counts tokens exactly, as NAME:PORT; they are estimated without.",
        ),
    ] = "",
    trusted_proxies: Annotated[
        str,
        typer.Option(
            envvar="RINGFENCE_TRUSTED_PROXIES",
            help="Networks of proxies before gateways that are believed where a client is, as CIDR; by comma.",
        ),
    ] = "",
    log_format: Annotated[
        LogFormat | None, typer.Option(envvar="RINGFENCE_LOG_FORMAT", help="json, or console for people.")
    ] = None,
    log_level: Annotated[
        LogLevel, typer.Option(envvar="RINGFENCE_LOG_LEVEL", help="From how grave on lines are written.")
    ] = LogLevel.INFO,
) -> None:
    """Run the operator.

    In a cluster it needs no options: all but --unsafe-… can be given by the environment (RINGFENCE_…). Outside of
    one, give it the kubeconfig of its own ServiceAccount. Exit codes: 0 stopped when asked, 1 refused to run,
    2 wrong options, 3 the API server can't be reached with what was given, 4 the lease or the ledger went to another
    process.
    """
    with absent("kubernetes"):  # kopf imports its client, if there is one, only to recognise its objects
        from ringfence.cli.operator import Settings, run_operator

    configure_logs(log_format or (LogFormat.CONSOLE if sys.stderr.isatty() else LogFormat.JSON), log_level)
    settings = Settings(
        kubeconfig=kubeconfig,
        context=context,
        ledger=ledger,
        signing_key=signing_key,
        unsafe_admin=unsafe_admin,
        unsafe_without_policies=unsafe_without_policies,
        metrics_host=metrics_host,
        metrics_port=metrics_port,
        identity=identity,
        resync=resync,
        checkpoint=checkpoint,
        writes_per_second=writes_per_second,
        usage=usage,
        pod_ranges=_split(pod_ranges),
        service_ranges=_split(service_ranges),
        node_ranges=_split(node_ranges),
        gateway_image=gateway_image,
        collector_image=collector_image,
        certificate_issuer=certificate_issuer,
        rate_limit_service=rate_limit_service,
        trusted_proxies=_split(trusted_proxies),
        certificate_authority=certificate_authority.read_text() if certificate_authority else "",
    )
    raise typer.Exit(run_operator(settings))


def _split(ranges: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in ranges.split(",") if part.strip())
