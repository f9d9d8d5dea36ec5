"""`ringfence render`: what files mean, before anybody applies them: the revision that each ModelRoute would be.

Law: it is the name that the operator finds, from the same content; so Git can name what is promoted.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.files import expanded, read_text
from ringfence.cli.manifests import documents
from ringfence.cli.output import Format, print_columns, print_structured
from ringfence.cli.reach.sources import BROKEN, fail

if TYPE_CHECKING:
    from ringfence.model.subject import Subject

_HEADER = ("ROUTE", "MODEL", "REVISION")


def render(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Files or folders of YAML or JSON; - is standard input.")
    ],
    *,
    output: Annotated[Format, typer.Option("--output", "-o", help="How to print the result.")] = "text",
) -> None:
    """Print the revision of each ModelRoute in the files, which must have its Tenant, too.

    Exit codes: 0 all of them are told, 1 one can't be, 2 the command line is wrong.
    """
    subjects = [each for path in expanded(files) for each in _subjects(read_text(path))]
    revisions = list(_revisions(subjects))
    if output != "text":
        print_structured(revisions, output)
        return
    print_columns(_HEADER, [(each["route"], each["model"], each["revision"]) for each in revisions])


def _subjects(text: str) -> "Iterator[Subject[Any]]":
    """The custom resources in one file, those of a List too."""
    from ringfence.model.parse import parse
    from ringfence.model.registry import definition_of

    for document in documents(text):
        value = document.value if isinstance(document.value, dict) else {}
        items = value.get("items") if str(value.get("kind", "")).endswith("List") else [value]
        for each in items if isinstance(items, list) else ():
            if isinstance(each, dict) and definition_of(each.get("apiVersion"), each.get("kind")):
                yield parse(each)


def _revisions(subjects: "Sequence[Subject[Any]]") -> Iterator[dict[str, str]]:
    from ringfence.model.kinds import MODEL_ROUTE, TENANT
    from ringfence.plan.modelroute.revision import revision_of, unknown_providers

    tenants = {each.name: each.spec for each in subjects if each.ref.type == TENANT and each.spec is not None}
    for route in sorted((each for each in subjects if each.ref.type == MODEL_ROUTE), key=lambda each: each.ref):
        title, granted = f"{route.ref.namespace}/{route.name}", tenants.get(route.ref.namespace)
        if route.spec is None or granted is None:
            fail(BROKEN, f"ModelRoute {title}: it, or its Tenant, is not in the files or not valid; see `validate`")
        if missing := unknown_providers(route.spec, granted):
            fail(BROKEN, f"ModelRoute {title}: its Tenant has no provider {', '.join(missing)}")
        revision = revision_of(route.ref.namespace, route.spec, granted)
        if revision is not None:
            yield {"route": title, "model": route.spec.model, "revision": revision.name}
