"""A gateway's pod without a kubelet: the rendered files, projected as a kubelet would, and the real Envoy.

What differs from a pod: there is no mount namespace, so folders are elsewhere; no DNS of a cluster, so each host is
given an address; and the port is a free one. Nothing else of the configuration is touched.
"""

import http.client
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from ringfence import names
from ringfence.controlplane.process import GuardedProcess
from ringfence.gateway.files import BOOTSTRAP, files
from ringfence.gateway.served import Gateway
from ringfence.gateway.typed import AUTHORITIES, CERTIFICATES, CONFIGURATION, KEYS, RUN
from ringfence.gateway.upstreams import PUBLIC_AUTHORITIES
from tests.gateway.certificates import Certificates
from tests.waiting import eventually

_STARTS: Final = 30.0  # seconds


@dataclass
class Pod:
    """One Envoy with the configuration of one gateway."""

    envoy: Path
    folder: Path
    certificates: Certificates
    addresses: Mapping[str, int]
    """Where each host is: a port of this machine."""
    port: int = field(default_factory=lambda: free_port())
    process: GuardedProcess | None = None

    def start(self, gateway: Gateway, keys: Mapping[str, str]) -> "Pod":
        """Start it with these providers' keys, and wait until it serves."""
        for name, key in keys.items():
            project(self._place(f"{KEYS}/{name}"), {"key": key.encode()})
        project(self._place(CERTIFICATES), self.certificates.server())
        self._place(RUN).mkdir(parents=True)
        self.publish(gateway)
        bootstrap = self._place(f"{CONFIGURATION}/{BOOTSTRAP}")
        command = [
            str(self.envoy),
            "-c",
            str(bootstrap),
            "--concurrency",
            "1",
            "-l",
            "warn",
            "--base-id",
            str(self.port),
        ]
        self.process = GuardedProcess(command, log=self.log, cwd=self.folder)
        eventually(self.serves, _STARTS)
        return self

    def publish(self, gateway: Gateway) -> None:
        """Swap the configuration."""
        project(self._place(CONFIGURATION), {name: self._located(text) for name, text in files(gateway).items()})

    def stop(self) -> None:
        """End it."""
        if self.process:
            self.process.kill()

    @property
    def log(self) -> Path:
        """What Envoy itself says."""
        return self.folder / "envoy.log"

    def lines(self) -> list[dict[str, Any]]:
        """The access log so far."""
        return [orjson.loads(line) for line in (self._place(RUN) / "access.log").read_bytes().splitlines()]

    def serves(self) -> bool:
        """Whether it accepts connections."""
        with closing(socket.socket()) as connection:
            return connection.connect_ex(("127.0.0.1", self.port)) == 0

    def counter(self, name: str) -> int:
        """One of Envoy's counters, by its administration."""
        found = [line for line in self.ask(f"/stats?filter=^{name}$").splitlines() if line]
        return int(found[0].rpartition(": ")[2]) if found else 0

    def ask(self, path: str) -> str:
        """Ask Envoy's administration, over its socket."""
        with closing(_UnixConnection(str(self._place(RUN) / "admin.sock"))) as connection:
            connection.request("GET", path)
            return connection.getresponse().read().decode()

    def _place(self, path: str) -> Path:
        return self.folder / path.lstrip("/")

    def _located(self, content: bytes) -> bytes:
        for path in (CONFIGURATION, CERTIFICATES, KEYS, AUTHORITIES, RUN):
            content = content.replace(path.encode(), str(self._place(path)).encode())
        content = content.replace(PUBLIC_AUTHORITIES.encode(), str(self.certificates.authority).encode())
        return orjson.dumps(_moved(orjson.loads(content), {**self.addresses}, self.port))


def _moved(config: Any, addresses: Mapping[str, int], port: int) -> Any:
    """The configuration with each address where it is on this machine."""
    if isinstance(config, list):
        return [_moved(each, addresses, port) for each in config]
    if not isinstance(config, dict):
        return config
    if set(config) == {"address", "port_value"}:
        if config["port_value"] == names.GATEWAY_PORT:
            return {"address": "127.0.0.1", "port_value": port}
        return {"address": "127.0.0.1", "port_value": addresses[config["address"]]}
    return {key: _moved(value, addresses, port) for key, value in config.items()}


def project(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files as a kubelet does: a new folder, and one rename of a link to it."""
    folder.mkdir(parents=True, exist_ok=True)
    link, old = folder / "..data", (folder / "..data").resolve()
    fresh = folder / f"..{os.urandom(6).hex()}"
    fresh.mkdir()
    for name, content in contents.items():
        (fresh / name).write_bytes(content)
    (folder / "..data_tmp").symlink_to(fresh.name)
    (folder / "..data_tmp").rename(link)
    for name in contents:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    if old != link and old.exists():
        shutil.rmtree(old)


def free_port() -> int:
    """A port that nobody listens to."""
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def find_envoy() -> Path:
    """The Envoy of the locked dependencies."""
    import envoy

    return Path(envoy.__file__).parent / "_bin" / "envoy"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("envoy")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def version(envoy: Path) -> str:
    """What Envoy says of itself."""
    return subprocess.run([envoy, "--version"], capture_output=True, text=True, check=True).stdout.strip()
