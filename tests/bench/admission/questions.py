"""What is asked: the writes that people, workloads' controllers, the operator and the cluster itself send most.

Law: each is allowed, as most requests are, and each is such that all rules about its kind are judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ringfence import names
from ringfence.model.kinds import (
    CLAIM,
    CONFIG_MAP,
    CORE_NAMESPACE,
    EVENT,
    GUARDRAIL,
    LEASE,
    MODEL_ROUTE,
    NAMESPACE,
    NETWORK_POLICY,
    POD,
    RETENTION_POLICY,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    TENANT,
    ResourceType,
)
from tests.attack.asking import Request, Who, apply, create, patch
from tests.attack.prepared import pod
from tests.bench.admission.crowd import ADMIN, member, objects_of, tenant_name

HOME: Final = tenant_name(0)
CORE: Final = names.core_namespace(HOME, "dev")
OPERATOR: Final = Who(names.OPERATOR_USER, ("system:serviceaccounts", "system:authenticated"))
_CREATED: Final = frozenset({201})
_CHANGED: Final = frozenset({200})
_INGRESS: Final = ResourceType("networking.k8s.io", "v1", "ingresses", "Ingress")
_SERVICE: Final = ResourceType("", "v1", "services", "Service")
_DEPLOYMENT: Final = ResourceType("apps", "v1", "deployments", "Deployment")


@dataclass(frozen=True)
class Question:
    """One kind of request."""

    title: str
    who: Who
    request: Request
    answers: frozenset[int]
    """Statuses of an answer that was let pass."""


def questions() -> Sequence[Question]:
    """All of them, in the order of the table."""
    return (*_unseen(), *_workloads(), *_people(), *_own_kinds(), *_operator(), *_cluster())


def _unseen() -> Sequence[Question]:
    path = CONFIG_MAP.path(CORE, "kube-root-ca.crt")
    return (Question("GET, which no policy sees", ADMIN, Request("GET", path, None, {}), _CHANGED),)


def _workloads() -> Sequence[Question]:
    developer = member(HOME, "developer")
    placed = pod("placed", CORE, affinity=_affinity("eu-central-1"))
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "encrypted",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod("web", CORE)["spec"]}
    deployment = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    return (
        _create("Pod, its region filled in", developer, POD, CORE, pod("web", CORE)),
        _create("Pod with its region", developer, POD, CORE, placed),
        _create("Deployment", developer, _DEPLOYMENT, CORE, _body(_DEPLOYMENT, "web", {"spec": deployment})),
        _create("PersistentVolumeClaim", developer, CLAIM, CORE, _body(CLAIM, "data", {"spec": claim})),
        _create("ServiceAccount", developer, SERVICE_ACCOUNT, CORE, _body(SERVICE_ACCOUNT, "worker")),
    )


def _people() -> Sequence[Question]:
    developer, admin = member(HOME, "developer"), member(HOME, "admin")
    peers = {"podSelector": {}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}]}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": names.tenant_role("viewer")}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": f"oidc:{HOME}-viewers"}
    service = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    rule = {"host": f"app.{HOME}.example", "http": {"paths": [path]}}
    return (
        _create("ConfigMap", developer, CONFIG_MAP, CORE, _body(CONFIG_MAP, "own", {"data": {"a": "b"}})),
        _create("Secret", admin, SECRET, CORE, _body(SECRET, "own", {"stringData": {"a": "b"}})),
        _create("Service", developer, _SERVICE, CORE, _body(_SERVICE, "web", {"spec": service})),
        _create("Ingress", admin, _INGRESS, CORE, _body(_INGRESS, "web", {"spec": {"rules": [rule]}})),
        _create("NetworkPolicy", admin, NETWORK_POLICY, CORE, _body(NETWORK_POLICY, "web", {"spec": peers})),
        _create(
            "RoleBinding",
            member(HOME, "owner"),
            ROLE_BINDING,
            CORE,
            _body(ROLE_BINDING, "reader", {"roleRef": role, "subjects": [subject]}),
        ),
    )


def _own_kinds() -> Sequence[Question]:
    """By whoever changed it last, and by another, whose name is filled in."""
    owner = member(HOME, "owner")
    other = Who(f"second-owner@{HOME}", owner.groups)
    route, quota = {"limits": {"requestsPerMinute": 7}}, {"quota": {"hard": {"pods": "7"}}}
    _, namespace, _, _ = objects_of(HOME)
    new = {**namespace, "metadata": {"name": "new", "namespace": HOME}}
    return (
        _patch("ModelRoute, its spec", owner, MODEL_ROUTE.path(HOME, "chat"), route),
        _patch("ModelRoute, by another", other, MODEL_ROUTE.path(HOME, "chat"), route),
        _create("Namespace object, a new one", owner, NAMESPACE, HOME, new),
        _patch("Namespace object, its spec", owner, NAMESPACE.path(HOME, "dev"), quota),
        _patch("Namespace object, by another", other, NAMESPACE.path(HOME, "dev"), quota),
        _patch("RetentionPolicy, its spec", owner, RETENTION_POLICY.path(HOME, "default"), {"reviewEvery": "200d"}),
        _patch("Tenant, its spec", ADMIN, TENANT.path(None, HOME), {"budget": {"namespaces": 7}}),
    )


def _operator() -> Sequence[Question]:
    status = {"status": {"observedGeneration": 7}}
    guardrail = _body(GUARDRAIL, names.GUARDRAIL, {"spec": {"tenant": HOME}}, **_OURS)
    policy = _body(NETWORK_POLICY, names.DENY_ALL, {"spec": {"podSelector": {}}}, **_OURS)
    level = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}}
    lease = {"spec": {"holderIdentity": "someone"}}
    probe = _body(SECRET, "model-probe")
    return (
        Question("operator: status", OPERATOR, patch(f"{NAMESPACE.path(HOME, 'dev')}/status", status), _CHANGED),
        Question("operator: Guardrail", OPERATOR, _applied(GUARDRAIL, names.GUARDRAIL, guardrail), _CHANGED),
        Question("operator: NetworkPolicy", OPERATOR, _applied(NETWORK_POLICY, names.DENY_ALL, policy), _CHANGED),
        Question("operator: core Namespace", OPERATOR, patch(CORE_NAMESPACE.path(None, CORE), level), _CHANGED),
        Question("operator: is there a Secret", OPERATOR, create(SECRET.collection_path(HOME), probe), _CREATED),
        _create("operator: Lease", OPERATOR, LEASE, names.OPERATOR_NAMESPACE, _body(LEASE, "ringfence-new", lease)),
    )


def _cluster() -> Sequence[Question]:
    """Namespaces of nobody: what policies cost those who are no tenant of ours."""
    place = "default"
    return (
        _create("elsewhere: Pod", ADMIN, POD, place, pod("web", place)),
        _create("elsewhere: ConfigMap", ADMIN, CONFIG_MAP, place, _body(CONFIG_MAP, "own")),
        _create("elsewhere: Lease", ADMIN, LEASE, place, _body(LEASE, "own", {"spec": {"holderIdentity": "x"}})),
        _create("elsewhere: Event", ADMIN, EVENT, place, _event(place)),
        Question(
            "elsewhere: core Namespace",
            ADMIN,
            patch(CORE_NAMESPACE.path(None, place), {"metadata": {"labels": {"team": "x"}}}),
            _CHANGED,
        ),
    )


_OURS: Final[Mapping[str, Any]] = {
    "labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY, names.TENANT_LABEL: HOME},
}


def _create(title: str, who: Who, kind: ResourceType, namespace: str, body: Mapping[str, Any]) -> Question:
    return Question(title, who, create(kind.collection_path(namespace), body), _CREATED)


def _patch(title: str, who: Who, path: str, spec: Mapping[str, Any]) -> Question:
    return Question(title, who, patch(path, {"spec": spec}), _CHANGED)


def _applied(kind: ResourceType, name: str, body: Mapping[str, Any]) -> Request:
    return apply(kind.path(CORE, name), body)


def _body(kind: ResourceType, name: str, fields: Mapping[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": name, **metadata},
        **(fields or {}),
    }


def _event(namespace: str) -> dict[str, Any]:
    told = {
        "eventTime": "2026-11-22T08:00:00.000000Z",
        "reportingController": "bench",
        "reportingInstance": "bench",
        "action": "Measured",
        "reason": "Measured",
        "type": "Normal",
        "regarding": {"kind": "Namespace", "name": namespace, "namespace": namespace},
    }
    return _body(EVENT, "measured", told)


def _affinity(region: str) -> dict[str, Any]:
    term = {"matchExpressions": [{"key": "topology.kubernetes.io/region", "operator": "In", "values": [region]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
