"""`ringfence lineage verify`: whether the record is what it was."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ringfence.cli.lineage.options import (
    DEFAULT_LEDGER,
    UNREADABLE,
    USAGE,
    WRONG,
    CheckpointOption,
    KeyOption,
    LedgerOption,
    LogOption,
    TenantOption,
    chosen_logs,
    fail,
    open_ledger,
    tenant_of,
    told,
)
from ringfence.cli.output import print_structured

if TYPE_CHECKING:
    from ringfence.lineage.entry import LogId
    from ringfence.lineage.verify import Verdict
    from ringfence.ports.ledger import LedgerReader


def verify(
    *,
    ledger: LedgerOption = DEFAULT_LEDGER,
    tenant: TenantOption = None,
    log: LogOption = None,
    every: Annotated[bool, typer.Option("--all", help="Every log; so it is where none is named.")] = False,
    key: KeyOption = None,
    checkpoint: CheckpointOption = None,
    output: Annotated[
        Literal["text", "json"], typer.Option("--output", "-o", help="How to print the result.")
    ] = "text",
) -> None:
    """Check every row, the chain, the tree, the checkpoints and the life of each run.

    Whoever owns the ledger's files could have written all of them anew. Give the key, and a checkpoint that you kept
    elsewhere, and he could not.
    """
    if every and (tenant or log):
        raise typer.BadParameter("--all goes with neither --tenant nor --log")
    with told():
        from ringfence.adapters.signer import load_public_keys

        reader = open_ledger(ledger)
        keys = load_public_keys(key) if key else []
        kept = read_kept(checkpoint or [])
        verdicts, unreadable = _verify(reader, chosen_logs(reader, tenant, log), keys, kept)
        _show(reader, verdicts, unreadable, output, signed=bool(keys))
    if any(verdict.findings for verdict in verdicts):
        raise typer.Exit(WRONG)
    if unreadable:
        raise typer.Exit(UNREADABLE)


def read_kept(paths: list[Path]) -> dict[str, list[str]]:
    """The auditor's own checkpoints, by the origin of the log that each is of."""
    from ringfence.lineage.checkpoint import parse_checkpoint

    kept: dict[str, list[str]] = {}
    for path in paths:
        try:
            note = path.read_text(encoding="utf-8")
            kept.setdefault(parse_checkpoint(note).checkpoint.origin, []).append(note)
        except (OSError, ValueError) as error:
            fail(USAGE, f"{path} is no checkpoint: {error}")
    return kept


def _verify(
    reader: "LedgerReader", logs: "list[LogId]", keys: list[bytes], kept: dict[str, list[str]]
) -> "tuple[list[Verdict], dict[LogId, str]]":
    """The verdicts, and why for the logs that could not be read; one of them stops no other."""
    from ringfence.ports.ledger import LedgerUnavailableError

    verdicts, unreadable, seen = [], {}, set()
    for log in logs:
        try:
            verdict, origin = verify_log(reader, log, keys, kept)
        except LedgerUnavailableError as error:
            unreadable[log] = str(error)
            continue
        verdicts.append(verdict)
        seen.add(origin)
    for origin in kept.keys() - seen:
        unreadable[origin] = f"{origin}: you have a checkpoint of this log, but its records are not here"
    return verdicts, unreadable


def verify_log(
    reader: "LedgerReader", log: "LogId", keys: list[bytes], kept: dict[str, list[str]]
) -> "tuple[Verdict, str]":
    """One log's verdict, and its name in checkpoints; raises LedgerUnavailableError where it can't be read."""
    from ringfence.lineage.verify import Evidence, verify

    with reader.open(log) as view:
        published = view.published()
        notes = [*view.checkpoints(), *([published] if published else []), *kept.get(view.origin, [])]
        return verify(Evidence(log, view.origin, view.head, view.records(), notes), keys), view.origin


def _show(
    reader: "LedgerReader",
    verdicts: "list[Verdict]",
    unreadable: "dict[LogId, str]",
    output: Literal["text", "json"],
    *,
    signed: bool,
) -> None:
    if output == "json":
        print_structured({"logs": [_value(verdict) for verdict in verdicts], "unreadable": unreadable}, "json")
        return
    for verdict in verdicts:
        print(f"{_name(reader, verdict.log)}: {in_words(verdict, signed=signed)}")
        for finding in verdict.findings:
            print(f"  {finding.kind}: {finding.message}")
        for run in verdict.open_runs:
            print(f"  open run {run}: it has no outcome yet")
    for problem in unreadable.values():
        print(f"unreadable: {problem}")


def _name(reader: "LedgerReader", log: "LogId") -> str:
    tenant = tenant_of(reader, log)
    return log if tenant == log else f"{tenant} ({log})"


def in_words(verdict: "Verdict", *, signed: bool) -> str:
    """A verdict in a line."""
    result = _counted(len(verdict.findings), "finding") if verdict.findings else "verified"
    return f"{_counted(verdict.size, 'record')}, {result}, {_coverage(verdict, signed=signed)}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _coverage(verdict: "Verdict", *, signed: bool) -> str:
    if not signed:
        return "signatures not checked (give --key)"
    if verdict.checkpoint is None:
        return "no signed checkpoint yet"
    if verdict.checkpoint > verdict.size:
        return f"a checkpoint signs {verdict.checkpoint} records"
    return f"signed up to {verdict.checkpoint}"


def _value(verdict: "Verdict") -> dict[str, Any]:
    return {
        "log": verdict.log,
        "size": verdict.size,
        "signedSize": verdict.checkpoint,
        "openRuns": list(verdict.open_runs),
        "findings": [
            {"kind": finding.kind.value, "n": finding.index, "message": finding.message} for finding in verdict.findings
        ],
    }
