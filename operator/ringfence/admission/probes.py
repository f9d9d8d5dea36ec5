"""The table of probes: one violation a policy, which that policy alone is to refuse, in its own words.

Laws: every policy has a probe, or a sentence why nobody can provoke it; a probe leaves nothing behind, whether or not
its policy is in force. A probe writes itself what mutating policies would fill in, unless it is about them: no other
rule is to refuse it where they are missing.
"""

from collections.abc import Mapping
from typing import Any, Final

from ringfence import names
from ringfence.admission.answers import MERGE, Asker, Probe, Refusal, Stamp
from ringfence.admission.scheduling import AFFINITY, REGION
from ringfence.model import kinds

_RBAC: Final = "rbac.authorization.k8s.io"
_NAME: Final = "canary-probe"
_SOMEBODY: Final = "somebody-else"


def _named(**metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": _NAME, **metadata}}


def _in(plural: str, group: str = "api/v1", namespace: str = names.CANARY) -> str:
    return f"/{group}/namespaces/{namespace}/{plural}"


def _ours(kind: kinds.ResourceType) -> str:
    return kind.collection_path(names.CANARY_HOME)


def _object(kind: kinds.ResourceType, spec: Mapping[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": kind.api_version, "kind": kind.kind, **_named(**metadata), "spec": dict(spec)}


def _signed(**annotations: str) -> dict[str, str]:
    """Annotations of an object of ours, with who asks."""
    return {names.REQUESTED_BY_ANNOTATION: names.CANARY_USER, **annotations}


def _route(annotations: Mapping[str, str], **metadata: Any) -> dict[str, Any]:
    spec = {"model": _NAME, "backends": [{"provider": "none", "model": "none"}]}
    return _object(kinds.MODEL_ROUTE, spec, annotations=dict(annotations), **metadata)


def _namespace(**annotations: str) -> dict[str, Any]:
    keys = {key.replace("__", "-"): value for key, value in annotations.items()}
    noted = {f"{kinds.GROUP}/{key}": value for key, value in keys.items()}
    return _object(kinds.NAMESPACE, {"environment": "canary"}, annotations=_signed(**noted))


def _hold(**release: str) -> dict[str, Any]:
    """A hold that is born with its release."""
    hold = {"name": "canary", "reason": "a probe", "scope": {}, "since": "2026-01-01T00:00:00Z"}
    spec = {"legalHolds": [{**hold, "release": {"reason": "a probe", **release}}]}
    return _object(kinds.RETENTION_POLICY, spec, annotations=_signed())


def _pod(**container: Any) -> dict[str, Any]:
    """A pod that every level of Pod Security takes."""
    context = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    made = {"name": "app", "image": "registry.invalid/app", "securityContext": context, **container}
    return {**_named(), "spec": {"automountServiceAccountToken": False, "containers": [made]}}


def _deployment() -> dict[str, Any]:
    """One where the gateway never is."""
    labels = {"app": "canary"}
    template = {**_pod(), "metadata": {"labels": labels}}
    return {**_named(), "spec": {"selector": {"matchLabels": labels}, "template": template}}


def _binding(role: str, subject: Mapping[str, str]) -> dict[str, Any]:
    return {**_named(), "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role}, "subjects": [subject]}


_CANARY: Final = {"kind": "ServiceAccount", "namespace": names.OPERATOR_NAMESPACE, "name": names.CANARY}
_STRANGER: Final = {"apiGroup": _RBAC, "kind": "User", "name": _SOMEBODY}
_BINDINGS: Final = _in("rolebindings", f"apis/{_RBAC}/v1")
_PORT: Final = [{"port": 80}]
_TEMPLATE: Final = {"rules": [{"host": "canary.invalid"}]}
_OPEN: Final = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]}
_INWARD: Final = {"podSelector": {}, "policyTypes": ["Ingress"]}
_CLAIM: Final = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1Gi"}},
    "storageClassName": "canary",
}
_ORDER: Final = {
    "secretStoreRef": {"kind": "ClusterSecretStore", "name": "canary"},
    "data": [{"secretKey": "canary", "remoteRef": {"key": "canary"}}],
}
_TOKEN_SECRET: Final = {"type": "kubernetes.io/service-account-token"}
_OF_DEFAULT: Final = {"kubernetes.io/service-account.name": "default"}
_POLICIES: Final = _in("networkpolicies", "apis/networking.k8s.io/v1")
_TERM: Final = (
    *("spec", "affinity", "nodeAffinity", AFFINITY),
    *("nodeSelectorTerms", 0, "matchExpressions", 0, "key"),
)

PROBES: Final[tuple[Probe, ...]] = (
    Probe(
        Refusal("namespace-labels"),
        f"/api/v1/namespaces/{names.CANARY}",
        {"metadata": {"labels": {names.TENANT_LABEL: "other"}}},
        method="PATCH",
        content_type=MERGE,
    ),
    Probe(
        Refusal("fence-objects"),
        _in("configmaps"),
        _named(labels={names.MANAGED_BY_LABEL: names.MANAGED_BY}),
    ),
    Probe(
        Refusal("glass-right"),
        _in("configmaps"),
        _named(annotations={names.BREAK_GLASS_ANNOTATION: "a probe of the canary"}),
    ),
    Probe(Refusal("network-policy-open"), _POLICIES, {**_named(), "spec": _OPEN}),
    Probe(Refusal("network-policy-private"), _POLICIES, {**_named(), "spec": _INWARD}),
    Probe(
        Refusal("service-type"),
        _in("services"),
        {**_named(), "spec": {"type": "NodePort", "selector": {"app": "canary"}, "ports": _PORT}},
    ),
    Probe(
        Refusal("ingress-host"),
        _in("ingresses", "apis/networking.k8s.io/v1"),
        {**_named(), "spec": _TEMPLATE},
    ),
    Probe(Refusal("role-binding-role"), _BINDINGS, _binding("system:discovery", _CANARY)),
    Probe(Refusal("role-binding-member"), _BINDINGS, _binding(names.tenant_role("viewer"), _STRANGER)),
    Probe(Refusal("shell-open"), _in(f"pods/{_NAME}/exec") + "?command=true&stdout=true", {}, dry=False),
    Probe(
        Refusal("pod-credential"),
        _in("pods"),
        _pod(env=[{"name": "API_KEY", "value": "no key, but a probe"}]),
    ),
    Probe(Refusal("claim-class"), _in("persistentvolumeclaims"), {**_named(), "spec": _CLAIM}),
    Probe(
        Refusal("token-key"),
        _in("serviceaccounts/default/token"),
        {"spec": {"audiences": [names.GATEWAY_AUDIENCE]}},
    ),
    Probe(
        Refusal("secret-token"),
        _in("secrets"),
        {**_named(annotations=_OF_DEFAULT), **_TOKEN_SECRET},
    ),
    Probe(
        Refusal("operator-token-secret"),
        _in("secrets", namespace=names.OPERATOR_NAMESPACE),
        {**_named(annotations=_OF_DEFAULT), **_TOKEN_SECRET},
        asker=Asker.OPERATOR,
    ),
    Probe(
        Refusal("external-secret-store"),
        kinds.EXTERNAL_SECRET.collection_path(names.CANARY),
        _object(kinds.EXTERNAL_SECRET, _ORDER),
        asker=Asker.OPERATOR,
        needs=kinds.EXTERNAL_SECRET,
    ),
    Probe(
        Refusal("promotion-stray-stamp"),
        _ours(kinds.MODEL_ROUTE),
        _route(_signed(**{f"{names.PROMOTED_BY_PREFIX}nowhere": _SOMEBODY})),
    ),
    Probe(
        Refusal("hold-born-released"),
        _ours(kinds.RETENTION_POLICY),
        _hold(requestedBy=names.CANARY_USER),
    ),
    Probe(
        Refusal("confirmation-stamp"),
        _ours(kinds.NAMESPACE),
        _namespace(confirm__release=_NAME, confirm__release__by=_SOMEBODY),
    ),
    Probe(
        Refusal("finalizer-added"),
        _ours(kinds.MODEL_ROUTE),
        _route(_signed(), finalizers=["canary.invalid/held"]),
    ),
    Probe(Refusal("reference-model"), _ours(kinds.MODEL_ROUTE), _route(_signed())),
    Probe(
        Refusal("operator-namespace-birth"),
        "/api/v1/namespaces",
        _named(),
        asker=Asker.OPERATOR,
    ),
    Probe(
        Refusal("operator-outside"),
        _in("configmaps", namespace="default"),
        _named(),
        asker=Asker.OPERATOR,
    ),
    Probe(
        Refusal("operator-binding-role"),
        _BINDINGS,
        _binding(names.home_role("viewer"), _STRANGER),
        asker=Asker.OPERATOR,
    ),
    Probe(
        Refusal("operator-workload"),
        _in("deployments", "apis/apps/v1"),
        _deployment(),
        asker=Asker.OPERATOR,
    ),
    Probe(
        Refusal("canary-dry-run"),
        _in(f"pods/{_NAME}/eviction"),
        {"apiVersion": "policy/v1", "kind": "Eviction", **_named()},
        dry=False,
    ),
    Probe(
        Stamp("ringfence-stamps", ("metadata", "annotations", names.REQUESTED_BY_ANNOTATION), names.CANARY_USER),
        _ours(kinds.MODEL_ROUTE),
        _route({}),
    ),
    Probe(Stamp("ringfence-regions", _TERM, REGION), _in("pods"), _pod()),
    Probe(
        Stamp("ringfence-service-accounts", ("automountServiceAccountToken",), False),
        _in("serviceaccounts"),
        _named(),
    ),
)

UNPROVOKED: Final[Mapping[str, str]] = {
    "ringfence-guardrails": "nobody but the operator, whom it exempts, has a right to write Guardrails",
    "ringfence-definitions": "only a right to delete our definitions would provoke it",
    "ringfence-break-glass-sign-in": "whoever may break the glass is a person",
    "ringfence-cluster-bindings": "only a right to bind roles to the whole cluster would provoke it",
    "ringfence-secret-deletion": "it judges the deletion of a Secret, and the canary has none",
    "ringfence-approvers": "an approver is a person",
    "ringfence-hold-sign-in": "it judges the release of a hold that stands",
    "ringfence-incidents": "it judges the end of an object of a tenant's home",
    "ringfence-status": "nobody but the operator, whom it exempts, has a right to write a status",
    "ringfence-home": "nobody whom the canary is has a right to run anything in a home namespace",
    "ringfence-operator-secrets": "only a Secret made for real would provoke it",
}
"""Policies that are known to be there and bound as shipped, and why nobody sees them refuse."""
