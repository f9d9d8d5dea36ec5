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
    from ringfence.reach.read import read

    return read(
        each for path in expanded(files) for value in _values(path, read_text(path)) for each in _objects(value)
    )


def _values(path: Path, text: str) -> Iterator[Any]:
    """The documents of a file; ends the command where one means something else than it seems to."""
    from ringfence.cli.manifests import documents

    if (value := _as_json(text)) is not None:
        yield value
        return
    for document in documents(text):
        for fault in document.faults:
            fail(UNKNOWN, f"{path}:{fault.line}: {fault.message}")
        yield document.value


def _as_json(text: str) -> Any:
    """What the text says as one JSON document; None where it is YAML. The dump of a large cluster is JSON for speed."""
    import orjson

    try:
        return orjson.loads(text) if text.startswith("{") else None
    except orjson.JSONDecodeError:
        return None


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
