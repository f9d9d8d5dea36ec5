"""`ringfence check`: whether an installation holds, and before it, whether it would."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from ringfence.cli.reach.sources import ContextOption, KubeconfigOption

if TYPE_CHECKING:
    from ringfence.cli.check.finding import Finding

BROKEN: Final = 1


def check(
    *,
    pre: Annotated[
        bool, typer.Option("--pre", help="Before an install: rights, clashes, what the cluster lacks.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail for warnings, too.")] = False,
    network: Annotated[
        bool,
        typer.Option(
            "--network", help="See whether NetworkPolicies are enforced, by two pods in a namespace of their own."
        ),
    ] = False,
    live: Annotated[
        str,
        typer.Option(
            "--live",
            metavar="TENANT/ROUTE",
            help="See instead whether a provider answers on this route, by one request that costs money.",
        ),
    ] = "",
    as_key: Annotated[
        str, typer.Option(metavar="NAMESPACE/KEY", help="With --live: the gateway key that asks, such as dev/ci.")
    ] = "",
    gateway: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="With --live: where the gateway is reached; else by its own name.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --live: don't ask whether to pay.")] = False,
    ledger: Annotated[
        str, typer.Option(envvar="RINGFENCE_LEDGER", help="Look at these records, too: sqlite:///DIRECTORY.")
    ] = "",
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    output: Annotated[
        Literal["text", "json"], typer.Option("--output", "-o", help="How to print the result.")
    ] = "text",
) -> None:
    """Say whether the installation holds: what the API server has, what is installed, and that policies refuse.

    Policies are asked for refusals, as the canary and as the operator, whom an administrator may impersonate; nothing
    is changed, but for --network. Run it again in the operator's pod to see its own rights and its ledger.

    With --live nothing else is checked: a new key of ten minutes asks for one token along the route, as a caller of the
    tenant's would. It is counted in the tenant's usage and paid for by the tenant.

    Exit codes: 0 nothing failed, 1 something failed (with --strict, or somebody should know something), 2 the command
    line is wrong.
    """
    from ringfence.cli.check.finding import is_bad

    if live and (pre or network):
        raise typer.BadParameter("--live goes with neither --pre nor --network")
    if live:
        found = [_live(live, as_key, gateway, kubeconfig, context, yes=yes)]
    elif as_key or gateway or yes:
        raise typer.BadParameter("--as-key, --gateway and --yes go with --live only")
    else:
        from ringfence.cli.check.rounds import look

        found = look(kubeconfig, context, pre=pre, ledger=ledger, probe_network=network)
    _print(found, output)
    if is_bad(found, strict=strict):
        raise typer.Exit(BROKEN)


def _live(route: str, key: str, gateway: str, kubeconfig: Path | None, context: str | None, *, yes: bool) -> "Finding":
    from ringfence.cli.check.live import Wish, live

    return live(Wish(route, key, gateway, sure=yes), kubeconfig, context)


def _print(found: "list[Finding]", output: Literal["text", "json"]) -> None:
    from ringfence.cli.output import print_structured, printable

    if output == "json":
        print_structured([each.value for each in found], "json")
        return
    width = max(len(each.check) for each in found)
    for each in found:
        step = f"  → {each.step}" if each.step else ""
        print(printable(f"{each.grade.sign} {each.check:<{width}}  {each.words}{step}"))
