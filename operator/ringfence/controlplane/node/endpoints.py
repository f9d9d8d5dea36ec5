"""Where the Services of pods are: an EndpointSlice for each pod of a Service.

Law: pure. Pods share this machine's own address and differ by their ports, so none shares its slice with another.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ringfence.controlplane.node.network import own_address
from ringfence.controlplane.node.pod import Pod


def endpoint_slices(services: Iterable[Mapping[str, Any]], pods: Iterable[Pod]) -> Iterator[dict[str, Any]]:
    """The slices of all Services that select one of these pods (discovery.k8s.io/v1)."""
    running = list(pods)
    for service in services:
        for pod in running:
            if _selects(service, pod.manifest):
                yield _slice(service, pod)


def _slice(service: Mapping[str, Any], pod: Pod) -> dict[str, Any]:
    metadata, known = service["metadata"], pod.manifest["metadata"]
    target = {"kind": "Pod", "namespace": known["namespace"], "name": known["name"], "uid": known["uid"]}
    owner = {"apiVersion": "v1", "kind": "Service", "name": metadata["name"], "uid": metadata["uid"]}
    ending = "deletionTimestamp" in known
    conditions = {"ready": pod.ready and not ending, "terminating": ending}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{metadata['name']}-{known['uid'][:8]}",
            "namespace": metadata["namespace"],
            "labels": {"kubernetes.io/service-name": metadata["name"]},
            "ownerReferences": [{**owner, "controller": True}],
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [own_address()], "conditions": conditions, "targetRef": target}],
        "ports": list(_ports(service, pod)),
    }


def _ports(service: Mapping[str, Any], pod: Pod) -> Iterator[dict[str, Any]]:
    """Ports of the Service by their names, at the pod."""
    spec = pod.manifest["spec"]
    containers = [*spec.get("initContainers", ()), *spec["containers"]]
    named = {port.get("name"): port["containerPort"] for each in containers for port in each.get("ports", ())}
    for port in service["spec"]["ports"]:
        target = port.get("targetPort", port["port"])
        found = pod.ports.get(named.get(target, target))
        if found is not None:
            yield {"name": port.get("name", ""), "port": found, "protocol": "TCP"}


def _selects(service: Mapping[str, Any], pod: Mapping[str, Any]) -> bool:
    wanted: Mapping[str, str] = service["spec"].get("selector") or {}
    labels: Mapping[str, str] = pod["metadata"].get("labels") or {}
    here = service["metadata"]["namespace"] == pod["metadata"]["namespace"]
    return here and bool(wanted) and wanted.items() <= labels.items()
