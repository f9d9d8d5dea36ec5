"""Attacks by workloads: what pods take from their node, where they run, what they carry."""

import copy
from typing import Any, Final

from ringfence import names
from tests.attack.asking import create, patch
from tests.attack.prepared import DEVELOPER, annotated, pod
from tests.attack.rows import Row, core, named

PODS: Final = core("acme-dev", "pods")
REGION: Final = "topology.kubernetes.io/region"


def run(**spec: Any) -> Any:
    """A pod, where Pod Security is switched off: what refuses it is the layer behind."""
    return create(PODS, pod("web", "acme-dev", **spec))


def container(**fields: Any) -> Any:
    """A pod whose container has these fields."""
    whole = copy.deepcopy(pod("web", "acme-dev"))
    whole["spec"]["containers"][0].update(fields)
    return create(PODS, whole)


def noted(key: str, text: str) -> Any:
    """A pod with this annotation."""
    whole = pod("web", "acme-dev")
    whole["metadata"]["annotations"] = {key: text}
    return create(PODS, whole)


def mounting(audience: str | None, seconds: int = 3600) -> Any:
    """A pod with a token of its own account."""
    source = {"path": "token", "expirationSeconds": seconds, **({"audience": audience} if audience else {})}
    return run(volumes=[{"name": "token", "projected": {"sources": [{"serviceAccountToken": source}]}}])


def affine(*terms: dict[str, Any]) -> Any:
    """A pod with these terms, one of which a node must fulfil."""
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}
    return run(affinity={"nodeAffinity": required})


def term(key: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": "In", "values": list(values)}]}


PLAIN: Final = (DEVELOPER, run())
SHARED_PATH: Final = [{"name": "root", "hostPath": {"path": "/"}}]
PRIVILEGED: Final = {"privileged": True}
DEBUGGER: Final = {"name": "debug", "image": "x", "securityContext": PRIVILEGED}

CERTIFICATE: Final = {
    "podCertificate": {
        "signerName": "kubernetes.io/kube-apiserver-client-pod",
        "keyType": "ED25519",
        "credentialBundlePath": "bundle.pem",
    }
}
"""Where the API server does not know such sources, it drops what is in it; one without any is refused alike."""

POD_ROWS: Final = (
    *(
        Row(f"{field} of the node", "pod-host-namespaces", (DEVELOPER, run(**{field: True})), PLAIN)
        for field in ("hostNetwork", "hostPID", "hostIPC")
    ),
    Row("a privileged container", "pod-privileged", (DEVELOPER, container(securityContext=PRIVILEGED)), PLAIN),
    Row("a privileged one before the others", "pod-privileged", (DEVELOPER, run(initContainers=[{**DEBUGGER}])), PLAIN),
    Row(
        "a privileged one afterwards",
        "pod-privileged",
        (
            DEVELOPER,
            patch(core("acme-dev", "pods", "app/ephemeralcontainers"), {"spec": {"ephemeralContainers": [DEBUGGER]}}),
        ),
        (
            DEVELOPER,
            patch(
                core("acme-dev", "pods", "app/ephemeralcontainers"),
                {"spec": {"ephemeralContainers": [{"name": "debug", "image": "x"}]}},
            ),
        ),
    ),
    Row(
        "the node's disk",
        "pod-host-path",
        (DEVELOPER, run(volumes=SHARED_PATH)),
        (DEVELOPER, run(volumes=[{"name": "root", "emptyDir": {}}])),
    ),
    Row(
        "a disk that the node fetches from elsewhere",
        "pod-volumes",
        (DEVELOPER, run(volumes=[{"name": "root", "nfs": {"server": "203.0.113.9", "path": "/"}}])),
        (DEVELOPER, run(volumes=[{"name": "root", "csi": {"driver": "secrets-store.csi.k8s.io"}}])),
    ),
    Row(
        "a second network, beside every policy",
        "pod-networks",
        (DEVELOPER, noted("k8s.v1.cni.cncf.io/networks", "kube-system/nodes")),
        (DEVELOPER, noted("acme.example/networks", "kube-system/nodes")),
    ),
    Row(
        "an address of its own choice",
        "pod-networks",
        (DEVELOPER, noted("cni.projectcalico.org/ipAddrs", '["10.0.0.9"]')),
        (DEVELOPER, noted("acme.example/ipAddrs", '["10.0.0.9"]')),
    ),
    Row(
        "a second network, once the pod is there",
        "pod-networks",
        (
            DEVELOPER,
            patch(core("acme-dev", "pods", "app"), annotated({"k8s.v1.cni.cncf.io/networks": "kube-system/n"})),
        ),
        (DEVELOPER, patch(core("acme-dev", "pods", "app"), annotated({"acme.example/networks": "kube-system/n"}))),
    ),
    Row(
        "the right to administer its node",
        "pod-capabilities",
        (DEVELOPER, container(securityContext={"capabilities": {"add": ["SYS_ADMIN"]}})),
        (DEVELOPER, container(securityContext={"capabilities": {"add": ["NET_BIND_SERVICE"]}})),
    ),
    Row(
        "the node's metadata, knocked at by the node itself",
        "pod-probe-host",
        (DEVELOPER, container(livenessProbe={"httpGet": {"host": "169.254.169.254", "port": 80}})),
        (DEVELOPER, container(livenessProbe={"httpGet": {"port": 80}})),
    ),
    Row(
        "the same, by a hook",
        "pod-probe-host",
        (DEVELOPER, container(lifecycle={"preStop": {"tcpSocket": {"host": "10.0.0.1", "port": 80}}})),
        (DEVELOPER, container(lifecycle={"preStop": {"tcpSocket": {"port": 80}}})),
    ),
    Row(
        "a certificate for the API server",
        "pod-certificate",
        (DEVELOPER, run(volumes=[{"name": "own", "projected": {"sources": [CERTIFICATE]}}])),
        (DEVELOPER, run(volumes=[{"name": "own", "projected": {"sources": [{"configMap": {"name": "own"}}]}}])),
    ),
    Row(
        "a gateway key's account",
        "pod-key-account",
        (DEVELOPER, run(serviceAccountName=names.gateway_key("ci"), automountServiceAccountToken=False)),
        (DEVELOPER, run(serviceAccountName="talker", automountServiceAccountToken=False)),
    ),
    Row(
        "a port of the node",
        "pod-host-port",
        (DEVELOPER, container(ports=[{"containerPort": 80, "hostPort": 80}])),
        (DEVELOPER, container(ports=[{"containerPort": 80}])),
    ),
    Row("a node by name", "pod-node-name", (DEVELOPER, run(nodeName="node-1")), PLAIN),
    Row(
        "a token for the API server",
        "pod-token",
        (DEVELOPER, mounting(None)),
        (DEVELOPER, mounting(names.GATEWAY_AUDIENCE)),
    ),
    Row(
        "a token for somebody else",
        "pod-token",
        (DEVELOPER, mounting("vault")),
        (DEVELOPER, mounting(names.GATEWAY_AUDIENCE)),
    ),
    Row(
        "a token for a year",
        "pod-token-age",
        (DEVELOPER, mounting(names.GATEWAY_AUDIENCE, 31_536_000)),
        (DEVELOPER, mounting(names.GATEWAY_AUDIENCE, 86_400)),
    ),
    Row(
        "a token that its account mounts",
        "pod-token",
        (DEVELOPER, run(serviceAccountName="talker")),
        (DEVELOPER, run(serviceAccountName="talker", automountServiceAccountToken=False)),
    ),
    Row(
        "a key in clear",
        "pod-credential",
        (DEVELOPER, container(env=[{"name": "OPENAI_API_KEY", "value": "sk-1"}])),
        (
            DEVELOPER,
            container(
                env=[{"name": "OPENAI_API_KEY", "valueFrom": {"secretKeyRef": {"name": "model", "key": "api-key"}}}]
            ),
        ),
    ),
    Row(
        "a password in clear",
        "pod-credential",
        (DEVELOPER, container(env=[{"name": "db_password", "value": "x"}])),
        (DEVELOPER, container(env=[{"name": "db_password", "value": "$(DB)"}])),
    ),
    Row(
        "a secret in clear, in another container",
        "pod-credential",
        (DEVELOPER, run(initContainers=[{"name": "i", "image": "x", "env": [{"name": "SECRET", "value": "x"}]}])),
        (
            DEVELOPER,
            run(initContainers=[{"name": "i", "image": "x", "env": [{"name": "SECRETS_FOLDER", "value": "/x"}]}]),
        ),
    ),
)

OURS: Final = term(REGION, "eu-central-1")
THEIRS: Final = term(REGION, "us-east-1")
GPU: Final = {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present", "effect": "NoSchedule"}

PLACE_ROWS: Final = (
    Row(
        "more alternatives than are filled in",
        "pod-region",
        (DEVELOPER, affine(*(THEIRS for _ in range(33)))),
        (DEVELOPER, affine(*(THEIRS for _ in range(32)))),
    ),
    Row(
        "another region",
        "pod-region-selector",
        (DEVELOPER, run(nodeSelector={REGION: "us-east-1"})),
        (DEVELOPER, run(nodeSelector={REGION: "eu-central-1"})),
    ),
    Row(
        "another region of the tenant's",
        "pod-region-selector",
        (DEVELOPER, run(nodeSelector={REGION: "eu-west-1"})),
        (DEVELOPER, run(nodeSelector={REGION: "eu-central-1"})),
    ),
    Row(
        "a node of the control plane",
        "pod-node-labels",
        (DEVELOPER, run(nodeSelector={"node-role.kubernetes.io/control-plane": ""})),
        (DEVELOPER, run(nodeSelector={"accelerator": "h100"})),
    ),
    Row(
        "the same as one of several alternatives",
        "pod-node-labels",
        (DEVELOPER, affine(OURS, term("node-role.kubernetes.io/control-plane", ""))),
        (DEVELOPER, affine(OURS, term("accelerator", "h100"))),
    ),
    Row(
        "a node by name, as an alternative",
        "pod-node-fields",
        (DEVELOPER, affine({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]})),
        (DEVELOPER, affine(OURS)),
    ),
    Row(
        "every taint",
        "pod-tolerations",
        (DEVELOPER, run(tolerations=[{"operator": "Exists"}])),
        (DEVELOPER, run(tolerations=[GPU])),
    ),
    Row(
        "the control plane's taint",
        "pod-tolerations",
        (DEVELOPER, run(tolerations=[{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}])),
        (DEVELOPER, run(tolerations=[GPU])),
    ),
    Row(
        "more of a taint than was given",
        "pod-tolerations",
        (DEVELOPER, run(tolerations=[{"key": "nvidia.com/gpu", "operator": "Exists"}])),
        (DEVELOPER, run(tolerations=[GPU])),
    ),
    Row(
        "a taint of a node that is emptied",
        "pod-tolerations",
        (DEVELOPER, run(tolerations=[{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}])),
        (DEVELOPER, run(tolerations=[{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}])),
    ),
    Row(
        "another runtime",
        "pod-runtime-class",
        (DEVELOPER, run(runtimeClassName="other")),
        (DEVELOPER, run(runtimeClassName="gvisor")),
    ),
    Row(
        "a greater priority",
        "pod-priority-class",
        (DEVELOPER, run(priorityClassName="urgent")),
        (DEVELOPER, run(priorityClassName="batch")),
    ),
    Row(
        "the system's priority",
        "pod-priority-class",
        (DEVELOPER, run(priorityClassName="system-node-critical")),
        (DEVELOPER, run(priorityClassName="batch")),
        backed=True,
    ),
)


def claim(annotations: dict[str, str] | None = None, **spec: Any) -> Any:
    """A claim of storage."""
    whole = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    body = {"spec": {**whole, "storageClassName": "encrypted", **spec}}
    return create(core("acme-dev", "persistentvolumeclaims"), named("data", body, annotations=annotations or {}))


GRANTED: Final = (DEVELOPER, claim())
STANDING: Final = core("acme-dev", "persistentvolumeclaims", "standing")
CHANGED: Final = (DEVELOPER, patch(STANDING, annotated({"acme.example/note": "x"})))

CLAIM_ROWS: Final = (
    Row("another class", "claim-class", (DEVELOPER, claim(storageClassName="plain")), GRANTED),
    Row("no class", "claim-class", (DEVELOPER, claim(storageClassName="")), GRANTED),
    Row("a volume by name", "claim-volume", (DEVELOPER, claim(volumeName="theirs")), GRANTED),
    Row(
        "a volume by name, once the claim is there",
        "claim-volume",
        (DEVELOPER, patch(STANDING, {"spec": {"volumeName": "theirs"}})),
        CHANGED,
    ),
    Row(
        "a volume by label",
        "claim-volume",
        (DEVELOPER, claim(selector={"matchLabels": {REGION: "us-east-1"}})),
        GRANTED,
    ),
)

CLASS: Final = {"volume.beta.kubernetes.io/storage-class": "plain"}
NODE: Final = {"volume.kubernetes.io/selected-node": "node-in-another-region"}

CLAIM_NOTE_ROWS: Final = (
    Row("another class, by an old annotation", "claim-class-annotation", (DEVELOPER, claim(CLASS)), GRANTED),
    Row("a volume made elsewhere", "claim-node-annotation", (DEVELOPER, claim(NODE)), GRANTED),
    Row("the same, afterwards", "claim-node-annotation", (DEVELOPER, patch(STANDING, annotated(NODE))), CHANGED),
)

ROWS: Final = (*POD_ROWS, *PLACE_ROWS, *CLAIM_ROWS, *CLAIM_NOTE_ROWS)
