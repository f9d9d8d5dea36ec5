"""Where the replicas of each tenant's gateway are, and by what they are known.

Laws: an EndpointSlice is written by the cluster; what it names is asked, and judged by what it answers. Only those in a
tenant's home namespace count, where nobody makes Services but the operator: elsewhere a Service of the gateway's name
leads to wherever its author likes.
"""

import asyncio
from collections.abc import Iterator, Mapping, Set
from typing import Final

from ringfence import names
from ringfence.engine.reflector import Key, key_of
from ringfence.model.kinds import CONFIG_MAP, TENANT, Ref, ResourceType
from ringfence.plan.ownership import owns
from ringfence.plan.seen import AnySubject, Live, View
from ringfence.ports.cluster import Object
from ringfence.ports.usage import Replica, Trust

SELECTOR: Final = f"{names.SERVICE_NAME_LABEL}={names.GATEWAY}"
"""Of the EndpointSlices of gateways' Services: the label is the API's own (discovery.k8s.io/v1)."""
MOST_REPLICAS: Final = 64
"""Of one gateway: as many as a Tenant may ask for (20), those that a rollout puts beside them, and those that end."""
_PORT: Final = "usage"
"""Of the Service: its collectors'."""
_GATEWAY: Final = "https"
_METRICS: Final = "metrics"


def trust_of(home: str, live: Mapping[Ref, Live]) -> Trust:
    """By what the replicas in a home namespace are known: the authority that its workloads are told of."""
    told = live.get(Ref(CONFIG_MAP, home, names.GATEWAY_CONFIG_MAP))
    authority = told.content.get("data", {}).get(names.AUTHORITY, "") if told else ""
    return Trust(f"{names.GATEWAY}.{home}.svc", str(authority))


class Endpoints:
    """Replicas by home namespace. Implements ``reflector.Store``."""

    def __init__(self, view: View) -> None:
        """``view`` tells whose a namespace is."""
        self._view = view
        self._slices: dict[str, dict[str, tuple[Replica, ...]]] = {}
        self._replicas: dict[str, tuple[Replica, ...]] = {}
        """Of every home that has any: it is asked for many times between two changes."""
        self.ending = asyncio.Event()
        """Set when a replica was told to end; who waits for it clears it."""

    def of(self, home: str) -> tuple[Replica, ...]:
        """Return the replicas of the gateway in a home namespace, by name; of too many, the first."""
        return self._replicas.get(home, ())

    def tenant(self, home: str) -> AnySubject | None:
        """Return the Tenant whose home namespace that is; None for every other namespace, however it is named."""
        tenant = self._view.subject(Ref(TENANT, "", home))
        ours = tenant is not None and owns(self._view.core_namespace(home), tenant.name, tenant.meta.uid)
        return tenant if ours else None

    def homes(self, *, ending: bool = False) -> frozenset[str]:
        """Return the home namespaces that have a replica, or one that is ``ending``."""
        return frozenset(
            home
            for home, replicas in self._replicas.items()
            if (not ending or any(each.ending for each in replicas)) and self.tenant(home)
        )

    def seen(self, kind: ResourceType, thing: Object) -> None:
        """Note a slice."""
        home, name = key_of(thing)
        self._slices.setdefault(home, {})[name] = replicas = tuple(_replicas(thing))
        self._index(home)
        if any(each.ending for each in replicas):
            self.ending.set()

    def gone(self, kind: ResourceType, thing: Object) -> None:
        """Forget it."""
        home, name = key_of(thing)
        self._slices.get(home, {}).pop(name, None)
        self._index(home)

    def listed(self, kind: ResourceType, keys: Set[Key], resource_version: int) -> None:
        """Forget what is not there any more."""
        for home, slices in tuple(self._slices.items()):
            self._slices[home] = {name: group for name, group in slices.items() if (home, name) in keys}
            self._index(home)

    def _index(self, home: str) -> None:
        found = {each.name: each for group in self._slices.get(home, {}).values() for each in group}
        self._replicas[home] = tuple(found[name] for name in sorted(found)[:MOST_REPLICAS])
        if not found:
            del self._replicas[home]
            self._slices.pop(home, None)

    def serves(self, kind: ResourceType, *, served: bool) -> None:
        """Nothing follows from it: every API server serves the type."""


def _replicas(thing: Object) -> Iterator[Replica]:
    ports = {each.get("name"): each["port"] for each in thing.get("ports") or ()}
    for endpoint in (thing.get("endpoints") or ()) if _PORT in ports else ():
        target: Mapping[str, str] = endpoint.get("targetRef") or {}
        address = endpoint["addresses"][0]
        conditions: Mapping[str, bool | None] = endpoint.get("conditions") or {}
        ending = bool(conditions.get("terminating"))
        name, others = target.get("name", address), (ports.get(_GATEWAY, 0), ports.get(_METRICS, 0))
        # "nil should be interpreted as true" (discovery.k8s.io/v1, EndpointConditions).
        yield Replica(name, address, ports[_PORT], ending, *others, ready=conditions.get("ready") is not False)
