"""How long something that was deleted stays away, as anyone who watches sees it."""

import http.client
import json
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ringfence.adapters.kubernetes.config import from_kubeconfig
from ringfence.cli.demo.promise import BrokenPromiseError
from ringfence.cli.glass import delete_by_force
from ringfence.controlplane import ControlPlane
from ringfence.model.kinds import NETWORK_POLICY, Ref

_PATIENCE: Final = 30  # seconds


def milliseconds_until_back(plane: ControlPlane, namespace: str, policy: str) -> float:
    """Delete a NetworkPolicy by force; return the time from sending the requests until a watch shows it again."""
    path = NETWORK_POLICY.collection_path(namespace)
    version = plane.admin.get(path).must()["metadata"]["resourceVersion"]
    connection = _connection(plane.admin_kubeconfig)
    try:
        connection.request("GET", f"{path}?watch=true&resourceVersion={version}&timeoutSeconds={_PATIENCE}")
        events = connection.getresponse()
        sent = time.monotonic()
        delete_by_force(plane.admin, Ref(NETWORK_POLICY, namespace, policy))
        for line in events:
            event = json.loads(line)
            if event["type"] == "ADDED" and event["object"]["metadata"]["name"] == policy:
                return (time.monotonic() - sent) * 1000
    finally:
        connection.close()
    raise BrokenPromiseError(f"NetworkPolicy {policy} did not come back to {namespace} within {_PATIENCE} s")


def _connection(kubeconfig: Path) -> http.client.HTTPSConnection:
    """A connection of its own, which stays open for a watch."""
    target = from_kubeconfig(kubeconfig)
    return http.client.HTTPSConnection(urlsplit(target.server).netloc, context=target.tls, timeout=_PATIENCE)
