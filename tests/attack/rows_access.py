"""Attacks by rights: roles, bindings, shells, tokens and secrets."""

from typing import Any, Final

from ringfence import names
from ringfence.plan.roles import rights_of
from tests.attack.asking import Request, connect, create, delete, patch
from tests.attack.prepared import ADMIN, DEVELOPER, GITOPS, OPERATOR, pod
from tests.attack.rows import RBAC, Row, core, group, named

GROUP: Final = "rbac.authorization.k8s.io"


def bind(where: str, role: str, kind: str = "Group", name: str = "oidc:acme-viewers", **subject: str) -> Any:
    """A RoleBinding, or a ClusterRoleBinding where no namespace is said."""
    whole = {"kind": kind, "name": name, **({"apiGroup": GROUP} if kind != "ServiceAccount" else {}), **subject}
    body = {"roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role}, "subjects": [whole]}
    plural = "rolebindings" if where else "clusterrolebindings"
    return create(group(RBAC, where, plural), named("given", body))


VIEWER_ROLE: Final = names.tenant_role("viewer")
GIVEN: Final = (ADMIN, bind("acme-dev", VIEWER_ROLE))
HELD_BINDING: Final = group(RBAC, "acme-dev", "rolebindings", "going")
OWN_ROLE: Final = named("own", {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]})

ROLE_ROWS: Final = (
    Row(
        "a Role of one's own",
        "role-definition",
        (GITOPS, create(group(RBAC, "acme-dev", "roles"), OWN_ROLE)),
        (GITOPS, create(group(RBAC, "default-team", "roles"), OWN_ROLE)),
    ),
    Row("cluster-admin", "role-binding-role", (GITOPS, bind("acme-dev", "cluster-admin")), GIVEN),
    Row("edit", "role-binding-role", (GITOPS, bind("acme-dev", "edit")), GIVEN),
    Row(
        "the operator's own role",
        "role-binding-role",
        (GITOPS, bind("acme-dev", names.OPERATOR_SERVICE_ACCOUNT)),
        GIVEN,
    ),
    Row(
        "a role of core namespaces in the home",
        "role-binding-role",
        (GITOPS, bind("acme", names.tenant_role("owner"))),
        (GITOPS, bind("acme", names.home_role("viewer"))),
    ),
    Row("a stranger", "role-binding-member", (ADMIN, bind("acme-dev", VIEWER_ROLE, "User", "mallory")), GIVEN),
    Row("everybody", "role-binding-member", (ADMIN, bind("acme-dev", VIEWER_ROLE, name="system:authenticated")), GIVEN),
    Row(
        "everybody, by a binding that was deleted and is held",
        "role-binding-member",
        (
            ADMIN,
            patch(HELD_BINDING, {"subjects": [{"apiGroup": GROUP, "kind": "Group", "name": "system:authenticated"}]}),
        ),
        (ADMIN, patch(HELD_BINDING, {"metadata": {"finalizers": None}})),
    ),
    Row(
        "another tenant's people",
        "role-binding-member",
        (ADMIN, bind("acme-dev", VIEWER_ROLE, name="oidc:globex-owners")),
        GIVEN,
    ),
    Row(
        "a workload",
        "role-binding-member",
        (ADMIN, bind("acme-dev", VIEWER_ROLE, "ServiceAccount", "default", namespace="acme-dev")),
        (ADMIN, bind("acme-dev", VIEWER_ROLE, "ServiceAccount", "robot", namespace="platform")),
    ),
    Row(
        "in an incident",
        "role-binding-quarantine",
        (GITOPS, bind("umbra-dev", VIEWER_ROLE, name="oidc:umbra-viewers")),
        (GITOPS, bind("acme-dev", VIEWER_ROLE)),
    ),
    Row(
        "shells where none are opened",
        "role-binding-shell",
        (GITOPS, bind("acme-prod", names.tenant_role(names.SHELL))),
        (GITOPS, bind("acme-dev", names.tenant_role(names.SHELL))),
    ),
    Row(
        "a tenant role for the whole cluster",
        "cluster-binding-tenant-role",
        (GITOPS, bind("", names.tenant_role("owner"))),
        (GITOPS, bind("", "view")),
    ),
    Row(
        "what a tenant role is made of, for the whole cluster",
        "cluster-binding-tenant-role",
        (GITOPS, bind("", rights_of(names.tenant_role("owner")))),
        (GITOPS, bind("", "view")),
    ),
    Row(
        "the operator's role for somebody else",
        "cluster-binding-operator-role",
        (GITOPS, bind("", names.OPERATOR_SERVICE_ACCOUNT)),
        (
            GITOPS,
            bind(
                "",
                names.OPERATOR_SERVICE_ACCOUNT,
                "ServiceAccount",
                names.OPERATOR_SERVICE_ACCOUNT,
                namespace=names.OPERATOR_NAMESPACE,
            ),
        ),
    ),
)


def into(where: str, way: str) -> Any:
    """A connection to a pod."""
    return connect(core(where, "pods", f"app/{way}"))


CONTAINER: Final = pod("debug", "acme-prod")["spec"]["containers"][0]
DEBUGGER: Final = {"spec": {"ephemeralContainers": [{**CONTAINER, "name": "debug"}]}}
OPEN: Final = (DEVELOPER, into("acme-dev", "exec"))

SHELL_ROWS: Final = (
    *(
        Row(
            f"{way} in a protected environment",
            "shell-open",
            (GITOPS, into("acme-prod", way)),
            (DEVELOPER, into("acme-dev", way)),
        )
        for way in ("exec", "attach", "portforward")
    ),
    Row(
        "a container beside a protected one",
        "shell-open",
        (GITOPS, patch(core("acme-prod", "pods", "app/ephemeralcontainers"), DEBUGGER)),
        OPEN,
        backed=True,
    ),
    Row("a shell beside a private model", "shell-open", (GITOPS, into("acme-models", "exec")), OPEN),
    Row("a shell beside the gateway", "shell-open", (GITOPS, into("acme", "exec")), OPEN),
    Row(
        "the API server's proxy to a pod",
        "shell-proxy",
        (GITOPS, Request("GET", core("acme-dev", "pods", "app/proxy/"), None, {})),
        (GITOPS, Request("GET", core("default-team", "pods", "app/proxy/"), None, {})),
    ),
    Row(
        "the API server's proxy to a Service",
        "shell-proxy",
        (GITOPS, Request("GET", core("acme-dev", "services", "app/proxy/"), None, {})),
        (GITOPS, Request("GET", core("default-team", "services", "app/proxy/"), None, {})),
    ),
)


def token(where: str, account: str, audiences: list[str] | None, seconds: int = 3600) -> Any:
    """A request for a token."""
    body = {"spec": {"expirationSeconds": seconds, **({"audiences": audiences} if audiences else {})}}
    return create(core(where, "serviceaccounts", f"{account}/token"), body)


FOR_GATEWAY: Final = [names.GATEWAY_AUDIENCE]
TOKEN_SECRET: Final = {"type": "kubernetes.io/service-account-token"}


def token_secret(where: str, account: str) -> Any:
    return create(
        core(where, "secrets"),
        named("token", TOKEN_SECRET, annotations={"kubernetes.io/service-account.name": account}),
    )


CI: Final = names.gateway_key("ci")
ISSUED: Final = (ADMIN, token("acme-dev", CI, FOR_GATEWAY))

TOKEN_ROWS: Final = (
    Row(
        "for the API server",
        "token-audience",
        (ADMIN, token("acme-dev", CI, ["https://kubernetes.default.svc.cluster.local"])),
        ISSUED,
    ),
    Row("for whoever takes it", "token-audience", (ADMIN, token("acme-dev", CI, None)), ISSUED),
    Row(
        "for the gateway and another", "token-audience", (ADMIN, token("acme-dev", CI, [*FOR_GATEWAY, "vault"])), ISSUED
    ),
    Row(
        "for ten years",
        "token-age",
        (ADMIN, token("acme-dev", CI, FOR_GATEWAY, 315_360_000)),
        (ADMIN, token("acme-dev", CI, FOR_GATEWAY, 86_400)),
    ),
    Row(
        "a key's, a second beyond its greatest age",
        "token-age",
        (ADMIN, token("acme-dev", CI, FOR_GATEWAY, 60 * 86_400 + 1)),
        (ADMIN, token("acme-dev", CI, FOR_GATEWAY, 60 * 86_400)),
    ),
    Row(
        "a workload's, which has neither mode nor networks",
        "token-key",
        (ADMIN, token("acme-dev", "default", FOR_GATEWAY)),
        ISSUED,
    ),
    Row(
        "of an account that only looks like a key's",
        "token-key",
        (ADMIN, token("acme-dev", names.gateway_key("own"), FOR_GATEWAY)),
        ISSUED,
    ),
    Row(
        "a test key's in a protected environment, by an account of one's own making",
        "token-key",
        (ADMIN, token("acme-prod", names.gateway_key("try"), FOR_GATEWAY)),
        (ADMIN, token("acme-prod", names.gateway_key("batch"), FOR_GATEWAY)),
    ),
    Row(
        "a token that never ends",
        "secret-token",
        (DEVELOPER, token_secret("acme-dev", "default")),
        (DEVELOPER, create(core("acme-dev", "secrets"), named("token"))),
    ),
    Row(
        "a token of the operator",
        "operator-token",
        (GITOPS, token(names.OPERATOR_NAMESPACE, names.OPERATOR_SERVICE_ACCOUNT, None)),
        (GITOPS, token(names.OPERATOR_NAMESPACE, "default", None)),
    ),
    Row(
        "a token of the operator that never ends",
        "operator-token-secret",
        (GITOPS, token_secret(names.OPERATOR_NAMESPACE, names.OPERATOR_SERVICE_ACCOUNT)),
        (GITOPS, create(core(names.OPERATOR_NAMESPACE, "secrets"), named("token"))),
    ),
)

PLAIN: Final = core("acme", "secrets", "model-plain")
HELD: Final = core("acme", "secrets", "model-held")
UNREAD: Final = (ADMIN, delete(PLAIN, propagationPolicy="Background"))

SECRET_ROWS: Final = (
    *(
        Row(
            f"read by deleting it in the {way.lower()}",
            "secret-deletion-answer",
            (ADMIN, delete(PLAIN, propagationPolicy=way)),
            UNREAD,
            personal=True,
        )
        for way in ("Foreground", "Orphan")
    ),
    Row(
        "read by orphaning what depends on it",
        "secret-deletion-answer",
        (ADMIN, delete(PLAIN, orphanDependents=True)),
        UNREAD,
        personal=True,
    ),
    Row(
        "read by deleting what a finalizer holds",
        "secret-deletion-finalizer",
        (ADMIN, delete(HELD)),
        UNREAD,
        personal=True,
    ),
)


def pushed(where: str) -> Any:
    """A Secret that is written to a store."""
    match = {"remoteRef": {"remoteKey": "globex/db"}}
    body = {"apiVersion": "external-secrets.io/v1", "kind": "PushSecret", "spec": {"data": [{"match": match}]}}
    return create(group("external-secrets.io/v1", where, "pushsecrets"), named("db", body))


def external(*data: dict[str, Any], store: str = "vault", **spec: Any) -> Any:
    """An ExternalSecret."""
    body = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "spec": {"secretStoreRef": {"kind": "ClusterSecretStore", "name": store}, "data": list(data), **spec},
    }
    return create(group("external-secrets.io/v1", "acme-dev", "externalsecrets"), named("db", body))


def remote(key: str, **source: Any) -> dict[str, Any]:
    return {"secretKey": "a", "remoteRef": {"key": key}, **source}


ALLOWED: Final = (GITOPS, external(remote("acme/db")))

STORE_ROWS: Final = (
    Row("another store", "external-secret-store", (GITOPS, external(remote("acme/db"), store="theirs")), ALLOWED),
    Row(
        "another store for one value",
        "external-secret-store",
        (GITOPS, external(remote("acme/db", sourceRef={"storeRef": {"kind": "ClusterSecretStore", "name": "theirs"}}))),
        ALLOWED,
    ),
    Row("another tenant's key", "external-secret-key", (GITOPS, external(remote("globex/db"))), ALLOWED),
    Row(
        "a whole tree of keys",
        "external-secret-key",
        (GITOPS, external(dataFrom=[{"find": {"name": {"regexp": ".*"}}}])),
        (GITOPS, external(dataFrom=[{"find": {"path": "acme/db"}}])),
    ),
    Row(
        "another tenant's key by the operator",
        "external-secret-key",
        (OPERATOR, external(dataFrom=[{"extract": {"key": "globex/db"}}])),
        (OPERATOR, external(dataFrom=[{"extract": {"key": "acme/db"}}])),
    ),
    Row("a way out of the prefix", "external-secret-path", (GITOPS, external(remote("acme/../globex/db"))), ALLOWED),
    Row(
        "whatever a generator answers",
        "external-secret-generator",
        (GITOPS, external(dataFrom=[{"sourceRef": {"generatorRef": {"kind": "VaultDynamicSecret", "name": "x"}}}])),
        ALLOWED,
    ),
    Row(
        "another tenant's key in the store, overwritten",
        "external-secret-push",
        (GITOPS, pushed("acme-dev")),
        (GITOPS, pushed("default-team")),
    ),
)

ROWS: Final = (*ROLE_ROWS, *SHELL_ROWS, *TOKEN_ROWS, *SECRET_ROWS, *STORE_ROWS)
