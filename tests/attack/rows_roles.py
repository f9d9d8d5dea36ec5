"""Attacks that roles alone refuse: what is only read, other identities, and what is nobody's of a tenant.

Law: each names the one right that lacks. Admission sees no reading, so here nothing stands behind a role, unless a row
says that it is backed.
"""

import base64
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ringfence import names
from ringfence.admission.threats import Threat
from ringfence.plan.rights import Action
from tests.attack.asking import Request, Who, create, delete, patch
from tests.attack.prepared import (
    ADMIN,
    API,
    DEPUTY,
    DEVELOPER,
    GITOPS,
    GLOBEX_ADMIN,
    HELPDESK,
    OWNER,
    VIEWER,
    WORKER,
    pod,
)
from tests.attack.rows import ANY_CHANGE, RBAC, Ask, RoleRow, core, group, named, ours
from tests.attack.rows_access import OWN_ROLE, VIEWER_ROLE, bind, into, token

WHO_AM_I: Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
NO_GRANT: Final = "attempting to grant RBAC permissions not currently held"


def read(path: str, **query: str) -> Request:
    """A get or a list."""
    return Request("GET", path, None, query)


def watch(path: str) -> Request:
    """A watch that ends soon."""
    return read(path, watch="true", timeoutSeconds="1")


def acting(**headers: str) -> Request:
    """A question who one is, as somebody else."""
    spelt = {f"Impersonate-{name.replace('_', '-')}": value for name, value in headers.items()}
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    return Request("POST", WHO_AM_I, body, {}, headers=spelt)


def row(title: str, threat: Threat, right: str, attack: Ask, twin: Ask, **more: Any) -> RoleRow:
    """The right is written as a verb, a resource with ``@`` and its group, and perhaps the name of the only object."""
    verb, resource, *name = right.split()
    plural, _, api = resource.partition("@")
    needed = Action(api, plural, verb, *name)
    return RoleRow(title, right, attack, twin, personal=True, threat=threat, right=needed, **more)


HOME_SECRETS: Final = core("acme", "secrets")
MAPS: Final = (OWNER, read(core("acme", "configmaps")))
DEV: Final = ours("acme", "tenantnamespaces", "dev")
OF_ONES_OWN: Final = named("more", {"apiVersion": API, "kind": "Namespace", "spec": {"environment": "dev"}})
ANOTHER: Final = named("initech", {"apiVersion": API, "kind": "Tenant", "spec": {}})
CHANGED: Final = (OWNER, patch(DEV, ANY_CHANGE))

SECRET_ROWS: Final = (
    row(
        "a model's key, read",
        Threat.READ_SECRETS,
        "get secrets",
        (OWNER, read(f"{HOME_SECRETS}/model-plain")),
        MAPS,
    ),
    row("all keys, listed", Threat.READ_SECRETS, "list secrets", (OWNER, read(HOME_SECRETS)), MAPS),
    row("all keys, watched", Threat.READ_SECRETS, "watch secrets", (OWNER, watch(HOME_SECRETS)), MAPS),
    row(
        "a key, in the answer to a patch",
        Threat.READ_SECRETS,
        "patch secrets",
        (OWNER, patch(f"{HOME_SECRETS}/model-plain", ANY_CHANGE)),
        (OWNER, create(HOME_SECRETS, named("model-new"))),
    ),
    row(
        "all keys, in the answer to their deletion",
        Threat.READ_SECRETS,
        "deletecollection secrets",
        (OWNER, delete(HOME_SECRETS)),
        (OWNER, delete(f"{HOME_SECRETS}/model-plain", propagationPolicy="Background")),
        backed=True,
    ),
    row(
        "a password, read by a viewer",
        Threat.READ_SECRETS,
        "get secrets",
        (VIEWER, read(core("acme-dev", "secrets", "db"))),
        (VIEWER, read(core("acme-dev", "configmaps", "own"))),
    ),
    row(
        "every tenant's passwords",
        Threat.CLUSTER_LISTS,
        "list secrets",
        (DEVELOPER, read("/api/v1/secrets")),
        (DEVELOPER, read(core("acme-dev", "secrets"))),
    ),
    row(
        "the operator's keys",
        Threat.FORGED_OPERATOR,
        "get secrets",
        (ADMIN, read(core(names.OPERATOR_NAMESPACE, "secrets", "keys"))),
        (ADMIN, read(core("acme-dev", "secrets"))),
    ),
)


def everywhere(what: str, who: Who, attack: Request, twin: Request) -> RoleRow:
    verb = "watch" if attack.query else "list"
    return row(f"{verb} {what} of all tenants", Threat.CLUSTER_LISTS, f"{verb} {what}", (who, attack), (who, twin))


LIST_ROWS: Final = (
    everywhere("pods", OWNER, read("/api/v1/pods"), read(core("acme-dev", "pods"))),
    everywhere("pods", ADMIN, watch("/api/v1/pods"), watch(core("acme-dev", "pods"))),
    everywhere(
        "tenantnamespaces@ringfence.dev",
        OWNER,
        read(ours("", "tenantnamespaces")),
        read(ours("acme", "tenantnamespaces")),
    ),
    everywhere("guardrails@ringfence.dev", VIEWER, read(ours("", "guardrails")), read(ours("acme-dev", "guardrails"))),
    everywhere("tenants@ringfence.dev", OWNER, read(ours("", "tenants")), read(ours("acme", "guardrails"))),
    everywhere("namespaces", OWNER, read("/api/v1/namespaces"), read(ours("acme", "tenantnamespaces"))),
    everywhere("nodes", DEVELOPER, read("/api/v1/nodes"), read(core("acme-dev", "pods"))),
)

FOREIGN_ROWS: Final = (
    row(
        "another tenant's pods",
        Threat.CLUSTER_LISTS,
        "list pods",
        (GLOBEX_ADMIN, read(core("acme-dev", "pods"))),
        (GLOBEX_ADMIN, read(core("globex-dev", "pods"))),
    ),
    row(
        "another tenant's logs",
        Threat.CLUSTER_LISTS,
        "get pods/log",
        (GLOBEX_ADMIN, read(core("acme-dev", "pods", "app/log"))),
        (DEVELOPER, read(core("acme-dev", "pods", "app/log"))),
    ),
    row(
        "another tenant's password",
        Threat.READ_SECRETS,
        "get secrets",
        (GLOBEX_ADMIN, read(core("acme-dev", "secrets", "db"))),
        (GLOBEX_ADMIN, read(core("globex-dev", "secrets"))),
    ),
    row(
        "another tenant's route, changed",
        Threat.SIDE_ENTRANCES,
        "patch modelroutes@ringfence.dev",
        (GLOBEX_ADMIN, patch(ours("acme", "modelroutes", "chat"), ANY_CHANGE)),
        (GLOBEX_ADMIN, patch(ours("globex", "modelroutes", "chat"), ANY_CHANGE)),
    ),
    row(
        "a Namespace object in another tenant's home",
        Threat.TAKEN_NAMES,
        "create tenantnamespaces@ringfence.dev",
        (GLOBEX_ADMIN, create(ours("acme", "tenantnamespaces"), OF_ONES_OWN)),
        (GLOBEX_ADMIN, create(ours("globex", "tenantnamespaces"), OF_ONES_OWN)),
    ),
    row(
        "the platform's configuration",
        Threat.SIDE_ENTRANCES,
        "create configmaps",
        (OWNER, create(core("kube-system", "configmaps"), named("coredns-custom"))),
        (OWNER, create(core("acme-dev", "configmaps"), named("coredns-custom"))),
    ),
)


def certificate_request(user: str) -> dict[str, Any]:
    """A CertificateSigningRequest in that user's name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, user)])
    signed = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    request = base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()
    signer = "kubernetes.io/kube-apiserver-client"
    return named("me", {"spec": {"request": request, "signerName": signer, "usages": ["client auth"]}})


def review(kind: str, **spec: Any) -> Request:
    """A question about rights."""
    body = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}, **spec}}
    return Request("POST", f"/apis/authorization.k8s.io/v1/{kind}", body, {})


POLICY: Final = group("admissionregistration.k8s.io/v1", "", "validatingadmissionpolicies", "ringfence-roles")
LEASES: Final = group("coordination.k8s.io/v1", names.OPERATOR_NAMESPACE, "leases")
REQUESTS: Final = group("certificates.k8s.io/v1", "", "certificatesigningrequests")
VOLUMES: Final = "/api/v1/persistentvolumes"
DISK: Final = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/"}}
ON_NODE: Final = named("app", {"target": {"kind": "Node", "name": "node-1"}})


def platforms(title: str, threat: Threat, right: str, request: Request, **more: Any) -> RoleRow:
    """What a tenant's owner tries and the platform team may do."""
    return row(title, threat, right, (OWNER, request), (GITOPS, request), **more)


PLATFORM_ROWS: Final = (
    platforms(
        "a greater budget",
        Threat.QUOTA_RACES,
        "patch tenants@ringfence.dev",
        patch(ours("", "tenants", "acme"), {"spec": {"budget": {"namespaces": 400}}}),
    ),
    platforms(
        "a Tenant of one's own",
        Threat.SQUATTED_NAMES,
        "create tenants@ringfence.dev",
        create(ours("", "tenants"), ANOTHER),
    ),
    platforms(
        "a namespace beside the Tenant's",
        Threat.TAKEN_NAMES,
        "create namespaces",
        create("/api/v1/namespaces", named("acme-shadow")),
    ),
    platforms(
        "all Namespace objects at once",
        Threat.MASS_DELETION,
        "deletecollection tenantnamespaces@ringfence.dev",
        delete(ours("acme", "tenantnamespaces")),
    ),
    platforms(
        "an admission policy, deleted",
        Threat.SIDE_ENTRANCES,
        "delete validatingadmissionpolicies@admissionregistration.k8s.io",
        delete(POLICY),
    ),
    platforms(
        "the operator's lease, taken before it starts",
        Threat.ABSENT_OPERATOR,
        "create leases@coordination.k8s.io",
        create(LEASES, named(names.LEASE, {"spec": {"holderIdentity": "nobody"}})),
    ),
    platforms(
        "a certificate in the operator's name",
        Threat.FORGED_OPERATOR,
        "create certificatesigningrequests@certificates.k8s.io",
        create(REQUESTS, certificate_request(names.OPERATOR_USER)),
    ),
    platforms(
        "a volume that is a node's disk",
        Threat.BROKEN_PODS,
        "create persistentvolumes",
        create(VOLUMES, named("disk", {"spec": DISK})),
    ),
    platforms(
        "a pod put on a node by hand",
        Threat.BROKEN_PODS,
        "create pods/binding",
        create(core("acme-dev", "pods", "app/binding"), ON_NODE),
    ),
    platforms(
        "a node, through the API server",
        Threat.SIDE_ENTRANCES,
        "get nodes/proxy",
        read("/api/v1/nodes/node-1/proxy/pods"),
    ),
    row(
        "a pod, through the API server",
        Threat.SIDE_ENTRANCES,
        "get pods/proxy",
        (OWNER, read(core("acme-dev", "pods", "app/proxy/"))),
        (OWNER, read(core("acme-dev", "pods", "app/log"))),
        backed=True,
    ),
    row(
        "a status by hand",
        Threat.FORGED_STATUS,
        "patch tenantnamespaces/status@ringfence.dev",
        (OWNER, patch(f"{DEV}/status", {"status": {"coreNamespace": "kube-system"}})),
        CHANGED,
        backed=True,
    ),
    row(
        "what others may do",
        Threat.CLUSTER_LISTS,
        "create subjectaccessreviews@authorization.k8s.io",
        (OWNER, review("subjectaccessreviews", user="somebody")),
        (OWNER, review("selfsubjectaccessreviews")),
    ),
)

GRANTED: Final = (ADMIN, bind("acme-dev", VIEWER_ROLE))
AGGREGATED: Final = named(
    "mine",
    {"rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]},
    labels={f"rbac.authorization.k8s.io/aggregate-to-{VIEWER_ROLE}": "true"},
)

ESCALATION_ROWS: Final = (
    row(
        "cluster-admin, by a binding",
        Threat.ESCALATED_ROLES,
        "bind clusterroles@rbac.authorization.k8s.io cluster-admin",
        (ADMIN, bind("acme-dev", "cluster-admin")),
        GRANTED,
        says=NO_GRANT,
        backed=True,
    ),
    row(
        "a role above one's own",
        Threat.ESCALATED_ROLES,
        f"bind clusterroles@rbac.authorization.k8s.io {names.tenant_role('owner')}",
        (ADMIN, bind("acme-dev", names.tenant_role("owner"))),
        (OWNER, bind("acme-dev", names.tenant_role("owner"))),
        says=NO_GRANT,
    ),
    row(
        "a Role of one's own",
        Threat.ESCALATED_ROLES,
        "create roles@rbac.authorization.k8s.io",
        (ADMIN, create(group(RBAC, "acme-dev", "roles"), OWN_ROLE)),
        GRANTED,
        backed=True,
    ),
    row(
        "a right for every viewer, by aggregation",
        Threat.ESCALATED_ROLES,
        "create clusterroles@rbac.authorization.k8s.io",
        (OWNER, create(group(RBAC, "", "clusterroles"), AGGREGATED)),
        (GITOPS, create(group(RBAC, "", "clusterroles"), AGGREGATED)),
        backed=True,
    ),
    row(
        "a shell in a protected environment",
        Threat.OPENED_SHELLS,
        "create pods/exec",
        (DEVELOPER, into("acme-prod", "exec")),
        (DEVELOPER, into("acme-dev", "exec")),
        backed=True,
    ),
    row(
        "a token of the operator",
        Threat.FORGED_OPERATOR,
        "create serviceaccounts/token",
        (ADMIN, token(names.OPERATOR_NAMESPACE, names.OPERATOR_SERVICE_ACCOUNT, None)),
        (ADMIN, token("acme-dev", names.gateway_key("ci"), [names.GATEWAY_AUDIENCE])),
        backed=True,
    ),
    row(
        "a gateway key by a developer",
        Threat.STOLEN_TOKENS,
        "create serviceaccounts/token",
        (DEVELOPER, token("acme-dev", names.gateway_key("ci"), [names.GATEWAY_AUDIENCE])),
        (ADMIN, token("acme-dev", names.gateway_key("ci"), [names.GATEWAY_AUDIENCE])),
    ),
)

IMPERSONATION_ROWS: Final = (
    row(
        "acting as the operator",
        Threat.FORGED_OPERATOR,
        "impersonate serviceaccounts",
        (OWNER, acting(User=names.OPERATOR_USER)),
        (OWNER, acting()),
        says="cannot impersonate",
    ),
    row(
        "acting as the cluster's masters",
        Threat.FORGED_OPERATOR,
        "impersonate groups",
        (HELPDESK, acting(User="somebody", Group="system:masters")),
        (HELPDESK, acting(User="somebody")),
    ),
    row(
        "acting as a member of a tenant, with a strong sign-in that never was",
        Threat.FORGED_AUTHORS,
        "impersonate userextras/ringfence.dev/acr@authentication.k8s.io",
        (HELPDESK, acting(**{"User": "somebody", "Extra_ringfence.dev%2facr": "mfa"})),
        (HELPDESK, acting(User="somebody")),
    ),
)

SELF: Final = (WORKER, acting())

WORKER_ROWS: Final = tuple(
    row(f"{title}, by a workload", threat, right, (WORKER, request), SELF)
    for title, threat, right, request in (
        (
            "the rules",
            Threat.STOLEN_TOKENS,
            "get guardrails@ringfence.dev",
            read(ours("acme-dev", "guardrails", "ringfence")),
        ),
        ("the routes", Threat.STOLEN_TOKENS, "list modelroutes@ringfence.dev", read(ours("acme", "modelroutes"))),
        ("passwords", Threat.READ_SECRETS, "list secrets", read(core("acme-dev", "secrets"))),
        (
            "a pod of its own",
            Threat.STOLEN_TOKENS,
            "create pods",
            create(core("acme-dev", "pods"), pod("x", "acme-dev")),
        ),
    )
)

LISTED: Final = (DEPUTY, read("/api/v1/namespaces"))
HELD_BY_OTHERS: Final = core("default-team", "secrets")

DEPUTY_ROWS: Final = tuple(
    row(f"the operator's rights: {title}", threat, right, (DEPUTY, request), twin, **more)
    for title, threat, right, request, twin, more in (
        ("a Secret, read", Threat.READ_SECRETS, "get secrets", read(f"{HOME_SECRETS}/model-plain"), LISTED, {}),
        (
            "all Secrets, listed",
            Threat.READ_SECRETS,
            "list secrets",
            read("/api/v1/secrets"),
            (DEPUTY, create(HELD_BY_OTHERS, named("asked"))),
            {},
        ),
        (
            "a Secret, in the answer to its deletion",
            Threat.READ_SECRETS,
            "delete secrets",
            delete(f"{HOME_SECRETS}/model-held", propagationPolicy="Foreground"),
            (DEPUTY, create(HELD_BY_OTHERS, named("asked"))),
            {"backed": True},
        ),
        (
            "a token of anybody",
            Threat.CONFUSED_DEPUTY,
            "create serviceaccounts/token",
            token("flux-system", "flux", None),
            (DEPUTY, create(core("default-team", "serviceaccounts"), named("x"))),
            {},
        ),
        (
            "a workload",
            Threat.CONFUSED_DEPUTY,
            "create pods",
            create(core("default-team", "pods"), pod("x", "default-team")),
            (DEPUTY, create(core("default-team", "configmaps"), named("x"))),
            {},
        ),
        (
            "cluster-admin for itself",
            Threat.CONFUSED_DEPUTY,
            "bind clusterroles@rbac.authorization.k8s.io cluster-admin",
            bind("default-team", "cluster-admin"),
            (DEPUTY, bind("default-team", VIEWER_ROLE)),
            {"says": NO_GRANT},
        ),
        (
            "a policy that fences it",
            Threat.CONFUSED_DEPUTY,
            "patch validatingadmissionpolicies@admissionregistration.k8s.io",
            patch(POLICY, ANY_CHANGE),
            (DEPUTY, read(POLICY.rpartition("/")[0])),
            {},
        ),
        (
            "a definition",
            Threat.CONFUSED_DEPUTY,
            "patch customresourcedefinitions@apiextensions.k8s.io",
            patch("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tenants.ringfence.dev", ANY_CHANGE),
            (DEPUTY, read(ours("", "tenants"))),
            {},
        ),
    )
)

ROWS: Final = (
    *SECRET_ROWS,
    *LIST_ROWS,
    *FOREIGN_ROWS,
    *PLATFORM_ROWS,
    *ESCALATION_ROWS,
    *IMPERSONATION_ROWS,
    *WORKER_ROWS,
    *DEPUTY_ROWS,
)
