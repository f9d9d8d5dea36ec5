"""A gateway's pod without a kubelet: the rendered files, projected as a kubelet would, and the real Envoy.

What differs from a pod: there is no mount namespace, so folders are elsewhere; no DNS of a cluster, so each host is
given an address; and ports are free ones. Nothing else of the configuration is touched.
"""

import http.client
import os
import shutil
import socket
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from ringfence import names
from ringfence.controlplane.node.envoy import find_envoy
from ringfence.controlplane.process import GuardedProcess
from ringfence.gateway import command
from ringfence.gateway.files import configuration
from ringfence.gateway.served import Gateway
from ringfence.gateway.typed import ADMINISTRATION, CERTIFICATES, CONFIGURATION, KEYS, RUN
from ringfence.gateway.upstreams import PUBLIC_AUTHORITIES
from tests.gateway.certificates import Certificates
from tests.waiting import eventually

STARTS: Final = 60.0
"""Seconds."""
_LOCAL: Final = "127.0.0.1"


@dataclass
class Pod:
    """One Envoy with the configuration of one gateway."""

    folder: Path
    certificates: Certificates
    addresses: dict[str, int]
    """Where each host is: a port of this machine."""
    port: int = field(init=False)
    metrics_port: int = field(init=False)
    process: GuardedProcess | None = None

    def __post_init__(self) -> None:
        self.port, self.metrics_port = free_port(), free_port()

    def start(self, gateway: Gateway, keys: Mapping[str, str]) -> "Pod":
        """Start it with these providers' keys, and wait until it serves."""
        for name, key in keys.items():
            self.mount_key(name, key)
        self.mount_certificate(self.certificates.server())
        for path in (RUN, ADMINISTRATION):
            self._place(path).mkdir(parents=True)
        self.publish(gateway)
        self.start_anew()
        eventually(self._serves, STARTS)
        return self

    def start_anew(self) -> None:
        """Start it with what is mounted, whether it can serve that or not."""
        self.stop()
        self.process = GuardedProcess(self._command(), log=self.log, cwd=self.folder)

    def mount_certificate(self, pair: Mapping[str, bytes]) -> None:
        """Swap the gateway's certificate, as the kubelet does when its Secret changes."""
        project(self._place(CERTIFICATES), pair)

    def mount_key(self, provider: str, key: str) -> None:
        """Swap a provider's key, as the kubelet does when its Secret changes."""
        project(self._place(f"{KEYS}/{provider}"), {"key": key.encode()})

    def mount_nothing(self, provider: str) -> None:
        """The folder of a provider's key, as the kubelet makes it while there is no Secret."""
        project(self._place(f"{KEYS}/{provider}"), {})

    def publish(self, gateway: Gateway) -> str:
        """Swap the configuration; its revision."""
        rendered = configuration(gateway)
        self.mount({name: bytes(content) for name, content in rendered.files.items()})
        return rendered.revision

    def mount(self, files: Mapping[str, bytes]) -> None:
        """Swap any files."""
        project(self._place(CONFIGURATION), {name: self._located(content) for name, content in files.items()})

    def stop(self) -> None:
        """End it."""
        if self.process:
            self.process.kill()

    @property
    def log(self) -> Path:
        """What Envoy itself says."""
        return self.folder / "envoy.log"

    @property
    def access_log(self) -> Path:
        """A line of JSON for each request."""
        return self._place(RUN) / "access.log"

    def lines(self) -> list[dict[str, Any]]:
        """The access log so far."""
        return [orjson.loads(line) for line in self.access_log.read_bytes().splitlines()]

    def counters(self, beginning: str) -> dict[str, int]:
        """Envoy's counters whose names begin so."""
        told = orjson.loads(self.ask(f"/stats?format=json&filter=^{beginning}"))["stats"]
        return {each["name"]: each["value"] for each in told if "value" in each}

    def revisions(self) -> set[str]:
        """Of the listeners, clusters and routes that Envoy took last."""
        told = orjson.loads(self.ask("/stats?format=json&filter=(lds|cds|rds.models).version_text$"))["stats"]
        return {each["value"] for each in told}

    def rejected(self) -> int:
        """How many updates Envoy has refused so far: of listeners, clusters, routes and secrets."""
        return sum(value for name, value in self.counters("").items() if name.endswith(".update_rejected"))

    def ready(self) -> int:
        """What a kubelet is told that asks whether it is ready; 0 while nobody answers."""
        with closing(http.client.HTTPConnection(_LOCAL, self.metrics_port)) as connection:
            try:
                connection.request("GET", "/ready")
                return connection.getresponse().status
            except OSError:
                return 0

    def ask(self, path: str) -> str:
        """Ask Envoy's administration, over its socket."""
        with closing(_UnixConnection(str(self._place(ADMINISTRATION) / "admin.sock"))) as connection:
            connection.request("GET", path)
            return connection.getresponse().read().decode()

    def _serves(self) -> bool:
        if self.process and not self.process.running:
            raise RuntimeError(f"Envoy ended:\n{self.process.log_tail()}")
        with closing(socket.socket()) as connection:
            return connection.connect_ex((_LOCAL, self.port)) == 0

    def _command(self) -> list[str]:
        """As in a pod; but lines of the log are written at once, and no other Envoy is looked for on this machine."""
        located = [str(self._place(each)) if each == command.STARTS_WITH else each for each in command.arguments()]
        located[located.index("--file-flush-interval-msec") + 1] = "20"
        return [str(find_envoy()), *located, "--disable-hot-restart"]

    def _place(self, path: str) -> Path:
        return self.folder / path.lstrip("/")

    def _located(self, content: bytes) -> bytes:
        for path in (CONFIGURATION, CERTIFICATES, KEYS, RUN, ADMINISTRATION):
            content = content.replace(path.encode(), str(self._place(path)).encode())
        content = content.replace(PUBLIC_AUTHORITIES.encode(), str(self.certificates.authority).encode())
        return orjson.dumps(_mapped(orjson.loads(content), self._moved))

    def _moved(self, address: str, port: int) -> dict[str, Any]:
        """Where something is on this machine."""
        own = {names.GATEWAY_PORT: self.port, names.GATEWAY_METRICS_PORT: self.metrics_port}
        return {"address": _LOCAL, "port_value": self.addresses[address] if address in self.addresses else own[port]}


def _mapped(config: Any, moved: Callable[[str, int], dict[str, Any]]) -> Any:
    """The configuration with each address replaced."""
    if isinstance(config, list):
        return [_mapped(each, moved) for each in config]
    if not isinstance(config, dict):
        return config
    if set(config) == {"address", "port_value"}:
        return moved(config["address"], config["port_value"])
    return {key: _mapped(value, moved) for key, value in config.items()}


def project(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files as a kubelet does: a new folder, and one rename of a link to it."""
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "..data"
    old = link.resolve() if link.exists() else None
    fresh = folder / f"..{os.urandom(6).hex()}"
    fresh.mkdir()
    for name, content in contents.items():
        (fresh / name).write_bytes(content)
    (folder / "..data_tmp").symlink_to(fresh.name)
    (folder / "..data_tmp").rename(link)
    for name in contents:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    if old:
        shutil.rmtree(old)


def free_port() -> int:
    """A port that nobody listens to."""
    with closing(socket.socket()) as listening:
        listening.bind((_LOCAL, 0))
        port: int = listening.getsockname()[1]
        return port


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("envoy")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)
