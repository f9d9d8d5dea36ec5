"""`ringfence evidence --incident ID`: what was affected, when, by whom, and whether the record can be believed.

Law: everything is read from the ledger; no cluster is asked and nothing is changed. Exit codes: 0 told and verified,
1 the record does not verify or knows no such incident, 2 a command line that makes no sense, 3 there is no ledger.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ringfence.cli.lineage.options import (
    DEFAULT_LEDGER,
    WRONG,
    CheckpointOption,
    KeyOption,
    LedgerOption,
    LogOption,
    TenantOption,
    chosen_logs,
    open_ledger,
    told,
)

if TYPE_CHECKING:
    from ringfence.cli.evidence.part import Part
    from ringfence.lineage.entry import LogId
    from ringfence.ports.ledger import LedgerReader


def evidence(
    *,
    incident: Annotated[str, typer.Option(help="The incident's id; of a Namespace that named none, <tenant>/<name>.")],
    ledger: LedgerOption = DEFAULT_LEDGER,
    tenant: TenantOption = None,
    log: LogOption = None,
    key: KeyOption = None,
    checkpoint: CheckpointOption = None,
    output: Annotated[
        Literal["text", "json", "markdown"], typer.Option("--output", "-o", help="How to print the result.")
    ] = "text",
) -> None:
    """Tell an incident from the record alone: declared, closed, meanwhile, lifted, with the leaf that proves each."""
    with told():
        from ringfence.adapters.signer import load_public_keys
        from ringfence.cli.evidence.render import RENDERERS
        from ringfence.cli.lineage.verify import read_kept

        reader = open_ledger(ledger)
        keys = load_public_keys(key) if key else []
        kept = read_kept(checkpoint or [])
        logs = chosen_logs(reader, tenant, log)
        parts = list(_parts(reader, logs, incident, keys, kept))
        if not any(part.story or part.problem for part in parts):
            _unknown(reader, logs, incident)
        RENDERERS[output](incident, parts)
    if not all(part.verified for part in parts):
        raise typer.Exit(WRONG)


def _parts(
    reader: "LedgerReader", logs: "list[LogId]", incident: str, keys: list[bytes], kept: dict[str, list[str]]
) -> "Iterator[Part]":
    """What each log tells; a log that can't be read might have told something."""
    from ringfence.cli.evidence.part import Part
    from ringfence.cli.lineage.verify import verify_log
    from ringfence.lineage.incident import scan
    from ringfence.ports.ledger import LedgerUnavailableError

    for log in logs:
        try:
            with reader.open(log) as view:
                story = scan(log, view.records(), incident)
            if story is not None:
                verdict, _ = verify_log(reader, log, keys, kept)
                yield Part(log, story, verdict, signed=bool(keys))
        except LedgerUnavailableError as error:
            yield Part(log, problem=str(error))


def _unknown(reader: "LedgerReader", logs: "list[LogId]", incident: str) -> None:
    from ringfence.lineage.incident import known_incidents

    known: dict[str, None] = {}
    for log in logs:
        with reader.open(log) as view:
            known.update(dict.fromkeys(known_incidents(view.records())))
    listed = ", ".join(sorted(known)) or "none"
    typer.echo(f"ringfence evidence: the record knows no incident {incident!r}; known are: {listed}", err=True)
    raise typer.Exit(WRONG)
