"""ExternalSecret objects: the External Secrets Operator fetches the value, Ringfence never sees it."""

from typing import Any

from ringfence.model.kinds import EXTERNAL_SECRET
from ringfence.model.references import ExternalSecretRef
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


def make(place: Place, name: str, source: ExternalSecretRef) -> Desired:
    """The order to keep Secret ``name`` equal to a value of the store."""
    if source.property is None:
        return _order(place, name, source, {"dataFrom": [{"extract": {"key": source.key}}]})
    return _order(place, name, source, {"data": [_one(source, source.property)]})


def make_key(place: Place, name: str, source: ExternalSecretRef, key: str) -> Desired:
    """The order to keep ``key`` of Secret ``name`` equal to one value of the store."""
    return _order(place, name, source, {"data": [_one(source, key)]})


def _one(source: ExternalSecretRef, key: str) -> dict[str, Any]:
    remote = {"key": source.key} | ({"property": source.property} if source.property else {})
    return {"secretKey": key, "remoteRef": remote}


def _order(place: Place, name: str, source: ExternalSecretRef, asked: dict[str, Any]) -> Desired:
    spec = {
        "secretStoreRef": {"kind": source.store.kind, "name": source.store.name},
        "target": {"name": name, "creationPolicy": "Owner", "deletionPolicy": "Retain"},
        **asked,
    }
    return place.child(EXTERNAL_SECRET, name, {"spec": spec})
