"""`ringfence usage`: the report of what the gateways served and refused.

Law: everything is read from files beside the ledger; no cluster is asked. Exit codes: 0 told, 1 usage is not what the
record says (`--check`), 2 a command line that makes no sense, 3 there is no usage or it can't be read.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, NoReturn

import typer

from ringfence.cli.lineage.options import DEFAULT_LEDGER, UNREADABLE, WRONG, LedgerOption
from ringfence.usage.report import Dimension

if TYPE_CHECKING:
    from ringfence.cli.usage.render import Line
    from ringfence.lineage.entry import LogId
    from ringfence.ports.usage import UsageReader

DEFAULT_BY: Final = [Dimension.NAMESPACE, Dimension.ROUTE]
_HOUR: Final = timedelta(hours=1)


def usage(
    *,
    ledger: LedgerOption = DEFAULT_LEDGER,
    tenant: Annotated[str | None, typer.Option(help="This tenant only.")] = None,
    by: Annotated[
        list[Dimension], typer.Option(help="What numbers are put together by; may be repeated.")
    ] = DEFAULT_BY,
    since: Annotated[
        str, typer.Option(help="From when on: a time (2026-11-22T08:00:00Z), or how long ago (30m, 24h, 90d).")
    ] = "24h",
    until: Annotated[str, typer.Option(help="Up to when, in the same way; now where it is left out.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Compare each recorded hour with the record.")] = False,
    output: Annotated[
        Literal["text", "wide", "json", "yaml", "csv"], typer.Option("--output", "-o", help="How to print the result.")
    ] = "text",
) -> None:
    """Tell how many requests and tokens each namespace, workload or route used, and how requests ended.

    Numbers are by whole hours (UTC). Tokens are what providers told; UNMETERED counts answers that told none.
    """
    with _told():
        from ringfence.cli.usage.render import RENDERERS

        reader, directory = _open(ledger)
        logs = _chosen(reader, tenant)
        now = datetime.now(UTC)
        first, end = _moment(since, now, "--since"), _moment(until, now, "--until") if until else now + _HOUR
        dimensions = list(dict.fromkeys(by))
        RENDERERS[output](dimensions, list(_lines(reader, logs, dimensions, first, end)))
        problems = _check(reader, directory, logs) if check else []
    if problems:
        raise typer.Exit(WRONG)


def _open(url: str) -> "tuple[UsageReader, Path]":
    from ringfence.adapters.sqlite.files import parse_url
    from ringfence.adapters.sqlite.usage import SqliteUsageReader

    try:
        directory = parse_url(url)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--ledger") from error
    if not directory.is_dir():
        fail(UNREADABLE, f"ledger {directory}: there is no such directory")
    return SqliteUsageReader(directory), directory


def _chosen(reader: "UsageReader", tenant: str | None) -> "dict[LogId, str]":
    """The tenants that are meant; a name may have had several, one after the other."""
    tenants = reader.tenants()
    found = {log: name for log, name in tenants.items() if tenant in (None, name)}
    if not found:
        known = ", ".join(sorted(set(tenants.values()))) or "none"
        fail(UNREADABLE, f"no usage of {f'a tenant {tenant!r}' if tenant else 'any tenant'}; there is of: {known}")
    return found


def _moment(text: str, now: datetime, option: str) -> datetime:
    from ringfence.model.fields import Duration

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            return now - timedelta(seconds=Duration(text).seconds)
        except ValueError as error:
            raise typer.BadParameter("write a time like 2026-11-22T08:00:00Z, or 24h", param_hint=option) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _lines(
    reader: "UsageReader",
    logs: "dict[LogId, str]",
    dimensions: Sequence[Dimension],
    first: datetime,
    end: datetime,
) -> "Iterator[Line]":
    from ringfence.cli.usage.render import Line
    from ringfence.usage.report import grouped
    from ringfence.usage.tally import HOUR

    since = int(first.timestamp()) // HOUR * HOUR
    for log, name in sorted(logs.items(), key=lambda item: (item[1], item[0])):
        rows = reader.rows(log, since=since, until=int(end.timestamp()))
        yield from (Line(name, group) for group in grouped(rows, dimensions))


def _check(reader: "UsageReader", directory: Path, logs: "dict[LogId, str]") -> list[str]:
    from ringfence.adapters.sqlite.reader import SqliteReader
    from ringfence.cli.usage.check import Checked, compare

    ledger, checked = SqliteReader(directory), Checked()
    for log, name in logs.items():
        compare(ledger, reader, log, name, checked)
    for problem in checked.problems:
        typer.echo(f"not as recorded: {problem}", err=True)
    typer.echo(f"{checked.hours} recorded hours, {len(checked.problems)} not as recorded", err=True)
    return checked.problems


@contextmanager
def _told() -> Iterator[None]:
    from ringfence.ports.ledger import LedgerError
    from ringfence.ports.usage import UsageUnavailableError

    try:
        yield
    except (LedgerError, UsageUnavailableError) as error:
        fail(UNREADABLE, str(error))


def fail(code: int, message: str) -> NoReturn:
    """Say why on standard error and end with ``code``."""
    typer.echo(f"ringfence usage: {message}", err=True)
    raise typer.Exit(code)
