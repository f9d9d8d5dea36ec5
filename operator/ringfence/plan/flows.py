"""Who waits behind whom at the API server: flows and priority levels of API Priority and Fairness.

Laws: the operator has seats that no tenant can take, and serves each namespace by turns; whoever writes our kinds has a
flow of his own and waits behind his own requests. People are told apart by their names, which they can't choose, and
never by the namespace that a request is about: anybody may fill the queue of somebody else's namespace with requests
that are refused only later. Other writes stay with Kubernetes' own levels, which tell users apart as well.

Kubernetes: "API Priority and Fairness", flowcontrol.apiserver.k8s.io/v1.
"""

from typing import Any, Final, Literal

from ringfence import names
from ringfence.model.kinds import GROUP

_API: Final = "flowcontrol.apiserver.k8s.io/v1"
OPERATOR_FLOWS: Final = names.OPERATOR_SERVICE_ACCOUNT
TENANT_FLOWS: Final = "ringfence-tenants"

# Kubernetes' own levels have 245 shares together, of by default 600 requests at once: a share is about two.
_OPERATOR_SHARES: Final = 20
"""More than its 16 calls in flight, its watches and its lists need."""
_TENANT_SHARES: Final = 10
"""A write of our kinds costs more than others: it is judged, stamped, and wakes the operator."""
# Smaller numbers are asked first. Before those for controllers of Kubernetes; before those for everybody.
_BEFORE_CONTROLLERS: Final = 750
_BEFORE_EVERYBODY: Final = 8000


def flows() -> list[dict[str, Any]]:
    """Manifests, levels before the schemas that lead to them."""
    operator = {
        "kind": "ServiceAccount",
        "serviceAccount": {"name": names.OPERATOR_SERVICE_ACCOUNT, "namespace": names.OPERATOR_NAMESPACE},
    }
    everybody = {"kind": "Group", "group": {"name": "system:authenticated"}}
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
    elsewhere = {"nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]}
    return [
        _level(OPERATOR_FLOWS, _OPERATOR_SHARES, queues=16, hand=4),
        _level(TENANT_FLOWS, _TENANT_SHARES, queues=64, hand=6),
        _schema(
            OPERATOR_FLOWS,
            _BEFORE_CONTROLLERS,
            "ByNamespace",
            {"subjects": [operator], "resourceRules": [everything], **elsewhere},
        ),
        _schema(
            TENANT_FLOWS,
            _BEFORE_EVERYBODY,
            "ByUser",
            {"subjects": [everybody], "resourceRules": [{**everything, "apiGroups": [GROUP]}]},
        ),
    ]


def _level(name: str, shares: int, *, queues: int, hand: int) -> dict[str, Any]:
    queuing = {"queues": queues, "handSize": hand, "queueLengthLimit": 50}
    limited = {
        "nominalConcurrencyShares": shares,
        "lendablePercent": 50,
        "limitResponse": {"type": "Queue", "queuing": queuing},
    }
    return _manifest("PriorityLevelConfiguration", name, {"type": "Limited", "limited": limited})


def _schema(
    name: str, precedence: int, distinguisher: Literal["ByNamespace", "ByUser"], rule: dict[str, Any]
) -> dict[str, Any]:
    spec = {
        "priorityLevelConfiguration": {"name": name},
        "matchingPrecedence": precedence,
        "distinguisherMethod": {"type": distinguisher},
        "rules": [rule],
    }
    return _manifest("FlowSchema", name, spec)


def _manifest(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "labels": {"app.kubernetes.io/name": "ringfence"}}
    return {"apiVersion": _API, "kind": kind, "metadata": metadata, "spec": spec}
