"""Tenants as the planner makes them, on a real API server on which no operator runs.

Law: what the operator would write is written with its own identity and passes its own fence; what people would write is
written by them. So everything here is a request that the policies allow.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ringfence import names
from ringfence.admission.answers import UNCONFIGURED
from ringfence.cli.glass import REASON
from ringfence.controlplane import APPLY_PATCH, MERGE_PATCH, Client, ControlPlane
from ringfence.model.kinds import (
    CONFIG_MAP,
    CORE_NAMESPACE,
    DEPLOYMENT,
    LIMIT_RANGE,
    MODEL_ROUTE,
    NAMESPACE,
    PRIMARY_TYPES,
    RESOURCE_QUOTA,
    RETENTION_POLICY,
    SECRET,
    TENANT,
    Ref,
)
from ringfence.plan.canary import plan_canary
from tests.attack.asking import Asker, Request, Who
from tests.simulation import Simulation
from tests.waiting import eventually

API: Final = "ringfence.dev/v1alpha1"
RBAC: Final = "rbac.authorization.k8s.io"
REVISION: Final = "rev-6f1c0a9d2b417e55"
MFA: Final = (("ringfence.dev/acr", "mfa"),)


def member(tenant: str, role: str, name: str = "", extra: tuple[tuple[str, str], ...] = ()) -> Who:
    """One of a tenant's people."""
    return Who(name or f"{role}@{tenant}", (f"oidc:{tenant}-{role}s",), extra)


def workload(namespace: str, name: str) -> Who:
    """A ServiceAccount."""
    return Who(f"system:serviceaccount:{namespace}:{name}")


ADMINISTRATOR: Final = Who("kubernetes-admin", ("system:masters",))
SECOND: Final = Who("second-administrator", ("system:masters",))
GITOPS: Final = Who("gitops")
"""A GitOps controller with every right and a certificate, like the administrators'."""
FLUX: Final = workload("flux-system", "flux")
"""The same with a ServiceAccount."""
LABELLER: Final = Who("labeller")
"""Has every right on core namespaces and their subresources, and no other."""
EDITOR: Final = Who("editor")
"""Has every right on everything, but not the verb `bypass`, and creates no Tenants."""
OPERATOR: Final = Who(names.OPERATOR_USER)
"""Given every right, for its fence alone to hold."""
CANARY: Final = workload(names.OPERATOR_NAMESPACE, names.CANARY)

OWNER: Final = member("acme", "owner")
ADMIN: Final = member("acme", "admin")
DEVELOPER: Final = member("acme", "developer")
VIEWER: Final = member("acme", "viewer")
PROMOTER: Final = member("acme", "owner", "promoter@acme")
CISO: Final = Who("ciso", ("oidc:ciso", "oidc:acme-owners"))
APPROVER: Final = Who("approver", ("oidc:ciso",))
"""Approves for acme's production, and is nothing else in the tenant."""
GLOBEX_ADMIN: Final = member("globex", "admin")
HELPDESK: Final = Who("helpdesk")
"""May act as any user, but in no group and with no sign-in of his."""
DEPUTY: Final = Who("deputy")
"""Has the operator's role as it is shipped, and not its name: what its roles alone hold."""
WORKER: Final = workload("acme-dev", "default")
"""What runs in a tenant's namespace."""
ROBOT: Final = workload("platform", "robot")
"""A ServiceAccount of the platform's that acme knows as an owner."""

_OF_GATEWAYS: Final = (DEPLOYMENT, SECRET)
"""What runs is no attack's target here; the operator's rows ask for it themselves."""
LOCAL: Final = {
    "name": "local",
    "schema": "OpenAI",
    "service": {"namespace": "models", "name": "llama", "port": 8000},
    "models": ["llama"],
}

TENANTS: Final[tuple[dict[str, Any], ...]] = (
    {
        "name": "acme",
        "spec": {
            "access": {
                **{f"{role}s": [{"group": f"oidc:acme-{role}s"}] for role in names.ROLES if role != "owner"},
                "owners": [
                    {"group": "oidc:acme-owners"},
                    {"serviceAccount": {"namespace": "platform", "name": "robot"}},
                ],
            },
            "environments": [
                {"name": "dev"},
                {"name": "staging"},
                {"name": "prod", "protected": True, "approvers": [{"group": "oidc:ciso"}]},
            ],
            "residency": {"regions": ["eu-central-1", "eu-west-1"]},
            "scheduling": {
                "tolerations": [{"key": "nvidia.com/gpu", "operator": "Equal", "value": "present"}],
                "nodeSelector": {"accelerator": "h100"},
                "runtimeClasses": ["gvisor"],
                "priorityClasses": ["batch"],
            },
            "storageClasses": ["encrypted"],
            "secretStores": [{"kind": "ClusterSecretStore", "name": "vault", "keyPrefix": "acme/"}],
            "network": {"hosts": ["*.acme.example", "acme.example"]},
            "providers": [LOCAL],
        },
        "namespaces": {
            "dev": {"environment": "dev", "region": "eu-central-1", "gatewayKeys": [{"name": "ci", "maxAge": "60d"}]},
            "prod": {
                "environment": "prod",
                "region": "eu-central-1",
                "gatewayKeys": [{"name": "try"}, {"name": "batch", "mode": "Live"}],
            },
            "models": {"environment": "dev", "region": "eu-central-1"},
            "tight": {
                "environment": "dev",
                "region": "eu-central-1",
                "quota": {"hard": {"requests.cpu": "1", "configmaps": "2"}},
            },
        },
    },
    {
        "name": "globex",
        "spec": {
            "access": {
                **{f"{role}s": [{"group": f"oidc:globex-{role}s"}] for role in names.ROLES},
                "stepUp": {"extraKey": "ringfence.dev/acr", "values": ["mfa"]},
            },
            "environments": [{"name": "dev"}, {"name": "prod", "protected": True}],
            "providers": [LOCAL],
        },
        "namespaces": {"dev": {"environment": "dev"}},
    },
    {
        "name": "umbra",
        "spec": {
            "access": {f"{role}s": [{"group": f"oidc:umbra-{role}s"}] for role in names.ROLES},
            "isolation": "Quarantined",
            "incident": {"id": "INC-1", "reason": "drill"},
        },
        "namespaces": {"dev": {"environment": "dev"}},
    },
    {"name": "penumbra", "spec": {"isolation": "Quarantined", "incident": {"id": "INC-2", "reason": "over"}}},
    {"name": "closing", "spec": {}},
    {"name": "annular", "spec": {"isolation": "Quarantined", "incident": {"id": "INC-3", "reason": "changed since"}}},
    {"name": "ebbing", "spec": {}},
    {"name": "waning", "spec": {}},
)


@dataclass(frozen=True)
class Prepared:
    """A control plane with policies, tenants and people, and nobody who repairs."""

    plane: ControlPlane
    asker: Asker

    @property
    def admin(self) -> Client:
        """All rights."""
        return self.plane.admin

    def must(self, who: Who, *requests: Request) -> None:
        """Send these one after another; fail where one is refused."""
        for request in requests:
            (answer,) = self.asker.ask([(who, request)])
            assert answer.status < 400, f"{who.user} {request.method} {request.path}: {answer.message}"

    def patiently(self, who: Who, request: Request) -> None:
        """Send it until it is not refused: the API server knows parameters and namespaces a moment late."""

        def done() -> bool:
            self.must(who, request)
            return True

        eventually(done, 90)


def prepare(plane: ControlPlane) -> Prepared:
    """Everything that rows of the table are about."""
    prepared = Prepared(plane, Asker(plane))
    introduce(plane.admin)
    for manifest in (*_unfenced(), *_foreign_kinds()):
        _put(plane.admin, manifest)
    _make_tenants(prepared)
    _make_canary(prepared)
    _make_contents(prepared)
    eventually(lambda: _counted(plane.admin), 90)
    return prepared


def introduce(admin: Client) -> None:
    """Make everybody known who is not a tenant's, and the classes that pods may name."""
    for manifest in _platform():
        _put(admin, manifest)


def _counted(admin: Client) -> bool:
    """Whether the API server knows what is used of every quota, the ConfigMap that Kubernetes makes included."""
    maps = admin.get(CONFIG_MAP.collection_path()).must()["items"]
    there = Counter(each["metadata"]["namespace"] for each in maps)
    trusted = {each["metadata"]["namespace"] for each in maps if each["metadata"]["name"] == "kube-root-ca.crt"}
    for quota in admin.get(RESOURCE_QUOTA.collection_path()).must()["items"]:
        namespace, used = quota["metadata"]["namespace"], quota.get("status", {}).get("used", {})
        known = quota["spec"]["hard"].keys() <= used.keys()
        if not known or namespace not in trusted or int(used.get("configmaps", there[namespace])) != there[namespace]:
            return False
    return True


def path_of(manifest: Mapping[str, Any]) -> str:
    """The URL path of a manifest's collection."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    root = f"/apis/{group}/{version}" if group else f"/api/{version}"
    kind = manifest["kind"].lower()
    plural = {
        "networkpolicy": "networkpolicies",
        "ingress": "ingresses",
        "priorityclass": "priorityclasses",
        "runtimeclass": "runtimeclasses",
    }.get(kind, f"{kind}s")
    if group == "ringfence.dev":
        plural = next(each.plural for each in PRIMARY_TYPES if each.kind == manifest["kind"])
    namespace = manifest["metadata"].get("namespace")
    return f"{root}/namespaces/{namespace}/{plural}" if namespace else f"{root}/{plural}"


def _put(admin: Client, manifest: Mapping[str, Any]) -> None:
    """Make it, once the policies that it is about know their parameters: an API server looks for them every 30 s."""

    def made() -> bool:
        answer = admin.request("POST", path_of(manifest), manifest)
        if any(sign in str(answer.body) for sign in UNCONFIGURED):
            return False
        answer.must()
        return True

    eventually(made, 90)


def _platform() -> Iterator[dict[str, Any]]:
    """Who is not a tenant's: administrators, controllers, and classes that pods may name."""
    for name in ("flux-system", "platform", "default-team"):
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    for namespace, name in (("flux-system", "flux"), ("platform", "robot")):
        yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"namespace": namespace, "name": name}}
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    verbs = ["create", "update", "patch", "delete", "get", "list", "watch", "deletecollection", "bind", "escalate"]
    yield _cluster_role("every-right", everything)
    yield _cluster_role(
        "every-right-but-bypass",
        {"apiGroups": ["*"], "resources": ["*"], "verbs": verbs},
    )
    yield _cluster_role(
        "namespaces-only",
        {
            "apiGroups": [""],
            "resources": ["namespaces", "namespaces/status", "namespaces/finalize"],
            "verbs": ["*"],
        },
    )
    yield _bound("gitops", "every-right", {"kind": "User", "name": GITOPS.user})
    yield _bound("flux", "every-right", {"kind": "ServiceAccount", "namespace": "flux-system", "name": "flux"})
    yield _bound("editor", "every-right-but-bypass", {"kind": "User", "name": EDITOR.user})
    yield _bound("labeller", "namespaces-only", {"kind": "User", "name": LABELLER.user})
    yield _cluster_role("users-only", {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]})
    yield _bound("helpdesk", "users-only", {"kind": "User", "name": HELPDESK.user})
    shipped = _bound("deputy", names.OPERATOR_SERVICE_ACCOUNT, {"kind": "User", "name": DEPUTY.user})
    yield {**shipped, "metadata": {"name": "deputy", "annotations": REASON}}
    for name, value in (("batch", 10), ("urgent", 1000)):
        yield {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": value,
        }
    for name in ("gvisor", "other"):
        yield {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": name}


def _unfenced() -> Iterator[dict[str, Any]]:
    """Every right for the operator, so that its fence alone holds it."""
    operator = {
        "kind": "ServiceAccount",
        "namespace": names.OPERATOR_NAMESPACE,
        "name": names.OPERATOR_SERVICE_ACCOUNT,
    }
    yield _bound("operator-every-right", "every-right", operator)


def _foreign_kinds() -> Iterator[dict[str, Any]]:
    """Definitions of others whose objects policies judge."""
    yield _definition("external-secrets.io", "ExternalSecret")
    yield _definition("external-secrets.io", "PushSecret")
    yield _definition("gateway.networking.k8s.io", "HTTPRoute")
    yield _definition("gateway.networking.k8s.io", "TCPRoute")
    yield _definition("gateway.networking.k8s.io", "Gateway")


def _definition(group: str, kind: str) -> dict[str, Any]:
    """A definition that takes anything: what is judged here is not its own schema."""
    plural, approved = f"{kind.lower()}s", {"api-approved.kubernetes.io": "unapproved, for tests"}
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": anything}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}", "annotations": approved},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [version],
        },
    }


def _cluster_role(name: str, *rules: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": list(rules)}


def _bound(name: str, role: str, subject: dict[str, Any]) -> dict[str, Any]:
    if subject["kind"] != "ServiceAccount":
        subject = {"apiGroup": RBAC, **subject}
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [subject],
    }


def _make_tenants(prepared: Prepared) -> None:
    """Plan in a simulated world, then write what was planned: namespaces, the fence, objects of ours, finalizers."""
    world = Simulation()
    for tenant in TENANTS:
        for manifest in _tenant(tenant):
            world.put(manifest)
    world.settle()
    made = ((ref, manifest) for ref, manifest in world.applied.items() if ref.type not in _OF_GATEWAYS)
    applied = sorted(made, key=lambda item: (item[0].type != CORE_NAMESPACE, item[0]))
    for ref, manifest in applied:
        if ref.type == CORE_NAMESPACE:
            prepared.must(OPERATOR, _create(ref, manifest))
    for tenant in TENANTS:
        for manifest in _tenant(tenant):
            _put(prepared.admin, manifest)
    for ref, manifest in applied:
        if ref.type != CORE_NAMESPACE:
            prepared.patiently(OPERATOR, _apply(ref, manifest))
    for ref in (ref for ref in world.objects if ref.type in (TENANT, NAMESPACE)):
        held = {"metadata": {"finalizers": [names.FINALIZER]}}
        prepared.must(OPERATOR, Request("PATCH", ref.path, held, {}, MERGE_PATCH))


def _make_canary(prepared: Prepared) -> None:
    """The namespaces in which the operator would ask whether policies are in force."""
    for stage in plan_canary().stages:
        for desired in stage.apply:
            prepared.patiently(OPERATOR, _apply(desired.ref, desired.manifest))


def _tenant(tenant: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    name = tenant["name"]
    yield {"apiVersion": API, "kind": "Tenant", "metadata": {"name": name}, "spec": tenant["spec"]}
    for namespace, spec in tenant.get("namespaces", {}).items():
        metadata = {"name": namespace, "namespace": name}
        yield {"apiVersion": API, "kind": "Namespace", "metadata": metadata, "spec": spec}


def _create(ref: Ref, manifest: Mapping[str, Any]) -> Request:
    return Request("POST", ref.type.collection_path(ref.namespace or None), manifest, {})


def _apply(ref: Ref, manifest: Mapping[str, Any]) -> Request:
    return Request("PATCH", ref.path, manifest, {"fieldManager": names.FIELD_MANAGER, "force": "true"}, APPLY_PATCH)


def _make_contents(prepared: Prepared) -> None:
    """What people of the tenants have there, and what administrators did, each with the reason that it takes."""
    for who, manifest in _contents():
        request = Request("POST", path_of(manifest), manifest, {})
        prepared.patiently(who, request)
    for who, manifest in _going():
        path = path_of(manifest)
        prepared.patiently(who, Request("POST", path, manifest, {}))
        prepared.must(who, Request("DELETE", f"{path}/{manifest['metadata']['name']}", None, {}))
    for who, path, body in _later():
        prepared.must(who, Request("PATCH", path, body, {}, MERGE_PATCH))


def _contents() -> Iterator[tuple[Who, dict[str, Any]]]:
    for namespace in ("dev", "prod"):
        yield GITOPS, pod("app", f"acme-{namespace}")
    yield DEVELOPER, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "own", "namespace": "acme-dev"}}
    for namespace, key in (("dev", "own"), ("prod", "try")):
        account = {"name": names.gateway_key(key), "namespace": f"acme-{namespace}"}
        yield DEVELOPER, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account}
    yield GITOPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "findings", "namespace": "umbra-dev"}}
    yield (
        DEVELOPER,
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "talker", "namespace": "acme-dev"},
            "automountServiceAccountToken": True,
        },
    )
    storage = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    yield (
        DEVELOPER,
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "standing", "namespace": "acme-dev"},
            "spec": {**storage, "storageClassName": "encrypted"},
        },
    )
    for name, finalizers in (("model-plain", ()), ("model-held", ("acme.example/keep",))):
        metadata = {"name": name, "namespace": "acme", "finalizers": list(finalizers)}
        yield ADMIN, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    hold = {"name": "case", "reason": "litigation"}
    for tenant, who in (("acme", PROMOTER), ("globex", GLOBEX_ADMIN)):
        yield who, route("chat", tenant)
        for name in ("held", "asked", "standing"):
            yield who, retention(name, tenant, holds=[hold])
        yield who, retention("free", tenant)
    yield PROMOTER, route("early", "acme")
    yield GITOPS, route("chat", "umbra")


def _going() -> Iterator[tuple[Who, dict[str, Any]]]:
    """What its makers deleted and hold by a finalizer: it works as ever, until that is gone."""
    metadata = {"name": "going", "namespace": "acme-dev", "finalizers": ["acme.example/keep"]}
    kept: dict[str, Any] = {"metadata": metadata}
    networking = "networking.k8s.io/v1"
    peers: dict[str, Any] = {"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}
    yield ADMIN, {"apiVersion": networking, "kind": "NetworkPolicy", **kept, "spec": peers}
    given = {"roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": names.tenant_role("viewer")}}
    subjects = [{"apiGroup": RBAC, "kind": "Group", "name": "oidc:acme-viewers"}]
    yield ADMIN, {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", **kept, **given, "subjects": subjects}
    service = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    yield DEVELOPER, {"apiVersion": "v1", "kind": "Service", **kept, "spec": service}
    way = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}
    rules = [{"host": "app.acme.example", "http": {"paths": [way]}}]
    yield DEVELOPER, {"apiVersion": networking, "kind": "Ingress", **kept, "spec": {"rules": rules}}


def _later() -> Iterator[tuple[Who, str, dict[str, Any]]]:
    """Changes that need what was there before."""
    promoted = {"spec": {"promotions": {"staging": REVISION, "prod": REVISION}}}
    yield PROMOTER, MODEL_ROUTE.path("acme", "chat"), promoted
    beforehand = {"spec": {"promotions": {"staging": REVISION, "audit": REVISION}}}  # acme has no audit yet
    yield PROMOTER, MODEL_ROUTE.path("acme", "early"), beforehand
    yield GLOBEX_ADMIN, MODEL_ROUTE.path("globex", "chat"), {"spec": {"promotions": {"prod": REVISION}}}
    release = {"spec": {"legalHolds": [{"name": "case", "reason": "litigation", "release": {"reason": "settled"}}]}}
    yield PROMOTER, RETENTION_POLICY.path("acme", "held"), release
    yield GITOPS, RETENTION_POLICY.path("acme", "asked"), release
    yield GLOBEX_ADMIN, RETENTION_POLICY.path("globex", "held"), release
    for tenant in ("closing", "ebbing", "globex", "umbra"):
        yield SECOND, TENANT.path(None, tenant), annotated({names.CONFIRM_DELETE_ANNOTATION: tenant})
    yield FLUX, TENANT.path(None, "waning"), annotated({names.CONFIRM_DELETE_ANNOTATION: "waning"})
    for tenant in ("annular", "penumbra"):
        yield SECOND, TENANT.path(None, tenant), annotated({names.CONFIRM_RELEASE_ANNOTATION: tenant})
    for tenant in ("annular", "ebbing"):  # what was confirmed of them is not what they are any more
        yield GITOPS, TENANT.path(None, tenant), {"spec": {"displayName": "changed since"}}
    yield ADMINISTRATOR, NAMESPACE.path("acme", "models"), annotated(REASON)
    yield ADMINISTRATOR, LIMIT_RANGE.path("acme-models", names.LIMITS), annotated(REASON)
    # One layer is switched off: Pod Security, so that the policies behind it are what answers.
    privileged = {"pod-security.kubernetes.io/enforce": "privileged"}
    yield (
        ADMINISTRATOR,
        CORE_NAMESPACE.path(None, "acme-dev"),
        {"metadata": {**annotated(REASON)["metadata"], "labels": privileged}},
    )
    yield ADMINISTRATOR, CORE_NAMESPACE.path(None, "acme-dev"), annotated({names.BREAK_GLASS_ANNOTATION: None})


def annotated(annotations: Mapping[str, str | None]) -> dict[str, Any]:
    """The merge patch that sets annotations."""
    return {"metadata": {"annotations": dict(annotations)}}


def pod(name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    """A pod that every level of Pod Security takes."""
    restricted = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "app", "image": "registry.example/app", "securityContext": restricted}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [container], **spec},
    }


def route(name: str, home: str, **spec: Any) -> dict[str, Any]:
    """A ModelRoute."""
    whole = {"model": name, "backends": [{"provider": "local", "model": "llama"}], **spec}
    return {"apiVersion": API, "kind": "ModelRoute", "metadata": {"name": name, "namespace": home}, "spec": whole}


def retention(name: str, home: str, *, holds: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A RetentionPolicy."""
    metadata = {"name": name, "namespace": home}
    return {"apiVersion": API, "kind": "RetentionPolicy", "metadata": metadata, "spec": {"legalHolds": holds or []}}
