"""`ringfence verify`: every connection that tenants can have, and whether it should be."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ringfence.cli.output import print_columns, print_structured, printable
from ringfence.cli.reach.sources import BROKEN, UNKNOWN, ContextOption, FilesOption, KubeconfigOption, reading

if TYPE_CHECKING:
    from ringfence.reach.verify import Report


def verify(
    *,
    files: FilesOption = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    output: Annotated[
        Literal["text", "json"], typer.Option("--output", "-o", help="How to print the result.")
    ] = "text",
) -> None:
    """Find every connection that tenants' pods can have, and those that they should not have.

    It is computed from NetworkPolicies: all namespaces of all tenants, for any pods that could be made in them. What
    is meant to be (the gateway, name resolution, exceptions that a Tenant declares) is listed as what it is.

    Exit codes: 0 all is well, 1 a fence has a hole, 2 the command line is wrong, 3 it can't be known.
    """
    from ringfence.cli.reach.values import report_value
    from ringfence.reach.verify import verify as judge

    found = reading(files, kubeconfig, context)
    report = judge(found.world, found.declarations, found.unknown)
    if output == "json":
        print_structured(report_value(report), "json")
    else:
        _print_text(report)
    if report.is_broken:
        raise typer.Exit(BROKEN)
    if report.unknown:
        raise typer.Exit(UNKNOWN)


def _print_text(report: "Report") -> None:
    from ringfence.cli.reach.words import breaches, gap, summary
    from ringfence.reach.ports import in_words

    meant = [each for each in report.connections if each not in report.breaches]
    if meant:
        header = ("FROM", "TO", "PORTS", "WHAT", "OPENED BY")
        rows = [(str(c.source), str(c.target), in_words(c.ports), c.kind, ", ".join(c.policies)) for c in meant]
        print_columns(header, rows)
        print()
    unknown = (f"Unknown: {doubt}" for doubt in report.unknown)
    for line in (*breaches(report), *map(gap, report.gaps), *unknown, summary(report)):
        print(printable(line))
