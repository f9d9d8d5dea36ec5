"""The sample tenants in a simulated cluster, and what may happen to them."""

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final

import yaml

from ringfence.model.kinds import NAMESPACE, TENANT, Ref
from tests.objects import SAMPLES, service
from tests.simulation import Simulation

ACME: Final = Ref(TENANT, "", "acme")
GLOBEX: Final = Ref(TENANT, "", "globex")
WEB: Final = Ref(NAMESPACE, "acme", "web")
DATA: Final = Ref(NAMESPACE, "acme", "data")

Change = Callable[[Simulation], None]


def applied() -> Simulation:
    """The samples as `kubectl apply` leaves them, before Ringfence looked."""
    world = Simulation()
    for path in sorted(SAMPLES.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            world.put(document)
    return world


def settled() -> Simulation:
    """The samples after Ringfence did all its work, and their models came up."""
    world = applied()
    world.settle()
    models_come_up(world)
    world.settle()
    return world


def models_come_up(world: Simulation) -> None:
    """The Services of the samples' model frontends, at other ports than their pods."""
    world.put(service("acme-models", "llama", 8000, 8080))
    world.put(service("globex-dev", "mistral", 8000, "http"))


def edit(ref: Ref, spec: Mapping[str, Any]) -> Change:
    """The change that replaces these fields of an object's spec."""

    def change(world: Simulation) -> None:
        edited = copy.deepcopy(world.objects[ref])
        edited["spec"] |= copy.deepcopy(dict(spec))
        world.put(edited)

    return change


def delete(ref: Ref) -> Change:
    """The change that deletes an object."""
    return lambda world: world.delete(ref)


def annotate(ref: Ref, **annotations: str) -> Change:
    """The change that sets annotations of ours; the names are without prefix, with underscores for hyphens."""
    spelled = {f"ringfence.dev/{name.replace('_', '-')}": text for name, text in annotations.items()}
    return lambda world: world.annotate(ref, spelled)


def both(*changes: Change) -> Change:
    """Several changes, one after the other."""

    def change(world: Simulation) -> None:
        for each in changes:
            each(world)

    return change
