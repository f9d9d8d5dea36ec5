"""Two pods on a real cluster, with the operator's own image: wherever Ringfence runs, it can be pulled.

Law: they fulfil the restricted standard, know no token, and end by themselves.
"""

import secrets
import time
from collections.abc import Mapping
from typing import Any, Final

from ringfence import names
from ringfence.adapters.kubernetes.calls import Calls, Reply
from ringfence.cli.check.network import ProbeError, Reach
from ringfence.model.kinds import CORE_NAMESPACE, NETWORK_POLICY, POD

PATIENCE: Final = 60.0  # seconds for a pod to do what it is for
POLL: Final = 0.5
PORT: Final = 8080
LIFE: Final = 300  # seconds until a pod ends itself
_SERVER: Final = f"""
import socket
server = socket.create_server(('', {PORT}))
server.settimeout({LIFE})
while True: server.accept()[0].close()
"""
_CODES: Final = {0: Reach.OPEN, 10: Reach.REFUSED, 11: Reach.TIMEOUT}
_CLIENT: Final = f"""
import socket, sys
try: socket.create_connection((sys.argv[1], {PORT}), 5).close()
except ConnectionRefusedError: sys.exit(10)
except OSError: sys.exit(11)
"""
_RESTRICTED: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}


class ClusterPods:
    """Implements ``ringfence.cli.check.network.Pods``."""

    def __init__(self, calls: Calls, image: str, *, patience: float = PATIENCE) -> None:
        self._calls = calls
        self._image = image
        self._patience = patience
        self.namespace = f"ringfence-check-{secrets.token_hex(4)}"

    def begin(self) -> None:
        """Make a namespace that takes restricted pods only."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self._make(CORE_NAMESPACE.collection_path(), {"metadata": {"name": self.namespace, "labels": labels}})

    def serve(self) -> str:
        """Start the server, and wait until it has an address."""
        self._run("server", "-c", _SERVER)
        pod = self._await("server", lambda status: status.get("phase") == "Running" and bool(status.get("podIP")))
        return str(pod["podIP"])

    def connect(self, address: str) -> Reach:
        """Run a client, and read from its exit code how it went."""
        name = f"client-{secrets.token_hex(2)}"
        self._run(name, "-c", _CLIENT, address)
        status = self._await(name, lambda status: status.get("phase") in ("Succeeded", "Failed"))
        code = status["containerStatuses"][0]["state"].get("terminated", {}).get("exitCode")
        if code not in _CODES:
            raise ProbeError(f"the client ended with exit code {code}")
        return _CODES[code]

    def deny(self) -> None:
        """Deny everything."""
        spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        body = {"metadata": {"name": names.DENY_ALL}, "spec": spec}
        self._make(NETWORK_POLICY.collection_path(self.namespace), body)

    def end(self) -> None:
        """Delete the namespace; what is not there need not go."""
        self._calls.send("DELETE", CORE_NAMESPACE.path(None, self.namespace))

    def _make(self, target: str, body: Mapping[str, Any]) -> Reply:
        """Make something; the ServiceAccount of a new namespace comes a moment after it."""
        deadline = time.monotonic() + self._patience
        while not (reply := self._calls.send("POST", target, body)).ok:
            if "serviceaccount" not in reply.message or time.monotonic() > deadline:
                raise ProbeError(reply.message)
            time.sleep(POLL)
        return reply

    def _run(self, name: str, *arguments: str) -> None:
        container = {
            "name": "probe",
            "image": self._image,
            "command": ["python", *arguments],
            "securityContext": _RESTRICTED,
            "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
        }
        spec = {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "activeDeadlineSeconds": LIFE,
            "terminationGracePeriodSeconds": 1,
            "containers": [container],
        }
        self._make(POD.collection_path(self.namespace), {"metadata": {"name": name}, "spec": spec})

    def _await(self, name: str, done: Any) -> Mapping[str, Any]:
        deadline = time.monotonic() + self._patience
        while True:
            status: Mapping[str, Any] = (self._calls.get(POD.path(self.namespace, name)) or {}).get("status", {})
            if done(status):
                return status
            if time.monotonic() > deadline:
                raise ProbeError(f"pod {name} is {status.get('phase', 'not there')} after {self._patience:.0f} s")
            time.sleep(POLL)
