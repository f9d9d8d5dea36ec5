"""Model frontends: where they run, and which port of their pods a Service leads to.

Law: a NetworkPolicy judges connections where they arrive, at a pod. A frontend is spoken to only while its Service says
at which port of which pods of its own Namespace that is; what is not known of it is open to nobody.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringfence import names
from ringfence.model.kinds import SERVICE, Ref
from ringfence.model.providers import ModelService
from ringfence.model.tenant import TenantSpec
from ringfence.plan.children.network_policies import PodPort
from ringfence.plan.plan import Finding
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Seen

_TCP: Final = "TCP"


def services(tenant: str, spec: TenantSpec) -> frozenset[Ref]:
    """The Services of all model frontends of a Tenant."""
    return frozenset(service_ref(tenant, each.service) for each in spec.providers if each.service)


def service_ref(tenant: str, service: ModelService) -> Ref:
    """The Service that a provider names."""
    return Ref(SERVICE, names.core_namespace(tenant, service.namespace), service.name)


def run_in(spec: TenantSpec, namespace: str) -> bool:
    """Whether model frontends run in the Namespace object of that name: it admits nobody but the gateway to them."""
    return any(_in(spec, namespace))


def pod_ports(tenant: str, spec: TenantSpec, namespace: str, seen: Seen) -> frozenset[PodPort]:
    """Ports of the pods of those frontends in a Namespace whose Services say where they lead to."""
    found = (pod_port(tenant, each, seen) for each in _in(spec, namespace))
    return frozenset(each for each in found if not isinstance(each, Finding))


def kept_from_peers(tenant: str, spec: TenantSpec, namespace: str, asked: frozenset[int], seen: Seen) -> frozenset[int]:
    """Those of the ``asked`` ports that frontends in a Namespace may be reached at.

    All of them where a Service is not there or leads to a port by name, which is another number in each pod.
    """
    found = [pod_port(tenant, each, seen) for each in _in(spec, namespace)]
    numbers = {each for each in found if isinstance(each, int)}
    return asked if any(not isinstance(each, int) for each in found) else asked & numbers


def pod_port(tenant: str, service: ModelService, seen: Seen) -> PodPort | Finding:
    """Where connections to a frontend arrive, or why nothing is sent to it.

    Of a Service without selector others say where it leads to, be it out of the cluster (Kubernetes: "Services without
    selectors"). A headless one is no more than names of pods: its `targetPort` is ignored (ServicePort, core/v1).
    """
    ref = service_ref(tenant, service)
    live = seen.services.get(ref)
    if live is None or live.deleting:
        return _refused(Reason.SERVICE_MISSING, f"there is no {ref}; make it, with port {service.port}")
    spec: Mapping[str, Any] = live.content.get("spec", {})
    if spec.get("type", "ClusterIP") != "ClusterIP" or not spec.get("selector"):
        return _refused(Reason.SERVICE_REFUSED, f"{ref} must be of type ClusterIP and select pods of its own namespace")
    port = next((each for each in spec.get("ports", ()) if _is(each, service.port)), None)
    if port is None:
        return _refused(Reason.SERVICE_MISSING, f"{ref} has no TCP port {service.port}; give it one")
    target: PodPort = service.port if spec.get("clusterIP") == "None" else port.get("targetPort") or service.port
    return target


def _is(port: Mapping[str, Any], number: int) -> bool:
    return (port["port"], port.get("protocol", _TCP)) == (number, _TCP)


def _in(spec: TenantSpec, namespace: str) -> Iterator[ModelService]:
    return (each.service for each in spec.providers if each.service and each.service.namespace == namespace)


def _refused(reason: Reason, message: str) -> Finding:
    return Finding(reason, message, ConditionType.ACCEPTED)
