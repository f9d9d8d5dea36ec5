"""Which admission policies guard the cluster: as a watch tells, and in one digest for the record.

Law: policies are read, never written.
"""

import asyncio
from collections.abc import Mapping, Set
from typing import Any, Final

import orjson

from ringfence.admission.drift import Key
from ringfence.engine.reflector import Key as ObjectKey
from ringfence.lineage.canonical import digest
from ringfence.model.kinds import ResourceType
from ringfence.ports.cluster import NotFoundError, Object, Reader, RefusedError

GROUP: Final = "admissionregistration.k8s.io"
TYPES: Final = tuple(
    ResourceType(
        GROUP, "v1", f"{kind.lower()[:-1]}ies" if kind.endswith("y") else f"{kind.lower()}s", kind, namespaced=False
    )
    for kind in (
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
    )
)
PREFIX: Final = "ringfence-"
"""Of the names of all policies that Ringfence ships."""


async def policy_set_digest(reader: Reader) -> str:
    """Return the digest of Ringfence's policies as they are in the cluster."""
    specs: dict[str, Any] = {}
    for kind in TYPES:
        try:
            async for page in reader.pages(kind):
                for policy in page.items:
                    name = policy["metadata"]["name"]
                    if name.startswith(PREFIX):
                        specs[f"{kind.kind}/{name}"] = policy.get("spec")
        except (NotFoundError, RefusedError):
            continue  # an older server serves fewer types, and the record says what is there
    return digest(orjson.dumps(specs, option=orjson.OPT_SORT_KEYS))


class LivePolicies:
    """The specs of our policies and bindings as they are in the cluster. Implements ``reflector.Store``."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        """Set by every change; whoever looks clears it."""
        self._specs: dict[Key, Mapping[str, Any]] = {}
        self._served: set[str] = set()

    @property
    def specs(self) -> Mapping[Key, Mapping[str, Any]]:
        """By kind and name."""
        return self._specs

    @property
    def served(self) -> Set[str]:
        """Kinds that the API server has."""
        return self._served

    # --- reflector.Store

    def seen(self, kind: ResourceType, thing: Object) -> None:
        """Keep the spec of a policy or binding whose name is one of ours."""
        key, spec = Key(kind.kind, thing["metadata"]["name"]), thing.get("spec", {})
        if key.name.startswith(PREFIX) and self._specs.get(key) != spec:
            self._specs[key] = spec
            self.changed.set()

    def gone(self, kind: ResourceType, thing: Object) -> None:
        """Forget it."""
        if self._specs.pop(Key(kind.kind, thing["metadata"]["name"]), None) is not None:
            self.changed.set()

    def listed(self, kind: ResourceType, keys: Set[ObjectKey], resource_version: int) -> None:
        """Forget what is not there any more."""
        present = {name for _, name in keys}
        for key in [key for key in self._specs if key.kind == kind.kind and key.name not in present]:
            del self._specs[key]
            self.changed.set()

    def serves(self, kind: ResourceType, *, served: bool) -> None:
        """Note which kinds there are: older API servers have fewer."""
        if served != (kind.kind in self._served):
            self._served ^= {kind.kind}
            self.changed.set()
