"""A second API server on the same etcd that judges by no admission policy: the same server without them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from ringfence.controlplane import Client, Component, ControlPlane, find_tools
from ringfence.controlplane.components import apiserver_flags, command
from ringfence.controlplane.port import ReservedPort
from ringfence.controlplane.process import GuardedProcess

_POLICY_PLUGINS: Final = "MutatingAdmissionPolicy,ValidatingAdmissionPolicy"


@contextmanager
def unguarded_twin(plane: ControlPlane) -> Iterator[str]:
    """Start it; yields its address. Objects, certificates and flags are those of ``plane``."""
    port = ReservedPort()
    flags = {
        **apiserver_flags(plane.folder, port.number, audit_policy=None),
        "disable-admission-plugins": _POLICY_PLUGINS,
    }
    program = find_tools(["kube-apiserver"])["kube-apiserver"]
    launch = partial(GuardedProcess, command(program, flags), log=plane.folder / "twin.log", cwd=plane.folder)
    url = f"https://127.0.0.1:{port.number}"
    server = Component("twin", launch, lambda: _is_ready(plane, url))
    try:
        server.start()
        yield url
    finally:
        server.kill()
        port.release()


def _is_ready(plane: ControlPlane, url: str) -> bool:
    admin = Client(url, ca=plane.ca, certificate=plane.certificate("twin-admin", ["system:masters"]))
    try:
        return admin.request("GET", "/readyz", timeout=2).ok
    except OSError:
        return False
