"""The command lines of the three servers: tables of flags.

Law: everything listens on this machine only; etcd on unix sockets in the private folder, so that it needs no port.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

# Those that do their work without nodes. The rest would only wait for kubelets, volumes and clouds.
CONTROLLERS: Final = (
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "daemonset-controller",
    "deployment-controller",
    "disruption-controller",
    "garbage-collector-controller",
    "job-controller",
    "namespace-controller",
    "replicaset-controller",
    "resourcequota-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "statefulset-controller",
    "ttl-after-finished-controller",
    "validatingadmissionpolicy-status-controller",
)
ISSUER: Final = "https://kubernetes.default.svc.cluster.local"
SERVICE_RANGE: Final = "10.96.0.0/16"
SERVER_HOSTS: Final = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
SERVER_ADDRESSES: Final = ("127.0.0.1", "10.96.0.1")
AUDIT_LOG: Final = "audit.log"

# The one peer of a single member is never dialled, but etcd wants an address for it.
_UNUSED_PEER: Final = "http://127.0.0.1:1"

Flags = Mapping[str, str]


def etcd_socket(folder: Path) -> str:
    """Return the URL at which etcd serves its clients."""
    return f"unix://{folder}/etcd-client.sock"


def etcd_flags(folder: Path, *, durable: bool) -> Flags:
    """Return etcd's flags; without `durable` it never waits for the disk: data outlive a crash, not a power cut."""
    return {
        "name": "ringfence",
        "data-dir": str(folder / "etcd"),
        "listen-client-urls": etcd_socket(folder),
        "advertise-client-urls": _UNUSED_PEER,
        "listen-peer-urls": f"unix://{folder}/etcd-peer.sock",
        "initial-advertise-peer-urls": _UNUSED_PEER,
        "initial-cluster": f"ringfence={_UNUSED_PEER}",
        "unsafe-no-fsync": "false" if durable else "true",
        "log-level": "warn",
    }


def apiserver_flags(folder: Path, port: int, *, audit_policy: Path | None) -> Flags:
    """Return the API server's flags: as close to a production server as one machine allows."""
    audit = {"audit-policy-file": str(audit_policy), "audit-log-path": str(folder / AUDIT_LOG)} if audit_policy else {}
    return {
        "etcd-servers": etcd_socket(folder),
        "bind-address": "127.0.0.1",
        "secure-port": str(port),
        "permit-port-sharing": "true",  # the owner holds the port with a bound socket
        "endpoint-reconciler-type": "none",  # a loopback address can't be an endpoint of the service `kubernetes`
        "tls-cert-file": str(folder / "apiserver.crt"),
        "tls-private-key-file": str(folder / "apiserver.key"),
        "client-ca-file": str(folder / "ca.crt"),
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "allow-privileged": "true",  # Pod Security forbids it where it is forbidden, not a flag
        "service-account-issuer": ISSUER,
        "service-account-key-file": str(folder / "service-account.pub"),
        "service-account-signing-key-file": str(folder / "service-account.key"),
        "service-cluster-ip-range": SERVICE_RANGE,
        **audit,
    }


def controller_manager_flags(folder: Path, kubeconfig: Path) -> Flags:
    """Return the controller manager's flags: each controller with an identity of its own, as in a real cluster."""
    return {
        "kubeconfig": str(kubeconfig),
        "controllers": ",".join(CONTROLLERS),
        "use-service-account-credentials": "true",
        "service-account-private-key-file": str(folder / "service-account.key"),
        "root-ca-file": str(folder / "ca.crt"),
        "leader-elect": "false",
        "secure-port": "0",
        "kube-api-qps": "500",  # tests make and delete hundreds of namespaces
        "kube-api-burst": "1000",
    }


def command(program: Path, flags: Flags) -> list[str]:
    """Return the command line."""
    return [str(program), *(f"--{name}={value}" for name, value in flags.items())]
