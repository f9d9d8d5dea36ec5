"""What is true of the cluster: its address ranges, its default storage class, what it serves, its name.

Law: what could not be read is unknown, and said so; an unknown range is never taken for an empty one.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from ringfence import names
from ringfence.engine.reflector import Key, key_of
from ringfence.gateway.served import Issuer
from ringfence.model.kinds import NODE, SERVICE_CIDR, STORAGE_CLASS, ResourceType
from ringfence.plan.enforcement import IN_FORCE, Enforcement
from ringfence.plan.images import SHIPPED, Images
from ringfence.plan.seen import CertificateIssuer, Facts, RateLimitService
from ringfence.ports.cluster import Object

DEFAULT_CLASS_ANNOTATION: Final = "storageclass.kubernetes.io/is-default-class"


@dataclass(frozen=True, slots=True)
class Ranges:
    """Address ranges in CIDR notation that the installation's settings name, beside what the cluster tells."""

    pods: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gateways:
    """What the installation's settings say of gateways."""

    images: Images = SHIPPED
    certificates: CertificateIssuer | None = None
    rate_limit_service: RateLimitService | None = None
    trusted_proxies: tuple[str, ...] = ()


UNSET: Final = Gateways()


class ClusterFacts:
    """Gathers facts from what reflectors see. Implements ``reflector.Store``."""

    def __init__(
        self,
        *,
        settings: Ranges,
        cluster_uid: Callable[[], str],
        changed: Callable[[], None],
        operator_namespace: str = names.OPERATOR_NAMESPACE,
        gateways: Gateways = UNSET,
    ) -> None:
        self._settings = settings
        self._gateways = gateways
        self._cluster_uid = cluster_uid
        self._changed = changed
        self._operator_namespace = operator_namespace
        self._known: dict[ResourceType, dict[Key, tuple[str, ...]]] = {}
        self._facts: Facts | None = None
        self._served: frozenset[ResourceType] = frozenset()
        self._enforcement = IN_FORCE
        self._issuer: Issuer | None = None

    def facts(self) -> Facts:
        """Return what is known now."""
        if self._facts is None or self._facts.cluster_uid != self._cluster_uid():
            self._facts = self._gathered()
        return self._facts

    def _gathered(self) -> Facts:
        ranges = {
            "services": (*self._settings.services, *self._values(SERVICE_CIDR)),
            "pods": (*self._settings.pods, *self._node_ranges("pods")),
            "nodes": (*self._settings.nodes, *self._node_ranges("nodes")),
        }
        return Facts(
            cluster_uid=self._cluster_uid(),
            operator_namespace=self._operator_namespace,
            served=self._served,
            protected_ranges=tuple(sorted({cidr for cidrs in ranges.values() for cidr in cidrs})),
            pod_ranges=tuple(sorted(set(ranges["pods"]))),
            unknown_ranges=tuple(name for name in ranges if not ranges[name] or self._incomplete(name)),
            default_storage_class=self._default_storage_class(),
            enforcement=self._enforcement,
            issuer=self._issuer,
            images=self._gateways.images,
            certificate_issuer=self._gateways.certificates,
            rate_limit_service=self._gateways.rate_limit_service,
            trusted_proxies=self._gateways.trusted_proxies,
        )

    def enforce(self, enforcement: Enforcement) -> None:
        """Note what is known of the admission policies by now."""
        if enforcement != self._enforcement:
            self._enforcement = enforcement
            self._facts = None
            self._changed()

    def vouch(self, issuer: Issuer) -> None:
        """Note who signs tokens, and with which keys."""
        if issuer != self._issuer:
            self._issuer = issuer
            self._facts = None
            self._changed()

    def _values(self, kind: ResourceType) -> tuple[str, ...]:
        return tuple(value for values in self._known.get(kind, {}).values() for value in values)

    def _node_ranges(self, which: str) -> tuple[str, ...]:
        prefix = f"{which}="
        return tuple(value.removeprefix(prefix) for value in self._values(NODE) if value.startswith(prefix))

    def _incomplete(self, which: str) -> bool:
        """Nodes without pod ranges (the network plugin hands them out itself) leave pods unknown without a setting."""
        if which != "pods" or self._settings.pods:
            return False
        return any(
            not any(value.startswith("pods=") for value in values) for values in self._known.get(NODE, {}).values()
        )

    def _default_storage_class(self) -> str | None:
        """Return the newest of the default classes, which is the one that the API server fills in."""
        defaults = [(values[0], name) for (_, name), values in self._known.get(STORAGE_CLASS, {}).items() if values]
        return max(defaults)[1] if defaults else None

    # --- reflector.Store

    def seen(self, kind: ResourceType, thing: Object) -> None:
        """Keep of a node, a service range or a storage class what facts are made of."""
        self._note(kind, {**self._known.get(kind, {}), key_of(thing): READERS[kind](thing)})

    def gone(self, kind: ResourceType, thing: Object) -> None:
        """Forget it."""
        self._note(kind, {key: value for key, value in self._known.get(kind, {}).items() if key != key_of(thing)})

    def listed(self, kind: ResourceType, keys: Set[Key], resource_version: int) -> None:
        """Forget what is not there any more."""
        self._note(kind, {key: value for key, value in self._known.get(kind, {}).items() if key in keys})

    def serves(self, kind: ResourceType, *, served: bool) -> None:
        """Note an optional type."""
        after = self._served | {kind} if served else self._served - {kind}
        if after != self._served:
            self._served = after
            self._facts = None
            self._changed()

    def _note(self, kind: ResourceType, after: dict[Key, tuple[str, ...]]) -> None:
        if after != self._known.get(kind, {}):
            self._known[kind] = after
            self._facts = None
            self._changed()


def _read_node(node: Object) -> tuple[str, ...]:
    spec, status = node.get("spec", {}), node.get("status", {})
    pods: Sequence[str] = spec.get("podCIDRs") or ([spec["podCIDR"]] if spec.get("podCIDR") else [])
    addresses = [
        address["address"]
        for address in status.get("addresses") or ()
        if address["type"] in ("InternalIP", "ExternalIP")
    ]
    return (*(f"pods={cidr}" for cidr in pods), *(f"nodes={_host_range(address)}" for address in addresses))


def _host_range(address: str) -> str:
    return f"{address}/128" if ":" in address else f"{address}/32"


def _read_service_range(service_range: Object) -> tuple[str, ...]:
    return tuple(service_range.get("spec", {}).get("cidrs") or ())


def _read_storage_class(storage_class: Object) -> tuple[str, ...]:
    metadata = storage_class["metadata"]
    is_default = (metadata.get("annotations") or {}).get(DEFAULT_CLASS_ANNOTATION) == "true"
    return (metadata.get("creationTimestamp", ""),) if is_default else ()


READERS: Final[Mapping[ResourceType, Callable[[Object], tuple[str, ...]]]] = {
    NODE: _read_node,
    SERVICE_CIDR: _read_service_range,
    STORAGE_CLASS: _read_storage_class,
}
