"""`ringfence explain-deny`: whether one may connect to another, which policies say so, and what to do."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ringfence.cli.output import print_structured, printable
from ringfence.cli.reach.ends import end_of, port_of
from ringfence.cli.reach.sources import BROKEN, UNKNOWN, ContextOption, FilesOption, KubeconfigOption, reading

if TYPE_CHECKING:
    from ringfence.reach.decide import Verdict
    from ringfence.reach.paths import Path
    from ringfence.reach.ports import Port
    from ringfence.reach.world import World

_END = "NAMESPACE, NAMESPACE/POD, NAMESPACE:KEY=VALUE,... or an address outside the cluster"


def explain_deny(
    source: Annotated[str, typer.Argument(metavar="FROM", help=f"Who connects: {_END}.")],
    target: Annotated[str, typer.Argument(metavar="TO", help=f"To whom: {_END}.")],
    port: Annotated[
        str | None,
        typer.Argument(metavar="PORT", help="A port of the pod (not of a Service): 5432, 53/udp, or a name."),
    ] = None,
    *,
    files: FilesOption = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    output: Annotated[
        Literal["text", "json"], typer.Option("--output", "-o", help="How to print the result.")
    ] = "text",
) -> None:
    """Say whether FROM may connect to TO, which NetworkPolicies decide it on either side, and what would open it.

    A NAMESPACE alone stands for a pod without labels in it.

    Exit codes: 0 allowed, 1 denied, 2 the command line is wrong, 3 it can't be known.
    """
    from ringfence.cli.reach.values import verdict_value
    from ringfence.reach.advice import advice
    from ringfence.reach.decide import Answer, decide

    found = reading(files, kubeconfig, context)
    world, ends = found.world, (end_of(found.world, source, "FROM"), end_of(found.world, target, "TO"))
    asked = port_of(port, ends[1]) if port else None
    verdict = decide(world, *ends)
    steps, possible = advice(world, verdict, asked), _possible(world, verdict, asked)
    if output == "json":
        print_structured(verdict_value(verdict, asked, possible, steps, found.unknown), "json")
    else:
        _print_text(verdict, asked, possible, steps, found.unknown)
    code = {Answer.ALLOWED: 0, Answer.DENIED: BROKEN, Answer.UNKNOWN: UNKNOWN}[verdict.answer(asked)]
    raise typer.Exit(code or (UNKNOWN if found.unknown else 0))


def _possible(world: "World", verdict: "Verdict", port: "Port | None") -> "list[Path]":
    """For a denial: paths of other pods in the same namespaces, so that a forgotten label is seen."""
    from ringfence.reach.decide import Answer
    from ringfence.reach.paths import paths
    from ringfence.reach.world import Pod

    source, target = verdict.egress.end, verdict.ingress.end
    if verdict.answer(port) is not Answer.DENIED or not (isinstance(source, Pod) and isinstance(target, Pod)):
        return []
    found = paths(world, source.namespace, target.namespace)
    return [path for path in found if port is None or any(each.holds(port) for each in path.ports)]


def _print_text(
    verdict: "Verdict",
    port: "Port | None",
    possible: "list[Path]",
    steps: tuple[str, ...],
    unknown: tuple[str, ...],
) -> None:
    from ringfence.cli.reach.words import other_pods, side
    from ringfence.reach.ports import in_words

    question = f"{verdict.egress.end} -> {verdict.ingress.end} on {port or 'any port'}"
    print(printable(f"{verdict.answer(port)}: {question}"))
    lines = [side(verdict.egress, port), side(verdict.ingress, port)]
    if verdict.ports:
        lines.append(f"between them is open: {in_words(verdict.ports)}")
    lines += [f"other pods can: {other_pods(path)}" for path in possible]
    lines += [f"next: {step}" for step in steps]
    lines += [f"unknown: {doubt}" for doubt in unknown]
    for line in lines:
        print(printable(f"  {line}"))
