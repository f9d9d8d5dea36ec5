"""The command line: a table of commands, each imported only when it is asked for.

Law: `ringfence --help` imports nothing that it does not print.
"""

import difflib
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

USAGE: Final = 2
"""Exit code of a command line that makes no sense."""


class Command(NamedTuple):
    """Where a command is: a typer application, or a function that becomes one."""

    module: str
    attribute: str
    summary: str


COMMANDS: Final = {
    "run": Command("ringfence.cli.run", "run", "Run the operator."),
    "demo": Command(
        "ringfence.cli.demo", "demo", "See the whole path on a control plane of its own, then take it down."
    ),
    "check": Command("ringfence.cli.check", "check", "Say whether an installation holds, or would."),
    "validate": Command("ringfence.cli.validate", "validate", "Check files before anyone applies them."),
    "verify": Command("ringfence.cli.reach.verify", "verify", "Find every way across a tenant's fence."),
    "explain-deny": Command(
        "ringfence.cli.reach.explain", "explain_deny", "Say why one may not connect to another, and what would open it."
    ),
    "usage": Command("ringfence.cli.usage.command", "usage", "Tell how much was used of models."),
    "collect": Command("ringfence.cli.collect", "collect", "Count a gateway's requests, beside it in its pod."),
    "lineage": Command("ringfence.cli.lineage", "app", "Read and verify the record."),
    "evidence": Command("ringfence.cli.evidence.command", "evidence", "Tell what the record has of an incident."),
    "key": Command("ringfence.cli.key", "app", "Issue, list and revoke keys of the gateway."),
    "promote": Command("ringfence.cli.route.promote", "promote", "Let an environment serve another revision."),
    "approve": Command("ringfence.cli.route.approve", "approve", "Approve what somebody else promoted."),
    "rollback": Command("ringfence.cli.route.promote", "rollback", "Go back to what an environment served before."),
    "trace": Command("ringfence.cli.route.trace", "trace", "Tell what served when, and by whose word."),
    "render": Command("ringfence.cli.render", "render", "Print the revisions that files would make."),
    "envoy-ai": Command(
        "ringfence.cli.envoy_ai.command", "envoy_ai", "Print a tenant's gateway as resources of Envoy AI Gateway."
    ),
    "crds": Command("ringfence.cli.crds", "crds", "Print the custom resource definitions."),
    "generate": Command(
        "ringfence.cli.generate", "generate", "Write every file of the repository that is made from code."
    ),
    "dev": Command("ringfence.cli.dev", "app", "Run a Kubernetes control plane on this machine."),
}


def main() -> None:
    """Run the command that the arguments name."""
    program = Path(sys.argv[0]).name.replace("kubectl-", "kubectl ").replace("__main__.py", "ringfence")
    sys.exit(dispatch(program, sys.argv[1:]))


def dispatch(program: str, arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview(program))
        return 0 if arguments else USAGE
    if arguments[0] in ("-V", "--version", "version"):
        from ringfence import __version__

        print(f"ringfence {__version__}")
        return 0
    name, *rest = arguments
    if name not in COMMANDS:
        print(_unknown(program, name), file=sys.stderr)
        return USAGE
    return _call(f"{program} {name}", COMMANDS[name], rest)


def overview(program: str) -> str:
    """Return the help of the whole program."""
    width = max(map(len, COMMANDS))
    lines = (f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items())
    return "\n".join(
        (
            f"Usage: {program} COMMAND [OPTIONS]",
            "",
            "Fenced namespaces for the tenants of AI platforms, and a record that anyone can verify.",
            "",
            *lines,
            "",
            f"`{program} COMMAND --help` says more; `{program} --version` which version this is.",
        )
    )


def _unknown(program: str, name: str) -> str:
    close = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"`{program} --help` lists the commands."
    return f"{program}: no command {name!r}; {hint}"


def _call(program: str, command: Command, arguments: Sequence[str]) -> int:
    import typer

    app = getattr(import_module(command.module), command.attribute)
    if not isinstance(app, typer.Typer):
        function, app = app, typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        app.command()(function)
    code = typer.main.get_command(app).main(args=list(arguments), prog_name=program, standalone_mode=True)
    return code if isinstance(code, int) else 0
