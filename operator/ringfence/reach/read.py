"""From manifests, of a cluster or of files, to a world.

Law: nothing is dropped silently: what would change the answer and can't be judged is named in ``unknown``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any, Final, TypeVar

from ringfence.model.kinds import CORE_NAMESPACE, NETWORK_POLICY, NODE, POD, TENANT, ResourceType
from ringfence.model.parse import parse
from ringfence.reach.addresses import Network
from ringfence.reach.declared import Declaration
from ringfence.reach.policies import Policy
from ringfence.reach.ports import Names
from ringfence.reach.world import NAME_LABEL, Namespace, Pod, World

Manifest = Mapping[str, Any]
T = TypeVar("T")

READ: Final = (CORE_NAMESPACE, NETWORK_POLICY, POD, NODE, TENANT)
"""The kinds that decide who reaches whom."""

OTHER_POLICIES: Final[Mapping[str, frozenset[str]]] = {
    "policy.networking.k8s.io": frozenset({"AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"}),
    "cilium.io": frozenset({"CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"}),
    "crd.projectcalico.org": frozenset({"NetworkPolicy", "GlobalNetworkPolicy"}),
    "projectcalico.org": frozenset({"NetworkPolicy", "GlobalNetworkPolicy"}),
    "crd.antrea.io": frozenset({"NetworkPolicy", "ClusterNetworkPolicy"}),
}
"""Kinds by API group that network plugins enforce beside NetworkPolicies, and that may open what those close."""

_ENDED: Final = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Reading:
    """The world that some manifests describe."""

    world: World
    declarations: Mapping[str, Declaration]
    unknown: tuple[str, ...] = ()


def read(manifests: Iterable[Manifest]) -> Reading:
    """Sort the manifests of the kinds that matter into a world; the others are passed over."""
    reader = _Reader()
    for manifest in manifests:
        reader.take(manifest)
    return reader.reading()


@dataclass
class _Reader:
    by_kind: dict[tuple[str, str], dict[str, Manifest]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def take(self, manifest: Manifest) -> None:
        """Keep a manifest; the last one of an object counts, as it does for kubectl."""
        api_version, kind = str(manifest.get("apiVersion")), str(manifest.get("kind"))
        key = _name(manifest)
        found = self.by_kind.setdefault((api_version, kind), {})
        if key in found:
            self.unknown.append(f"{kind} {key} is there twice: the last one was judged")
        found[key] = manifest
        if kind in OTHER_POLICIES.get(api_version.partition("/")[0], ()):
            self.unknown.append(f"{kind} {key} ({api_version}) may open what NetworkPolicies close")

    def reading(self) -> Reading:
        """Everything that was taken."""
        namespaces = {each.name: each for each in self._parsed(CORE_NAMESPACE, _namespace)}
        pods = [pod for pod in self._parsed(POD, _pod) if pod is not None]
        ranges = {network for networks in self._parsed(NODE, _pod_ranges) for network in networks}
        policies = list(self._parsed(NETWORK_POLICY, Policy.parse))
        world = World(namespaces, _by_namespace(policies), _by_namespace(pods), tuple(sorted(ranges, key=str)))
        return Reading(world, dict(self._declarations()), tuple(self.unknown))

    def _parsed(self, kind: ResourceType, parse_one: Callable[[Manifest], T]) -> Iterator[T]:
        for manifest in self._of(kind):
            try:
                yield parse_one(manifest)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                self.unknown.append(f"{kind.kind} {_name(manifest)} can't be read: {error}")

    def _of(self, kind: ResourceType) -> Iterable[Manifest]:
        return self.by_kind.get((kind.api_version, kind.kind), {}).values()

    def _declarations(self) -> Iterator[tuple[str, Declaration]]:
        for manifest in self._of(TENANT):
            subject = parse(manifest)
            if subject.spec is None:
                problems = "; ".join(f"{each.field} {each.message}" for each in subject.problems)
                self.unknown.append(f"Tenant {subject.name} can't be read: {problems}")
            else:
                yield subject.name, Declaration(subject.meta.uid, subject.spec.network)


def _by_namespace(things: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for thing in things:
        found.setdefault(thing.namespace, []).append(thing)
    return found


def _name(manifest: Manifest) -> str:
    metadata = manifest.get("metadata")
    if not isinstance(metadata, Mapping):
        return ""
    return "/".join(str(part) for part in (metadata.get("namespace"), metadata.get("name")) if part)


def _namespace(manifest: Manifest) -> Namespace:
    metadata = manifest["metadata"]
    return Namespace(metadata["name"], {**(metadata.get("labels") or {}), NAME_LABEL: metadata["name"]})


def _pod_ranges(node: Manifest) -> list[Network]:
    return [ip_network(each) for each in (node.get("spec") or {}).get("podCIDRs") or ()]


def _pod(manifest: Manifest) -> Pod | None:
    """None for a pod that has ended: its address may be another's."""
    metadata, spec, status = manifest["metadata"], manifest.get("spec") or {}, manifest.get("status") or {}
    if status.get("phase") in _ENDED:
        return None
    addresses = tuple(ip_address(each["ip"]) for each in status.get("podIPs") or () if each.get("ip"))
    return Pod(
        namespace=metadata.get("namespace") or "default",
        labels=metadata.get("labels") or {},
        name=metadata["name"],
        addresses=addresses,
        host_network=bool(spec.get("hostNetwork")),
        ports=_port_names(spec),
    )


def _port_names(spec: Manifest) -> Names:
    names: dict[tuple[str, str], frozenset[int]] = {}
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        for port in container.get("ports") or ():
            if name := port.get("name"):
                key = name, port.get("protocol") or "TCP"
                names[key] = names.get(key, frozenset()) | {port["containerPort"]}
    return names
