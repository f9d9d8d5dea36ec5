"""Who waits behind whom at the API server: flows and priority levels of API Priority and Fairness.

Laws: the operator has seats that nobody else can take, and serves each namespace by turns; what people write waits
behind their own requests, and has few seats together. People are told apart by their names, which they can't choose,
and never by the namespace that a request is about: anybody may fill the queue of somebody else's namespace with
requests that are refused only later. What is only read stays with Kubernetes' own levels.

Kubernetes: "API Priority and Fairness", flowcontrol.apiserver.k8s.io/v1.
"""

from typing import Any, Final, Literal

from ringfence import names
from ringfence.model.kinds import GROUP

_API: Final = "flowcontrol.apiserver.k8s.io/v1"
OPERATOR_FLOWS: Final = names.OPERATOR_SERVICE_ACCOUNT
TENANT_FLOWS: Final = "ringfence-tenants"
PEOPLE_FLOWS: Final = "ringfence-people"

# Kubernetes' own levels have 245 shares together, of by default 600 requests at once: a share is about two of them.
_OPERATOR_SHARES: Final = 20
"""More than its 16 calls in flight, its watches and its lists need."""
_TENANT_SHARES: Final = 4
"""Some nine writes at once, and no borrowed ones: more than people need, and less than what makes a server slow."""
# Smaller numbers are asked first. The operator's before those of controllers; ours for writes of our kinds before those
# of ServiceAccounts, who may be GitOps controllers; ours for people before the one for everybody.
_BEFORE_CONTROLLERS: Final = 750
_BEFORE_SERVICE_ACCOUNTS: Final = 8000
_BEFORE_EVERYBODY: Final = 9500
_WRITES: Final = ["create", "update", "patch", "delete", "deletecollection"]
_EVERYBODY: Final = {"kind": "Group", "group": {"name": "system:authenticated"}}


def flows() -> list[dict[str, Any]]:
    """Manifests, levels before the schemas that lead to them."""
    operator = {
        "kind": "ServiceAccount",
        "serviceAccount": {"name": names.OPERATOR_SERVICE_ACCOUNT, "namespace": names.OPERATOR_NAMESPACE},
    }
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
    writes = {"verbs": _WRITES, "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"]}
    of_our_kinds = {**everything, "verbs": _WRITES, "apiGroups": [GROUP]}
    elsewhere = {"nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]}
    asks = {"subjects": [operator], "resourceRules": [everything], **elsewhere}
    wishes = {"subjects": [_EVERYBODY], "resourceRules": [of_our_kinds]}
    works = {"subjects": [_EVERYBODY], "resourceRules": [writes]}
    return [
        _level(OPERATOR_FLOWS, {"nominalConcurrencyShares": _OPERATOR_SHARES, "lendablePercent": 50}),
        _level(TENANT_FLOWS, {"nominalConcurrencyShares": _TENANT_SHARES, "borrowingLimitPercent": 0}),
        _schema(OPERATOR_FLOWS, OPERATOR_FLOWS, _BEFORE_CONTROLLERS, "ByNamespace", asks),
        _schema(TENANT_FLOWS, TENANT_FLOWS, _BEFORE_SERVICE_ACCOUNTS, "ByUser", wishes),
        _schema(PEOPLE_FLOWS, TENANT_FLOWS, _BEFORE_EVERYBODY, "ByUser", works),
    ]


def _level(name: str, seats: dict[str, int]) -> dict[str, Any]:
    queuing = {"queues": 64, "handSize": 6, "queueLengthLimit": 50}
    limited = {**seats, "limitResponse": {"type": "Queue", "queuing": queuing}}
    return _manifest("PriorityLevelConfiguration", name, {"type": "Limited", "limited": limited})


def _schema(
    name: str, level: str, precedence: int, told_apart: Literal["ByNamespace", "ByUser"], rule: dict[str, Any]
) -> dict[str, Any]:
    spec = {
        "priorityLevelConfiguration": {"name": level},
        "matchingPrecedence": precedence,
        "distinguisherMethod": {"type": told_apart},
        "rules": [rule],
    }
    return _manifest("FlowSchema", name, spec)


def _manifest(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "labels": {"app.kubernetes.io/name": "ringfence"}}
    return {"apiVersion": _API, "kind": kind, "metadata": metadata, "spec": spec}
