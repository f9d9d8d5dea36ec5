"""Keys as the objects of a tenant declare them, and the accounts that stand for them.

Law: what may be issued is read from the cluster each time; the command line remembers nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringfence.cli.reach.sources import BROKEN, fail

if TYPE_CHECKING:
    from ringfence.adapters.kubernetes.calls import Calls
    from ringfence.model.namespace import GatewayKey, NamespaceSpec
    from ringfence.model.subject import Subject

NameArgument = Annotated[str, typer.Argument(metavar="KEY", help="Its name in spec.gatewayKeys of the Namespace.")]
NamespaceOption = Annotated[
    str, typer.Option("--namespace", "-n", help="The Namespace object that declares it, by its own name, such as dev.")
]


@dataclass(frozen=True, slots=True)
class Declared:
    """A gateway key of a Namespace object."""

    namespace: "Subject[NamespaceSpec]"
    entry: "GatewayKey"
    position: int
    """Where it stands in spec.gatewayKeys."""

    @property
    def title(self) -> str:
        """How people call it."""
        return f"key {self.entry.name} of {self.namespace.ref.namespace}/{self.namespace.name}"

    @property
    def account(self) -> str:
        """The path of its ServiceAccount."""
        from ringfence import names
        from ringfence.model.kinds import SERVICE_ACCOUNT

        core = names.core_namespace(self.namespace.ref.namespace, self.namespace.name)
        return SERVICE_ACCOUNT.path(core, names.gateway_key(self.entry.name))

    @property
    def prefix(self) -> str:
        """What the key begins with, by which people and scanners of secrets tell what it is."""
        from ringfence import names

        return names.gateway_key_prefix(live=self.entry.mode == "Live")

    @property
    def why_not(self) -> str:
        """What the Namespace says of itself, where its key has no ServiceAccount."""
        conditions = self.namespace.status.get("conditions", ())
        told = (each["message"] for each in conditions if each["type"] == "Ready" and each["status"] != "True")
        return next(told, "the operator did not make its ServiceAccount yet")


def find(calls: "Calls", tenant: str, namespace: str, name: str) -> Declared:
    """One key; ends the command where nobody declared it."""
    from ringfence.model.kinds import NAMESPACE

    raw = calls.get(NAMESPACE.path(tenant, namespace))
    if raw is None:
        fail(BROKEN, f"tenant {tenant} has no Namespace {namespace}")
    known = {each.entry.name: each for each in _of(raw)}
    if name not in known:
        declared = ", ".join(known) or "none"
        fail(BROKEN, f"Namespace {tenant}/{namespace} declares no key {name} in spec.gatewayKeys; declared: {declared}")
    return known[name]


def all_keys(calls: "Calls", tenant: str, namespace: str | None) -> list[Declared]:
    """Every key of the tenant, or of one of its Namespaces."""
    from ringfence.model.kinds import NAMESPACE

    found = (calls.get(NAMESPACE.collection_path(tenant)) or {"items": ()})["items"]
    chosen = [raw for raw in found if namespace in (None, raw["metadata"]["name"])]
    return [key for raw in chosen for key in _of(raw)]


def _of(raw: Mapping[str, Any]) -> Iterator[Declared]:
    from ringfence.model.kinds import NAMESPACE
    from ringfence.model.parse import parse

    subject = parse({**raw, "apiVersion": NAMESPACE.api_version, "kind": NAMESPACE.kind})
    for position, entry in enumerate(subject.spec.gateway_keys if subject.spec else ()):
        yield Declared(subject, entry, position)
