"""What the lineage commands share: where the ledger is, which logs are meant, how to fail.

Law: a tenant's name is looked up in the records themselves, since an auditor has no cluster.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from ringfence.cli.output import Format

if TYPE_CHECKING:
    from ringfence.lineage.entry import LogId
    from ringfence.ports.ledger import LedgerReader

WRONG: Final = 1
USAGE: Final = 2
UNREADABLE: Final = 3

_LOOK_BACK: Final = 20
"""Records in which a log's tenant is looked for, newest first."""

LedgerOption = Annotated[
    str, typer.Option("--ledger", envvar="RINGFENCE_LEDGER", help="Where the records are: sqlite:///DIRECTORY.")
]
TenantOption = Annotated[str | None, typer.Option("--tenant", help="The logs of the tenant of this name.")]
LogOption = Annotated[str | None, typer.Option("--log", help="One log: a Tenant's uid, or platform.")]
KeyOption = Annotated[
    Path | None, typer.Option("--key", help="The public key of the checkpoints: PEM, or C2SP verifier keys.")
]
CheckpointOption = Annotated[
    list[Path] | None, typer.Option("--checkpoint", help="A checkpoint that you kept elsewhere; may be repeated.")
]
OutputOption = Annotated[Format, typer.Option("--output", "-o", help="How to print the result.")]

DEFAULT_LEDGER: Final = "sqlite:///ringfence-ledger"


def open_ledger(url: str) -> "LedgerReader":
    """The ledger for reading; ends the command where there is none."""
    from ringfence.adapters.sqlite.files import parse_url
    from ringfence.adapters.sqlite.reader import SqliteReader

    try:
        directory = parse_url(url)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--ledger") from error
    if not directory.is_dir():
        fail(UNREADABLE, f"ledger {directory}: there is no such directory")
    return SqliteReader(directory)


def chosen_logs(reader: "LedgerReader", tenant: str | None, log: str | None) -> "list[LogId]":
    """The logs that the options mean: all of them where none is given."""
    if tenant and log:
        raise typer.BadParameter("give --tenant or --log, not both")
    if log and log not in reader.logs():
        fail(UNREADABLE, f"no log {log!r}; `ringfence lineage log` shows the records of all")
    if log:
        return [log]
    logs = list(reader.logs())
    return _logs_of(reader, logs, tenant) if tenant else logs


def tenant_of(reader: "LedgerReader", log: "LogId") -> str:
    """The name that the log's tenant bears in its latest records; the log's own name where none says."""
    from ringfence.lineage.summary import summarize
    from ringfence.ports.ledger import LedgerUnavailableError

    try:
        with reader.open(log) as view:
            named = (summarize(record).tenant for record in view.latest(_LOOK_BACK))
            return next(filter(None, named), log)
    except LedgerUnavailableError:
        return log


@contextmanager
def told() -> Iterator[None]:
    """End the command with a message where the ledger, a key or a directory can't be used."""
    from ringfence.adapters.dump import DumpError
    from ringfence.adapters.signer import KeyFileError
    from ringfence.ports.ledger import LedgerError

    try:
        yield
    except LedgerError as error:
        fail(UNREADABLE, str(error))
    except (DumpError, KeyFileError) as error:
        fail(USAGE, str(error))


def fail(code: int, message: str) -> NoReturn:
    """Say why on standard error and end with ``code``."""
    typer.echo(f"ringfence lineage: {message}", err=True)
    raise typer.Exit(code)


def _logs_of(reader: "LedgerReader", logs: "list[LogId]", tenant: str) -> "list[LogId]":
    names = {log: tenant_of(reader, log) for log in logs}
    found = [log for log in logs if names[log] == tenant]
    if not found:
        known = ", ".join(sorted({name for log, name in names.items() if name != log})) or "none"
        fail(UNREADABLE, f"no records of a tenant {tenant!r}; recorded tenants: {known}")
    return found
