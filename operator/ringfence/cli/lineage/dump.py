"""`ringfence lineage dump`: one log as files that other tools can check."""

from pathlib import Path
from typing import Annotated

import typer

from ringfence.cli.lineage.options import (
    DEFAULT_LEDGER,
    USAGE,
    LedgerOption,
    LogOption,
    TenantOption,
    chosen_logs,
    fail,
    open_ledger,
    told,
)


def dump(
    directory: Annotated[Path, typer.Argument(help="A directory that does not exist yet.")],
    ledger: LedgerOption = DEFAULT_LEDGER,
    tenant: TenantOption = None,
    log: LogOption = None,
) -> None:
    """Write one log as C2SP tiles with its checkpoint, its events and their salts.

    The dump ends where the last checkpoint ends. tests/interop/verifylog checks it with nothing of Ringfence.
    """
    with told():
        from ringfence.adapters.dump import write_dump

        reader = open_ledger(ledger)
        logs = chosen_logs(reader, tenant, log)
        if len(logs) != 1:
            fail(USAGE, f"a dump is of one log; say which with --tenant or --log: {', '.join(logs) or 'there is none'}")
        with reader.open(logs[0]) as view:
            dumped = write_dump(view, directory)
    newer = f"; {dumped.newer} newer ones have no checkpoint yet" if dumped.newer else ""
    typer.echo(f"{dumped.size} records in {directory}{newer}", err=True)
