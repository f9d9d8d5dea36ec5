"""How long a deleted policy is away, as another client of the API server sees it."""

import time
from collections.abc import Iterator, Sequence
from statistics import quantiles
from typing import Any

import kubernetes

from ringfence.cli.glass import delete_by_force
from ringfence.controlplane import ControlPlane
from ringfence.model.kinds import NETWORK_POLICY, Ref


def repair_times(plane: ControlPlane, namespaces: Sequence[str], policy: str) -> list[float]:
    """Delete `policy` in each namespace, one after another; milliseconds from its DELETED to its next ADDED event."""
    with kubernetes.config.new_client_from_config(str(plane.admin_kubeconfig)) as connection:
        api = kubernetes.client.NetworkingV1Api(connection)
        listed = api.list_network_policy_for_all_namespaces(limit=1).to_dict()
        stream = kubernetes.watch.Watch().stream(
            api.list_network_policy_for_all_namespaces,
            resource_version=listed["metadata"]["resource_version"],
            field_selector=f"metadata.name={policy}",
            timeout_seconds=300,
        )
        return [_away(plane, stream, namespace, policy) * 1000 for namespace in namespaces]


def percentiles(times: Sequence[float]) -> tuple[float, float]:
    """The median and the 95th percentile."""
    cuts = quantiles(times, n=20, method="inclusive")
    return cuts[9], cuts[18]


def _away(plane: ControlPlane, stream: Iterator[dict[str, Any]], namespace: str, policy: str) -> float:
    delete_by_force(plane.admin, Ref(NETWORK_POLICY, namespace, policy))
    _await(stream, namespace, "DELETED")
    gone = time.perf_counter()
    _await(stream, namespace, "ADDED")
    return time.perf_counter() - gone


def _await(stream: Iterator[dict[str, Any]], namespace: str, kind: str) -> None:
    for event in stream:
        if event["type"] == kind and event["object"].metadata.namespace == namespace:
            return
    raise TimeoutError(f"no {kind} event of {namespace}: the policy was not repaired")
