"""The control plane: etcd, kube-apiserver and kube-controller-manager of one owner, in one private folder.

Law: nothing outlives the owner: not a process (guards), not a port (held by the owner), not a folder (locked, swept).
"""

import atexit
import http.client
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ringfence.controlplane import components
from ringfence.controlplane.access import Access
from ringfence.controlplane.client import Client
from ringfence.controlplane.component import Component
from ringfence.controlplane.finder import find_tools
from ringfence.controlplane.folder import OwnedFolder
from ringfence.controlplane.pki import Authority, write_private, write_signing_keys
from ringfence.controlplane.port import ReservedPort
from ringfence.controlplane.process import GuardedProcess
from ringfence.controlplane.progress import Progress

SERVERS: Final = ("etcd", "kube-apiserver", "kube-controller-manager")
_PROBE_TIMEOUT: Final = 2.0  # seconds
# What the controllers make in a fresh cluster: once it is there, they work.
_FIRST_FRUITS: Final = (
    "/api/v1/namespaces/default/serviceaccounts/default",
    "/api/v1/namespaces/default/configmaps/kube-root-ca.crt",
)


class ControlPlane:
    """A Kubernetes control plane without nodes, for tests and demonstrations.

    `folder` is a new, empty or abandoned folder for everything it writes (default: a temporary one); it is removed by
    `stop`. `audit_policy` is a policy file: with one, `audit_log` fills. `durable` lets etcd wait for the disk.
    `apiserver_flags` adds flags to kube-apiserver, or replaces them.
    """

    def __init__(
        self,
        *,
        folder: Path | None = None,
        audit_policy: Path | None = None,
        durable: bool = False,
        apiserver_flags: Mapping[str, str] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._tools = find_tools(SERVERS, progress=progress)
        self._owned = OwnedFolder(folder) if folder else OwnedFolder.temporary()
        self._port = ReservedPort()
        self.folder = self._owned.path
        authority = self._write_keys()
        self.access = Access(self.folder, f"https://127.0.0.1:{self._port.number}", authority)
        apiserver = components.apiserver_flags(self.folder, self._port.number, audit_policy=audit_policy)
        self.etcd = self._component("etcd", components.etcd_flags(self.folder, durable=durable), self._etcd_is_ready)
        self.apiserver = self._component(
            "kube-apiserver", {**apiserver, **(apiserver_flags or {})}, self._apiserver_is_ready
        )
        self.controller_manager = self._component(
            "kube-controller-manager",
            components.controller_manager_flags(self.folder, self.kubeconfig("system:kube-controller-manager")),
            self._controllers_are_ready,
        )
        atexit.register(self.stop)

    def start(self) -> Self:
        """Start all servers and wait until they are ready: some four seconds. Where one fails, nothing stays."""
        try:
            for server in (self.etcd, self.apiserver, self.controller_manager):
                server.start()
        except BaseException:
            self.stop()
            raise
        self.access.save()
        return self

    def stop(self) -> None:
        """End all servers at once and remove the folder, whatever was in it. May be called again."""
        for server in (self.controller_manager, self.apiserver, self.etcd):
            server.kill()
        self._port.release()
        self._owned.remove()
        atexit.unregister(self.stop)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def restart_apiserver(self) -> None:
        """Stop the API server in good order and start it again, at the same address."""
        self.apiserver.restart()

    @property
    def url(self) -> str:
        """The API server's address."""
        return self.access.url

    @property
    def ca(self) -> Path:
        """The certificate that clients must trust, PEM."""
        return self.access.ca

    @property
    def admin(self) -> Client:
        """A client with all rights."""
        return self.access.admin

    @property
    def admin_kubeconfig(self) -> Path:
        """A kubeconfig with all rights."""
        return self.access.admin_kubeconfig

    @property
    def audit_log(self) -> Path:
        """The API server's audit log: an event of JSON a line."""
        return self.folder / components.AUDIT_LOG

    def certificate(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Return a PEM file with certificate and key of `user` (1 to 64 characters), a member of `groups`."""
        return self.access.certificate(user, groups)

    def kubeconfig(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Return a kubeconfig of `user` (1 to 64 characters), a member of `groups`: anyone can be a tenant's member."""
        return self.access.kubeconfig(user, groups)

    def service_account_kubeconfig(
        self,
        namespace: str,
        name: str,
        *,
        lifetime: timedelta = timedelta(hours=24),
        annotations: Mapping[str, str] | None = None,
    ) -> Path:
        """Return a kubeconfig with a new token of an existing ServiceAccount; `annotations` are of the request."""
        return self.access.service_account_kubeconfig(namespace, name, lifetime=lifetime, annotations=annotations)

    def _write_keys(self) -> Authority:
        authority = Authority.create(self.folder)
        server = authority.server(components.SERVER_HOSTS, components.SERVER_ADDRESSES)
        write_private(self.folder / "apiserver.crt", server.certificate)
        write_private(self.folder / "apiserver.key", server.key)
        write_signing_keys(self.folder / "service-account.key", self.folder / "service-account.pub")
        return authority

    def _component(self, name: str, flags: components.Flags, ready: Callable[[], bool]) -> Component:
        launch = partial(
            GuardedProcess,
            components.command(self._tools[name], flags),
            log=self.folder / f"{name}.log",
            cwd=self.folder,
            held=(self._owned.descriptor,),
        )
        return Component(name, launch, ready)

    def _etcd_is_ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_PROBE_TIMEOUT)
            try:
                probe.connect(components.etcd_socket(self.folder).removeprefix("unix://"))
                probe.sendall(b"GET /health HTTP/1.0\r\n\r\n")
                return b'"health":"true"' in probe.makefile("rb").read()
            except OSError:
                return False

    def _apiserver_is_ready(self) -> bool:
        return self._answers_ok("/readyz")

    def _controllers_are_ready(self) -> bool:
        return all(self._answers_ok(path) for path in _FIRST_FRUITS)

    def _answers_ok(self, path: str) -> bool:
        try:
            return self.admin.request("GET", path, timeout=_PROBE_TIMEOUT).ok
        except (OSError, http.client.HTTPException):
            return False
