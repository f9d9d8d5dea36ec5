"""`ringfence lineage show`: one record, or one run from START to outcome."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from ringfence.cli.lineage.log import as_value
from ringfence.cli.lineage.options import (
    DEFAULT_LEDGER,
    UNREADABLE,
    USAGE,
    LedgerOption,
    LogOption,
    OutputOption,
    TenantOption,
    chosen_logs,
    fail,
    open_ledger,
    told,
)
from ringfence.cli.lineage.output import utc_time
from ringfence.cli.output import Format, print_structured

if TYPE_CHECKING:
    from ringfence.lineage.entry import LogId, Record
    from ringfence.ports.ledger import LedgerReader

    Found = tuple[LogId, Record]


def show(
    record: Annotated[str, typer.Argument(metavar="N|RUNID", help="A record's number in its log, or a run's id.")],
    ledger: LedgerOption = DEFAULT_LEDGER,
    tenant: TenantOption = None,
    log: LogOption = None,
    output: OutputOption = "text",
) -> None:
    """Show one record whole, or all records of one run."""
    with told():
        reader = open_ledger(ledger)
        logs = chosen_logs(reader, tenant, log)
        found = _numbered(reader, logs, int(record)) if record.isdecimal() else _of_run(reader, logs, record)
        if not found:
            fail(UNREADABLE, f"no record {record!r} in {', '.join(logs) or 'an empty ledger'}")
        _show(found, output)


def _numbered(reader: "LedgerReader", logs: "list[LogId]", index: int) -> "list[Found]":
    if len(logs) > 1:
        fail(USAGE, f"each log has its own record {index}; say which with --tenant or --log: {', '.join(logs)}")
    found = []
    for log in logs:
        with reader.open(log) as view:
            record = next(view.records(index), None)
            if record is not None and record.index == index:
                found.append((log, record))
    return found


def _of_run(reader: "LedgerReader", logs: "list[LogId]", run_id: str) -> "list[Found]":
    try:
        UUID(run_id)
    except ValueError:
        fail(USAGE, f"{run_id!r} is neither a record's number nor a run's id")
    found: list[Found] = []
    for log in logs:
        with reader.open(log) as view:
            found.extend((log, record) for record in view.run(run_id))
    return found


def _show(found: "list[Found]", output: Format) -> None:
    values = [as_value(log, record) for log, record in found]
    if output != "text":
        print_structured(values if len(values) > 1 else values[0], output)
        return
    for number, (log, record) in enumerate(found):
        if number:
            print()
        _show_text(log, record)


def _show_text(log: "LogId", record: "Record") -> None:
    from ringfence.lineage.summary import read_event, summarize

    summary = summarize(record)
    print(f"record {record.index} of log {log}, {utc_time(summary.time_ms)}, {_bond(record)}")
    event = read_event(record)
    if event is not None:
        print_structured(event, "yaml")


def _bond(record: "Record") -> str:
    """Whether leaf and body belong together, in words."""
    from ringfence.lineage.leaf import commitment, decode_leaf

    if record.body is None or record.salt is None:
        return "body gone"
    try:
        bound = decode_leaf(record.leaf or b"").commitment == commitment(record.body, record.salt)
    except ValueError:
        bound = False
    return "body as committed" if bound else "BODY NOT AS COMMITTED: run `ringfence lineage verify`"
