"""ExternalSecret objects: the External Secrets Operator fetches the value, Ringfence never sees it."""

from typing import Any

from ringfence.model.kinds import EXTERNAL_SECRET
from ringfence.model.references import ExternalSecretRef
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


def make(place: Place, name: str, source: ExternalSecretRef) -> Desired:
    """The order to keep Secret ``name`` equal to a value of the store."""
    spec: dict[str, Any] = {
        "secretStoreRef": {"kind": source.store.kind, "name": source.store.name},
        "target": {"name": name, "creationPolicy": "Owner", "deletionPolicy": "Retain"},
    }
    if source.property is None:
        spec["dataFrom"] = [{"extract": {"key": source.key}}]
    else:
        remote = {"key": source.key, "property": source.property}
        spec["data"] = [{"secretKey": source.property, "remoteRef": remote}]
    return place.child(EXTERNAL_SECRET, name, {"spec": spec})
