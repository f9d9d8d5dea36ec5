"""A tenant's workload that calls models: what its pod was given, and the way to the gateway.

Law: it knows what any pod knows that mounts a token for the gateway and reads ConfigMap `ringfence-gateway`: no more.
"""

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from ringfence import names
from ringfence.cli.demo.cluster import DemoCluster
from ringfence.cli.demo.promise import within

_TOKEN: Final = "token"  # noqa: S105 - the name of a volume, and of the file in it
_PATIENCE: Final = 30.0  # seconds
_POD: Final = """\
apiVersion: v1
kind: Pod
metadata: {name: chat-ui}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: chat-ui
      image: localhost/demo/workload:v1
      args: [infinity]
      resources:
        requests: {cpu: 10m, memory: 16Mi}
        limits: {cpu: 10m, memory: 16Mi}
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: token, mountPath: /var/run/gateway, readOnly: true}]
  volumes:
    - name: token
      projected:
        sources: [{serviceAccountToken: {audience: ringfence-gateway, path: token, expirationSeconds: 3600}}]
"""


@dataclass(frozen=True)
class Said:
    """An answer of the gateway."""

    status: int
    body: Mapping[str, Any]

    def __str__(self) -> str:
        """As the demo shows it."""
        error = self.body.get("error")
        if error:
            return f"{self.status} {error['code']}: {error['message']}"
        return f"{self.status}: “{self.body['choices'][0]['message']['content']}” by {self.body['model']}"


@dataclass(frozen=True)
class Workload:
    """A pod in one core namespace of a tenant."""

    cluster: DemoCluster
    namespace: str
    tenant: str
    volumes: Path
    """Where the node keeps what the pod mounts."""

    def ask(self, model: str, *, known: bool = True) -> Said:
        """Ask a model something, with the pod's token or, as a stranger, without."""
        headers = {"Content-Type": "application/json"}
        if known:
            headers["Authorization"] = f"Bearer {(self.volumes / _TOKEN / _TOKEN).read_text()}"
        body = {"model": model, "messages": [{"role": "user", "content": "What keeps tenants apart?"}]}
        connection = _Connection(self._host, self._gateway, self._trust)
        try:
            connection.request("POST", f"{self._path}/chat/completions", json.dumps(body), headers)
            answer = connection.getresponse()
            return Said(answer.status, json.loads(answer.read()))
        finally:
            connection.close()

    @cached_property
    def _config(self) -> Mapping[str, str]:
        found = self.cluster.plane.admin.get(
            f"/api/v1/namespaces/{self.namespace}/configmaps/{names.GATEWAY_CONFIG_MAP}"
        )
        data: Mapping[str, str] = found.must()["data"]
        return data

    @property
    def _host(self) -> str:
        return str(urlsplit(self._config["url"]).hostname)

    @property
    def _path(self) -> str:
        return urlsplit(self._config["url"]).path

    @property
    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self._config[names.AUTHORITY])

    @cached_property
    def _gateway(self) -> tuple[str, int]:
        """Where the gateway's Service is: what DNS and kube-proxy would make of its name."""
        return within(_PATIENCE, f"a replica of {self._host} is ready", self._replica)

    def _replica(self) -> tuple[str, int] | None:
        label = f"{names.SERVICE_NAME_LABEL}={names.GATEWAY}"
        path = f"/apis/discovery.k8s.io/v1/namespaces/{self.tenant}/endpointslices?labelSelector={label}"
        for each in self.cluster.plane.admin.get(path).must()["items"]:
            ports = {port["name"]: port["port"] for port in each["ports"]}
            for endpoint in each["endpoints"]:
                if endpoint["conditions"]["ready"]:
                    return endpoint["addresses"][0], ports["https"]
        return None


def start_workload(cluster: DemoCluster, node: Path, tenant: str, namespace: str) -> Workload:
    """Run a pod in a Namespace of the tenant, on the node of that folder."""
    core = names.core_namespace(tenant, namespace)
    cluster.kubectl("apply", "--namespace", core, "-f", "-", stdin=_POD)
    name = yaml.safe_load(_POD)["metadata"]["name"]
    pod = cluster.items("pods", "--namespace", core, "--field-selector", f"metadata.name={name}")[0]
    volumes = node / "pods" / pod["metadata"]["uid"] / "volumes"
    within(_PATIENCE, f"pod {name} in {core} runs", (volumes / _TOKEN / _TOKEN).exists)
    return Workload(cluster, core, tenant, volumes)


class _Connection(http.client.HTTPSConnection):
    """HTTPS to a host at an address that DNS does not know."""

    def __init__(self, host: str, address: tuple[str, int], trust: ssl.SSLContext) -> None:
        super().__init__(host, address[1], timeout=_PATIENCE)
        self._address = address
        self._trust = trust

    def connect(self) -> None:
        """Connect to the address, and have the host verified."""
        self.sock = self._trust.wrap_socket(
            socket.create_connection(self._address, self.timeout), server_hostname=self.host
        )
