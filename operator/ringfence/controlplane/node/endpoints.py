"""Where the Services of pods are: an EndpointSlice for each pod of a Service.

Law: nothing is asked here. Pods share this machine's own address and differ by their ports: each has its own slice.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from ringfence.controlplane.node.network import own_address
from ringfence.controlplane.node.pod import Pod

_SERVICE: Final = "kubernetes.io/service-name"


def endpoint_slices(services: Iterable[Mapping[str, Any]], pods: Iterable[Pod]) -> Iterator[dict[str, Any]]:
    """The slices of all Services that select one of these pods (discovery.k8s.io/v1)."""
    running = list(pods)
    for service in services:
        for pod in running:
            if _selects(service, pod.manifest):
                yield _slice(service, pod)


def destinations(services: Collection[Mapping[str, Any]], slices: Iterable[Mapping[str, Any]]) -> Mapping[str, str]:
    """Every port of every Service by the name that pods use, and one ready endpoint, where there is one."""
    found = {f"{_host(each)}:{port['port']}": "" for each in services for port in each["spec"]["ports"]}
    numbers = {(_host(each), port.get("name", "")): port["port"] for each in services for port in each["spec"]["ports"]}
    for each in slices:
        host = f"{each['metadata']['labels'][_SERVICE]}.{each['metadata']['namespace']}.svc"
        (endpoint,) = each["endpoints"]
        for port in each["ports"] if endpoint["conditions"]["ready"] else ():
            found[f"{host}:{numbers[host, port['name']]}"] = f"{endpoint['addresses'][0]}:{port['port']}"
    return found


def _host(service: Mapping[str, Any]) -> str:
    return f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc"


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
            "labels": {_SERVICE: metadata["name"]},
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
