"""`ringfence generate`: every file of the repository that is made from code.

Law: a generated file is the text that a generator gives and nothing else; `--check` fails where one differs.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

Generator = Callable[[], Iterable[tuple[str, str]]]
"""Gives pairs of a path below the repository's root, and the file's text."""


def _crds() -> Iterable[tuple[str, str]]:
    from ringfence.cli.crds import crd_texts

    texts = crd_texts()
    yield from ((f"crds/{name}.yaml", text) for name, text in texts.items())
    # By this name kustomize finds it and `kubectl apply -f crds/` leaves it alone.
    yield "crds/Kustomization", "resources:\n" + "".join(f"- {name}.yaml\n" for name in texts)


def _editor_schemas() -> Iterable[tuple[str, str]]:
    from ringfence.model.editors import editor_schema
    from ringfence.model.kinds import GROUP, VERSION
    from ringfence.model.registry import DEFINITIONS

    for definition in DEFINITIONS:
        name = f"schemas/{GROUP}/{definition.resource.kind.lower()}_{VERSION}.json"
        yield name, json.dumps(editor_schema(definition), indent=1, ensure_ascii=False) + "\n"


def _reference() -> Iterable[tuple[str, str]]:
    from ringfence.model.reference import reference_page
    from ringfence.model.registry import DEFINITIONS

    for definition in DEFINITIONS:
        yield f"docs/reference/api/{definition.resource.kind.lower()}.md", reference_page(definition)


def _decisions() -> Iterable[tuple[str, str]]:
    from ringfence.plan.reference import reference_conditions
    from ringfence.plan.role_reference import reference_roles

    yield "docs/reference/conditions.md", reference_conditions()
    yield "docs/reference/roles.md", reference_roles()


def _gateways() -> Iterable[tuple[str, str]]:
    from ringfence.gateway.envoy_ai.differences import reference_data_planes
    from ringfence.gateway.fields import reference_fields

    yield "docs/reference/data-planes.md", reference_data_planes()
    yield "docs/reference/request-fields.md", reference_fields()


def _installation() -> Iterable[tuple[str, str]]:
    from ringfence.cli.grafana.files import dashboards
    from ringfence.cli.installation import chart_definitions, chart_notes, flows, roles
    from ringfence.cli.policies import policies

    yield from chart_notes()
    yield from dashboards()
    yield from chart_definitions()
    yield from roles()
    yield from flows()
    yield from policies()


GENERATORS: Final[tuple[Generator, ...]] = (_crds, _editor_schemas, _reference, _decisions, _gateways, _installation)


def outputs() -> Mapping[str, str]:
    """Every generated file: its path below the repository's root, and its text."""
    return dict(pair for generator in GENERATORS for pair in generator())


def generate(
    root: Annotated[Path, typer.Option(help="The repository.")] = Path(),
    *,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail where a file differs.")] = False,
) -> None:
    """Write the files of the repository that are made from code."""
    stale = {path: text for path, text in outputs().items() if _read(root / path) != text}
    for path, text in stale.items():
        typer.echo(f"{'differs' if check else 'written'}: {path}")
        if not check:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
    if check and stale:
        typer.echo("run `make generate` and commit the result", err=True)
        raise typer.Exit(1)


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
