"""`ringfence trace modelroute/NAME`: what an environment served when, and by whose word, from the record.

Law: only what changed is told, each line with the record that has it.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
from ringfence.cli.output import print_columns, print_structured

if TYPE_CHECKING:
    from ringfence.lineage.entry import LogId, Record
    from ringfence.ports.ledger import LedgerReader

_HEADER = ("TIME", "ENVIRONMENT", "REVISION", "BEFORE", "PROMOTED-BY", "APPROVED-BY", "LOG", "N")
_JOB = "reconcile/ringfence.dev/v1alpha1/ModelRoute/"
_FACET = "ringfence_route"


@dataclass(frozen=True, slots=True)
class Change:
    """One environment of a route that began, changed or ended to serve it."""

    time: str
    route: str
    environment: str
    revision: str
    """Empty where it serves nothing any more."""
    before: str
    promoted_by: str
    approved_by: str
    log: str
    record: int


def trace(
    what: Annotated[str, typer.Argument(metavar="modelroute/NAME", help="The ModelRoute.")],
    *,
    ledger: LedgerOption = DEFAULT_LEDGER,
    tenant: TenantOption = None,
    log: LogOption = None,
    output: OutputOption = "text",
) -> None:
    """Tell the history of a route: which revision each environment began to serve, who promoted and who approved it."""
    kind, _, name = what.partition("/")
    if kind.lower() not in ("modelroute", "modelroutes", "mr") or not name:
        fail(USAGE, f"{what!r} can't be traced; write modelroute/NAME")
    with told():
        reader = open_ledger(ledger)
        changes = [change for each in chosen_logs(reader, tenant, log) for change in _changes(reader, each, name)]
    if not changes:
        fail(UNREADABLE, f"the record tells nothing of a ModelRoute {name}")
    if output != "text":
        print_structured([asdict(change) for change in changes], output)
        return
    print_columns(_HEADER, [_row(change) for change in changes])


def _changes(reader: "LedgerReader", log: "LogId", name: str) -> Iterator[Change]:
    """What each record says, beside what the one before it said of the same route."""
    known: dict[str, dict[str, str]] = {}
    with reader.open(log) as view:
        for record in view.records():
            if (event := _event(record, name)) is not None:
                route = event["job"]["name"].removeprefix(_JOB)
                placed = {each["name"]: each for each in event["run"]["facets"][_FACET]["environments"]}
                yield from _differences(log, record, route, known.get(route, {}), placed)
                known[route] = {environment: each["revision"] for environment, each in placed.items()}


def _event(record: "Record", name: str) -> dict[str, Any] | None:
    """The event of a run that brought a route about; its START only announces it."""
    from ringfence.lineage.summary import read_event

    event = read_event(record)
    if event is None or event.get("eventType") != "COMPLETE" or _FACET not in event["run"].get("facets", {}):
        return None
    job = str(event.get("job", {}).get("name", ""))
    return event if job.startswith(_JOB) and job.endswith(f"/{name}") else None


def _differences(
    log: "LogId", record: "Record", route: str, before: dict[str, str], after: dict[str, dict[str, str]]
) -> Iterator[Change]:
    from ringfence.lineage.summary import summarize

    for environment in dict.fromkeys((*after, *before)):
        now = after.get(environment, {})
        if now.get("revision") != before.get(environment):
            yield Change(
                time=utc_time(summarize(record).time_ms),
                route=route,
                environment=environment,
                revision=now.get("revision", ""),
                before=before.get(environment, ""),
                promoted_by=now.get("promotedBy", ""),
                approved_by=now.get("approvedBy", ""),
                log=log,
                record=record.index,
            )


def _row(change: Change) -> tuple[str, ...]:
    return (
        change.time,
        change.environment,
        change.revision or "(ended)",
        change.before,
        change.promoted_by,
        change.approved_by,
        change.log,
        str(change.record),
    )
