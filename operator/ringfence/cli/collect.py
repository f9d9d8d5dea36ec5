"""`ringfence collect`: counts what a gateway serves, beside it in its pod."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.cli.logs import LogFormat, LogLevel, configure_logs

if TYPE_CHECKING:
    from ringfence.adapters.collector.server import Address

UNUSABLE = 1


def collect(  # noqa: PLR0917 -- they are options: nobody gives them by place
    log: Annotated[Path, typer.Option(help="The gateway's access log; it may come later.")],
    state: Annotated[Path, typer.Option(help="Where counts are kept: a file on the log's volume.")],
    host: Annotated[str, typer.Option(help="Where it listens.")] = "0.0.0.0",  # noqa: S104 -- a pod's own address
    port: Annotated[int, typer.Option(help="Its port; 0 for any free one.")] = 9902,
    certificates: Annotated[
        Path | None, typer.Option(help="A folder with tls.crt and tls.key; plain HTTP without.", file_okay=False)
    ] = None,
    linger: Annotated[
        float, typer.Option(help="Seconds that it waits at the end for somebody to ask for the last counts.", min=0)
    ] = 25,
    log_format: Annotated[LogFormat | None, typer.Option(help="json, or console for people.")] = None,
) -> None:
    """Count the requests of a gateway by hour, namespace, workload and route, and answer whoever asks.

    GET /usage?after=CURSOR gives what changed since, as totals; /metrics is for Prometheus, /healthz says whether it
    counts. It has no right in the cluster and keeps nothing that was said. Exit codes: 0 stopped when asked, 1 a file
    or the address can't be used.
    """
    import asyncio
    import sqlite3

    from ringfence.adapters.collector.server import Address
    from ringfence.ports.ledger import LedgerUnavailableError

    configure_logs(log_format or (LogFormat.CONSOLE if sys.stderr.isatty() else LogFormat.JSON), LogLevel.INFO)
    try:
        asyncio.run(_collect(log, state, Address(host, port, certificates), linger))
    except (OSError, sqlite3.Error, LedgerUnavailableError) as error:
        typer.echo(f"ringfence collect: {error}", err=True)
        raise typer.Exit(UNUSABLE) from error


async def _collect(log: Path, state: Path, address: "Address", linger: float) -> None:
    import asyncio
    import signal
    from contextlib import closing

    from ringfence.adapters.collector.counting import Counting
    from ringfence.adapters.collector.log import AccessLog
    from ringfence.adapters.collector.metrics import Metrics
    from ringfence.adapters.collector.process import CollectorProcess
    from ringfence.adapters.collector.state import State

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with closing(AccessLog(log)) as lines, closing(State.open(state)) as counted:
        process = CollectorProcess(Counting(lines, counted, Metrics()), linger=linger)
        await process.run(address, stop)
