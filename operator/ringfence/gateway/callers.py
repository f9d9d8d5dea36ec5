"""Who may come in at all: the tenant's namespaces, its keys, and the probe.

Law: judged by the verified token itself and not by what was noted of it, so that what chooses the route and what lets a
caller in are two things. A key's ServiceAccount comes in as that key only: by its uid, its prefix and its place.
"""

from collections.abc import Iterator
from typing import Final

from ringfence import names
from ringfence.gateway import addresses, identity
from ringfence.gateway.served import Gateway, Key, Probe
from ringfence.gateway.typed import CALLER_HEADER, HTTP, Json, named, typed

FILTER: Final = "ringfence.admitted"
_KEY_ACCOUNTS: Final = names.gateway_key("")


def nobody() -> Json:
    """The filter; it lets nobody in unless the routes say who may."""
    return named(FILTER, f"{HTTP}.rbac.v3.RBAC", rules={"action": "ALLOW"})


def admitted(gateway: Gateway) -> Json:
    """Who may, as the routes say it."""
    rules = {"action": "ALLOW", "policies": dict(_policies(gateway))}
    return typed(f"{HTTP}.rbac.v3.RBACPerRoute", rbac={"rules": rules})


def _policies(gateway: Gateway) -> Iterator[tuple[str, Json]]:
    if gateway.probe:
        yield "probe", _policy(gateway.probe.namespace, *_probe(gateway.probe))
    for namespace, callers in gateway.callers.items():
        yield f"workloads of {namespace}", _policy(namespace, *_workload())
        for key in callers.keys:
            yield f"key {key.name} of {namespace}", _policy(namespace, *_key(key, gateway.trusted_proxies))


def _policy(namespace: str, *wanted: Json) -> Json:
    told = {"header": {"name": CALLER_HEADER, "string_match": {"prefix": f"{namespace}/"}}}
    meant = _claimed(identity.NAMESPACE, {"exact": namespace})
    return {"permissions": [told], "principals": [{"and_ids": {"ids": [meant, *wanted]}}]}


def _probe(probe: Probe) -> Iterator[Json]:
    yield _claimed(identity.ACCOUNT, {"exact": probe.account})
    yield _came_as(identity.WORKLOAD)


def _workload() -> Iterator[Json]:
    yield {"not_id": _claimed(identity.ACCOUNT, {"prefix": _KEY_ACCOUNTS})}
    yield _came_as(identity.WORKLOAD)


def _key(key: Key, proxies: tuple[str, ...]) -> Iterator[Json]:
    yield _claimed(identity.ACCOUNT, {"exact": key.account})
    yield _claimed(identity.UID, {"exact": key.uid})
    yield _came_as(identity.LIVE if key.live else identity.TEST)
    if key.cidrs:
        yield from addresses.inside(key.cidrs, proxies)


def _came_as(kind: str) -> Json:
    return _metadata((kind, "alg"), {"present_match": True})


def _claimed(path: tuple[str, ...], match: Json) -> Json:
    return _metadata(path, {"string_match": match})


def _metadata(path: tuple[str, ...], value: Json) -> Json:
    matcher = {"filter": identity.JWT, "path": [{"key": key} for key in path], "value": value}
    return {"sourced_metadata": {"metadata_matcher": matcher, "metadata_source": "DYNAMIC"}}
