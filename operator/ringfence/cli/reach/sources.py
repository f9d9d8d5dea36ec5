"""Where the objects come from: a cluster, or files that somebody rendered or dumped."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

if TYPE_CHECKING:
    from ringfence.adapters.kubernetes.lists import Lists
    from ringfence.reach.read import Reading

BROKEN: Final = 1
USAGE: Final = 2
UNKNOWN: Final = 3

FilesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--from",
        metavar="FILE|DIR",
        help="Read manifests, dumped or rendered, instead of a cluster; may be repeated; - is standard input.",
    ),
]
KubeconfigOption = Annotated[
    Path | None,
    typer.Option(envvar="RINGFENCE_KUBECONFIG", help="The kubeconfig; kubectl's own default where it is left out."),
]
ContextOption = Annotated[str | None, typer.Option(help="A context of the kubeconfig.")]


def reading(files: list[Path] | None, kubeconfig: Path | None, context: str | None) -> "Reading":
    """What the files or the cluster say; ends the command where neither can be read."""
    if files and context:
        raise typer.BadParameter("--from goes with neither --kubeconfig nor --context")
    return _of_files(files) if files else _of_cluster(kubeconfig, context)


def fail(code: int, message: str) -> NoReturn:
    """Say why on standard error and end with ``code``."""
    typer.echo(f"ringfence: {message}", err=True)
    raise typer.Exit(code)


def _of_files(files: list[Path]) -> "Reading":
    from ringfence.cli.files import expanded, read_text
    from ringfence.cli.manifests import Document, documents
    from ringfence.reach.read import read

    texts = [(path, read_text(path)) for path in expanded(files)]
    found: list[tuple[Path, Document]] = [(path, each) for path, text in texts for each in documents(text)]
    if faults := [f"{path}:{fault.line}: {fault.message}" for path, each in found for fault in each.faults]:
        fail(UNKNOWN, "not judged, because the files mean something else than they seem to: " + "; ".join(faults))
    return read(manifest for _, each in found for manifest in _objects(each.value))


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """The object of a document, or those of a List."""
    if isinstance(value, dict):
        items = value.get("items")
        if str(value.get("kind", "")).endswith("List") and isinstance(items, list):
            yield from (item for item in items if isinstance(item, dict))
        else:
            yield value


def _of_cluster(kubeconfig: Path | None, context: str | None) -> "Reading":
    from ringfence.adapters.kubernetes.lists import ListError, connected
    from ringfence.reach.read import read

    try:
        with connected(kubeconfig, context) as lists:
            return read(_listed(lists))
    except ListError as error:
        fail(UNKNOWN, str(error))


def _listed(lists: "Lists") -> Iterator[Mapping[str, Any]]:
    from ringfence.reach.read import OTHER_POLICIES, READ

    for kind in READ:
        yield from lists.of(kind)
    for group, kinds in OTHER_POLICIES.items():
        for served in lists.kinds(group):
            if served.kind in kinds:
                yield from lists.of(served)
