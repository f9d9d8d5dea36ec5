"""The environment variables of a container, as its pod says.

Law: what a variable rests on is there, or the container is not started.
"""

from collections.abc import Mapping
from typing import Any

from ringfence.controlplane.node.api import Api
from ringfence.controlplane.node.network import own_address
from ringfence.controlplane.node.volumes import MissingError


async def variables(container: Mapping[str, Any], pod: Mapping[str, Any], api: Api) -> dict[str, str]:
    """Names and values. Raises MissingError, or RefusedError."""
    found = {}
    for entry in container.get("env", ()):
        source = entry.get("valueFrom")
        value = entry.get("value", "") if source is None else await _value(source, pod, api)
        if value is not None:
            found[entry["name"]] = value
    return found


async def _value(source: Mapping[str, Any], pod: Mapping[str, Any], api: Api) -> str | None:
    if "fieldRef" in source:
        return _field(source["fieldRef"]["fieldPath"], pod)
    if "configMapKeyRef" in source:
        return await _of_config_map(source["configMapKeyRef"], pod["metadata"]["namespace"], api)
    raise MissingError(f"variables of {', '.join(source)} are not known here")


def _field(path: str, pod: Mapping[str, Any]) -> str:
    if path == "status.podIP":
        return own_address()
    found: Any = pod
    for part in path.split("."):
        found = found[part]
    return str(found)


async def _of_config_map(wanted: Mapping[str, Any], namespace: str, api: Api) -> str | None:
    found = await api.find(f"/api/v1/namespaces/{namespace}/configmaps/{wanted['name']}")
    value: str | None = ((found or {}).get("data") or {}).get(wanted["key"])
    if value is None and not wanted.get("optional"):
        raise MissingError(f"configmaps {namespace}/{wanted['name']} with key {wanted['key']} is not there")
    return value
