"""`ringfence crds`: the CustomResourceDefinitions of this version."""

import typer


def crd_texts() -> dict[str, str]:
    """The CustomResourceDefinitions as YAML, by the plural of their kind."""
    from ringfence.model.crd import manifest
    from ringfence.model.registry import DEFINITIONS

    return {definition.resource.plural: manifest(definition) for definition in DEFINITIONS}


def crds() -> None:
    """Print the CustomResourceDefinitions, for `kubectl apply --server-side -f -`."""
    typer.echo("---\n".join(crd_texts().values()), nl=False)
