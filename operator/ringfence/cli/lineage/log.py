"""`ringfence lineage log`: what happened, a line for each record."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.lineage.options import (
    DEFAULT_LEDGER,
    LedgerOption,
    LogOption,
    OutputOption,
    TenantOption,
    chosen_logs,
    open_ledger,
    tenant_of,
    told,
)
from ringfence.cli.lineage.output import utc_time
from ringfence.cli.output import Format, print_columns, print_structured

if TYPE_CHECKING:
    from ringfence.lineage.entry import LogId, Record
    from ringfence.ports.ledger import LedgerReader

    Found = tuple[LogId, Record]

_HEADER = ("LOG", "N", "TIME", "EVENT", "OBJECT", "TRIGGER", "RESULT", "CHANGED")


def log(
    ledger: LedgerOption = DEFAULT_LEDGER,
    tenant: TenantOption = None,
    log: LogOption = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of the latest records.")] = 50,
    output: OutputOption = "text",
) -> None:
    """List the latest records, oldest first; of every log where none is named."""
    with told():
        reader = open_ledger(ledger)
        found = _latest(reader, chosen_logs(reader, tenant, log), limit)
        _show(reader, found, output)


def _latest(reader: "LedgerReader", logs: "list[LogId]", limit: int) -> "list[Found]":
    """The latest records of these logs together, by time; within a log in its own order, whatever the clock did."""
    from ringfence.lineage.summary import summarize

    found: list[tuple[int, Found]] = []
    for log in logs:
        with reader.open(log) as view:
            time_ms = 0
            for record in reversed(view.latest(limit)):
                time_ms = max(time_ms, summarize(record).time_ms or 0)
                found.append((time_ms, (log, record)))
    found.sort(key=lambda item: item[0])
    return [item for _, item in found[-limit:]]


def _show(reader: "LedgerReader", found: "list[Found]", output: Format) -> None:
    from ringfence.lineage.summary import summarize

    if output != "text":
        print_structured([as_value(log, record) for log, record in found], output)
        return
    names = {log: tenant_of(reader, log) for log in {log for log, _ in found}}
    lines = [(names[log], summarize(record)) for log, record in found]
    rows = [
        (name, str(s.index), utc_time(s.time_ms), s.event, s.object, s.trigger, s.result, s.changed)
        for name, s in lines
    ]
    print_columns(_HEADER, rows)


def as_value(log: "LogId", record: "Record") -> dict[str, Any]:
    """A record for machines: its place, its leaf, and its event where the body is there."""
    from ringfence.lineage.summary import read_event

    return {
        "log": log,
        "n": record.index,
        "leaf": record.leaf.decode(errors="replace") if record.leaf else None,
        "salt": record.salt.hex() if record.salt else None,
        "event": read_event(record),
    }
