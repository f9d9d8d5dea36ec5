"""`ringfence demo`: the whole path on this machine, from `kubectl apply` to a verified record.

Law: every claim is measured while you watch, and a claim that does not hold ends the demo with exit code 1.
"""

import signal
from pathlib import Path
from typing import Annotated, Final

import typer

_BROKEN: Final = 1  # exit codes
_USAGE: Final = 2
_UNREACHABLE: Final = 3
_INTERRUPTED: Final = 128 + signal.SIGINT


def demo(
    keep: Annotated[bool, typer.Option("--keep", envvar="KEEP", help="Keep everything running until Ctrl-C.")] = False,
) -> None:
    """Show two tenants from kubectl apply to a verified log, on a control plane of its own."""
    from ringfence.cli.demo.narrator import Narrator
    from ringfence.cli.demo.promise import BrokenPromiseError
    from ringfence.cli.demo.story import tell
    from ringfence.controlplane import ControlPlaneError

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    narrator = Narrator()
    try:
        tell(narrator, _repository(), keep=keep)
    except BrokenPromiseError as error:
        narrator.broken(str(error))
        raise typer.Exit(_BROKEN) from None
    except ControlPlaneError as error:
        narrator.broken(str(error))
        raise typer.Exit(_UNREACHABLE) from None
    except KeyboardInterrupt:
        narrator.say("interrupted; everything is taken down")
        raise typer.Exit(_INTERRUPTED) from None


def _repository() -> Path:
    """The checkout that holds manifests/: the one this package is installed from, or the current folder."""
    for folder in (Path(__file__).parents[4], Path.cwd()):
        if (folder / "manifests" / "install").is_dir():
            return folder
    typer.echo(f"error: {Path.cwd()} has no manifests/install: run this in a clone of the repository", err=True)
    raise typer.Exit(_USAGE)
