"""The gateway's pod: Envoy, and the collector that counts what passed.

Laws: it passes level Restricted, carries no token of the cluster, and sees of Secrets the gateway's certificate and the
providers' keys, by path. The collector is a sidecar in Kubernetes' sense: it is there before the first request and ends
after the last one is counted. Envoy ends as soon as it is told to, so it is told some time after callers were.

Kubernetes: "Sidecar Containers" (`restartPolicy: Always` of an init container, 1.33) and the `sleep` of `preStop`
(1.34), which needs no program in the image.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ringfence import names
from ringfence.gateway import command, overload
from ringfence.gateway.typed import ADMINISTRATION, CERTIFICATES, CONFIGURATION, KEYS, RUN
from ringfence.plan.place import Place

ENVOY: Final = "envoy"
COLLECTOR: Final = "collector"
LEAVING: Final = 25
"""Seconds that Envoy still serves when its pod is asked to end: nobody new finds it, and requests come to their end."""
GRACE: Final = 75
"""Seconds until nobody is asked any more: Envoy's, and as many for the operator to fetch the last counts."""
_USER: Final = 65532
_READ_BY_GROUP: Final = 0o440
_REGION: Final = "topology.kubernetes.io/region"
_SPREAD: Final = ("kubernetes.io/hostname", "topology.kubernetes.io/zone")

_POD_SECURITY: Final = {
    "runAsNonRoot": True,
    "runAsUser": _USER,
    "runAsGroup": _USER,
    "fsGroup": _USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_SECURITY: Final = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
# A request costs 0.4 ms of CPU.
_ENVOY_SIZE: Final = {
    "requests": {"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "64Mi"},
    "limits": {"memory": f"{overload.MEMORY_MIB}Mi", "ephemeral-storage": "512Mi"},
}
_COLLECTOR_SIZE: Final = {
    "requests": {"cpu": "20m", "memory": "64Mi", "ephemeral-storage": "16Mi"},
    "limits": {"memory": "192Mi", "ephemeral-storage": "64Mi"},
}
_LOG_SIZE: Final = "256Mi"
"""Of the access log and of what the collector keeps; the collector sees to it that it never fills."""
_SOCKET_SIZE: Final = "1Mi"


@dataclass(frozen=True, slots=True, order=True)
class KeyMount:
    """Where a provider's key is."""

    provider: str
    secret: str
    """Name of the Secret."""
    key: str
    """Key in the Secret."""


@dataclass(frozen=True, slots=True)
class Pod:
    """What differs between tenants."""

    envoy_image: str
    collector_image: str
    certificate: str
    """Name of the Secret with the gateway's certificate."""
    keys: tuple[KeyMount, ...] = ()
    regions: tuple[str, ...] = ()
    """Where it may run; anywhere when it is empty."""


def labels(place: Place) -> dict[str, str]:
    """What NetworkPolicies, the Service and the Deployment select it by, and what the fence knows it by."""
    return {**place.labels, names.GATEWAY_LABEL: "true"}


def template(place: Place, pod: Pod) -> dict[str, Any]:
    """The Deployment's `template`. Nothing in it changes with the configuration, which is swapped while it runs."""
    spec: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "containers": [_envoy(pod)],
        "enableServiceLinks": False,
        "initContainers": [_collector(pod)],
        "securityContext": _POD_SECURITY,
        "serviceAccountName": names.GATEWAY,
        "terminationGracePeriodSeconds": GRACE,
        "topologySpreadConstraints": [_spread(key) for key in _SPREAD],
        "volumes": list(_volumes(pod)),
    }
    if pod.regions:
        spec["affinity"] = _in_regions(pod.regions)
    return {"metadata": {"labels": labels(place)}, "spec": spec}


def _envoy(pod: Pod) -> dict[str, Any]:
    ready = {"httpGet": {"path": "/ready", "port": "metrics"}}
    return {
        "name": ENVOY,
        "image": pod.envoy_image,
        "args": command.arguments(),
        "lifecycle": {"preStop": {"sleep": {"seconds": LEAVING}}},
        "ports": [
            {"name": "https", "containerPort": names.GATEWAY_PORT, "protocol": "TCP"},
            {"name": "metrics", "containerPort": names.GATEWAY_METRICS_PORT, "protocol": "TCP"},
        ],
        "startupProbe": {**ready, "periodSeconds": 1, "failureThreshold": 60},
        "readinessProbe": {**ready, "periodSeconds": 5},
        # Not by /ready, which answers 503 while connections are drained.
        "livenessProbe": {"tcpSocket": {"port": "metrics"}, "periodSeconds": 10, "failureThreshold": 6},
        "resources": _ENVOY_SIZE,
        "securityContext": _SECURITY,
        "volumeMounts": [
            _mount("run", RUN, writable=True),
            _mount("administration", ADMINISTRATION, writable=True),
            _mount("config", CONFIGURATION),
            _mount("tls", CERTIFICATES),
            *(_mount(_key_volume(each), f"{KEYS}/{each.provider}") for each in sorted(pod.keys)),
        ],
    }


def _collector(pod: Pod) -> dict[str, Any]:
    return {
        "name": COLLECTOR,
        "image": pod.collector_image,
        "args": [
            "collect",
            *("--log", f"{RUN}/access.log"),
            *("--state", f"{RUN}/usage.db"),
            *("--port", str(names.GATEWAY_USAGE_PORT)),
            *("--certificates", CERTIFICATES),
        ],
        "restartPolicy": "Always",
        "ports": [{"name": "usage", "containerPort": names.GATEWAY_USAGE_PORT, "protocol": "TCP"}],
        # No readiness: a collector in trouble takes no request away, and what it did not count stays in the log.
        "livenessProbe": {"tcpSocket": {"port": "usage"}, "periodSeconds": 10, "failureThreshold": 6},
        "resources": _COLLECTOR_SIZE,
        "securityContext": _SECURITY,
        "volumeMounts": [_mount("run", RUN, writable=True), _mount("tls", CERTIFICATES)],
    }


def _mount(volume: str, path: str, *, writable: bool = False) -> dict[str, Any]:
    mount = {"name": volume, "mountPath": path}
    return mount if writable else {**mount, "readOnly": True}


def _volumes(pod: Pod) -> Iterable[dict[str, Any]]:
    yield {"name": "run", "emptyDir": {"sizeLimit": _LOG_SIZE}}
    yield {"name": "administration", "emptyDir": {"sizeLimit": _SOCKET_SIZE}}
    yield {"name": "config", "configMap": {"name": names.GATEWAY_FILES, "defaultMode": _READ_BY_GROUP}}
    yield {"name": "tls", "secret": {"secretName": pod.certificate, "defaultMode": _READ_BY_GROUP}}
    for each in sorted(pod.keys):
        items = [{"key": each.key, "path": "key"}]
        # A key that is missing is that provider's trouble, not the gateway's.
        secret = {"secretName": each.secret, "items": items, "optional": True, "defaultMode": _READ_BY_GROUP}
        yield {"name": _key_volume(each), "secret": secret}


def _key_volume(key: KeyMount) -> str:
    return f"key-{key.provider}"


def _spread(key: str) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {names.GATEWAY_LABEL: "true"}},
        "matchLabelKeys": ["pod-template-hash"],
    }


def _in_regions(regions: Iterable[str]) -> dict[str, Any]:
    """What `ringfence-pods` demands of every pod of a tenant with regions."""
    requirement = {"key": _REGION, "operator": "In", "values": sorted(regions)}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [requirement]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
