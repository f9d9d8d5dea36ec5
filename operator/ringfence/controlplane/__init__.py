"""A real Kubernetes control plane without nodes (etcd, kube-apiserver, kube-controller-manager), for tests and demos.

    from ringfence.controlplane import ControlPlane

    with ControlPlane() as plane:                            # about 4 s; stop() removes every process and file
        plane.admin_kubeconfig                               # Path, all rights
        plane.kubeconfig("ann", ["acme-admins"])             # Path, client certificate of any user and groups
        plane.service_account_kubeconfig("ringfence-system", "ringfence-operator")  # Path, a fresh token
        plane.admin.get("/api/v1/namespaces").must()         # thin client: .status, .body, .ok, .must()
        plane.url, plane.ca, plane.folder, plane.audit_log   # the audit log needs audit_policy=Path(...)
        plane.restart_apiserver()                            # same address, same data
        plane.apiserver.kill(); plane.apiserver.start()      # a crash; also .etcd and .controller_manager
        plane.apiserver.freeze(); plane.apiserver.thaw()     # hangs: connections stay open, nothing is answered

Many can run at once. All calls block; from asyncio use `asyncio.to_thread(plane.restart_apiserver)`.
`find_tools(["kubectl", "helm"])` returns the paths of client programs. Tests take the fixtures of
`tests/controlplane_fixtures.py` instead of starting their own.
"""

from ringfence.controlplane.access import Access
from ringfence.controlplane.client import APPLY_PATCH, MERGE_PATCH, Answer, Client
from ringfence.controlplane.component import Component
from ringfence.controlplane.errors import ControlPlaneError
from ringfence.controlplane.finder import cache_folder, find_tools
from ringfence.controlplane.plane import ControlPlane
from ringfence.controlplane.progress import Progress

__all__ = [
    "APPLY_PATCH",
    "MERGE_PATCH",
    "Access",
    "Answer",
    "Client",
    "Component",
    "ControlPlane",
    "ControlPlaneError",
    "Progress",
    "cache_folder",
    "find_tools",
]
