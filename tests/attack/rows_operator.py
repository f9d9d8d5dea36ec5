"""Attacks with the operator's own hands: its identity with every right, so that its fence alone holds."""

from typing import Any, Final

from ringfence import names
from ringfence.plan.children.gateway_pod import COLLECTOR, ENVOY
from tests.attack.asking import Request, create, delete, patch
from tests.attack.prepared import CANARY, OPERATOR, annotated, pod
from tests.attack.rows import RBAC, Row, core, group, named, namespace
from tests.attack.rows_access import bind

LEVEL: Final = "pod-security.kubernetes.io/enforce"
PROD: Final = namespace("acme-prod")


def born(name: str, tenant: str | None, level: str = "restricted") -> Any:
    """A namespace."""
    labels = {LEVEL: level, names.OWNER_UID_LABEL: "u", **({names.TENANT_LABEL: tenant} if tenant else {})}
    return create("/api/v1/namespaces", named(name, labels=labels))


def label(path: str, **labels: str | None) -> Any:
    return patch(
        path, {"metadata": {"labels": {key.replace("__", "ringfence.dev/"): value for key, value in labels.items()}}}
    )


def row(title: str, rule: str, attack: Any, twin: Any) -> Row:
    return Row(title, rule, (OPERATOR, attack), (OPERATOR, twin), personal=True)


NAMESPACE_ROWS: Final = (
    row(
        "a namespace that looks like the system's",
        "operator-namespace-birth",
        born("kube-extra", "kube"),
        born("acme-more", "acme"),
    ),
    row("a namespace that is nobody's", "operator-namespace-birth", born("acme-more", None), born("acme-more", "acme")),
    row(
        "a namespace in another's name",
        "operator-namespace-birth",
        born("globex-more", "acme"),
        born("globex-more", "globex"),
    ),
    row(
        "a namespace moved to another tenant",
        "operator-namespace-tenant",
        label(PROD, __tenant="globex"),
        label(PROD, cost="x"),
    ),
    row(
        "a namespace that is no tenant's",
        "operator-namespace-tenant",
        patch(namespace("default-team"), {"metadata": {"labels": {LEVEL: "restricted"}}}),
        label(PROD, cost="x"),
    ),
    row(
        "a namespace taken over unasked",
        "operator-namespace-adoption",
        patch(PROD, {"metadata": {"labels": {names.OWNER_UID_LABEL: "other"}}}),
        patch(PROD, {"metadata": {"labels": {names.OWNER_UID_LABEL: None, names.ORPHANED_LABEL: "true"}}}),
    ),
    row(
        "a namespace that it hands itself",
        "operator-namespace-adoption",
        patch(PROD, annotated({names.ADOPT_ANNOTATION: "acme"})),
        patch(PROD, annotated({"acme.example/note": "x"})),
    ),
    row(
        "Pod Security switched off",
        "operator-namespace-level",
        patch(PROD, {"metadata": {"labels": {LEVEL: "privileged"}}}),
        patch(PROD, {"metadata": {"labels": {LEVEL: "baseline"}}}),
    ),
    row(
        "somebody else's namespace deleted",
        "operator-namespace-deletion",
        delete(namespace("default-team")),
        delete(PROD),
    ),
)

GIVEN: Final = bind("acme-prod", names.tenant_role("viewer"))

OBJECT_ROWS: Final = (
    row(
        "an object outside of tenants' namespaces",
        "operator-outside",
        create(core("default-team", "configmaps"), named("x")),
        create(core("acme-prod", "configmaps"), named("x")),
    ),
    row(
        "a token outside of tenants' namespaces",
        "operator-outside",
        create(core("kube-system", "serviceaccounts", "default/token"), {"spec": {}}),
        create(
            core("acme-prod", "serviceaccounts", f"{names.gateway_key('batch')}/token"),
            {"spec": {"audiences": [names.GATEWAY_AUDIENCE]}},
        ),
    ),
    row(
        "a role for the cluster",
        "operator-roles",
        create(group(RBAC, "", "clusterroles"), named("x", {"rules": []})),
        GIVEN,
    ),
    row("a binding for the cluster", "operator-roles", bind("", "view"), GIVEN),
    row("cluster-admin", "operator-binding-role", bind("acme-prod", "cluster-admin"), GIVEN),
    row("its own role", "operator-binding-role", bind("acme-prod", names.OPERATOR_SERVICE_ACCOUNT), GIVEN),
    row(
        "everybody",
        "operator-binding-subject",
        bind("acme-prod", names.tenant_role("viewer"), name="system:authenticated"),
        GIVEN,
    ),
    row(
        "a workload of the tenant",
        "operator-binding-subject",
        bind("acme-prod", names.tenant_role("viewer"), "ServiceAccount", "default", namespace="acme-dev"),
        GIVEN,
    ),
)

POD: Final = pod("x", "acme-prod")["spec"]


def gateway(
    name: str = names.GATEWAY,
    *,
    where: str = "acme",
    image: str = f"{names.GATEWAY_REPOSITORY}:1",
    volumes: Any = (),
    account: str = names.GATEWAY,
    container: str = ENVOY,
    **fields: Any,
) -> Any:
    """A Deployment of the gateway."""
    labels = {"app": "gateway"}
    made = {**POD["containers"][0], "name": container, "image": image, **fields}
    spec = {
        "automountServiceAccountToken": False,
        "containers": [made],
        "serviceAccountName": account,
        "volumes": list(volumes),
    }
    body = {"spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}}}
    return create(group("apps/v1", where, "deployments"), named(name, body))


def own(*args: str) -> Any:
    """The same with the operator's own image."""
    return gateway(image=f"{names.COLLECTOR_REPOSITORY}:1", container=COLLECTOR, args=list(args))


def secret_volume(name: str) -> Any:
    return [{"name": "secret", "secret": {"secretName": name}}]


def canary_token(seconds: int, account: str = names.CANARY) -> Any:
    """A token of an account beside the operator's."""
    return create(
        core(names.OPERATOR_NAMESPACE, "serviceaccounts", f"{account}/token"), {"spec": {"expirationSeconds": seconds}}
    )


def probe_token(*audiences: str) -> Any:
    """A token of the account by which gateways are looked at."""
    spec = {"expirationSeconds": 600, **({"audiences": audiences} if audiences else {})}
    return create(core(names.OPERATOR_NAMESPACE, "serviceaccounts", f"{names.PROBE}/token"), {"spec": spec})


def bind_in_canary(account: str) -> Any:
    """A role in the canary's namespace for an account beside the operator's."""
    role = names.tenant_role("viewer")
    return bind(names.CANARY, role, "ServiceAccount", account, namespace=names.OPERATOR_NAMESPACE)


CANARY_ROWS: Final = (
    row("a long token of the canary", "operator-canary-token", canary_token(601), canary_token(600)),
    row("a token of a neighbour", "operator-canary-token", canary_token(600, "default"), canary_token(600)),
    row(
        "a token of the probe for everything",
        "operator-canary-token",
        probe_token(),
        probe_token(names.GATEWAY_AUDIENCE),
    ),
    row(
        "a token of the probe for more",
        "operator-canary-token",
        probe_token(names.GATEWAY_AUDIENCE, "other"),
        probe_token(names.GATEWAY_AUDIENCE),
    ),
    row(
        "a role of a tenant for itself",
        "operator-binding-subject",
        bind_in_canary(names.OPERATOR_SERVICE_ACCOUNT),
        bind_in_canary(names.CANARY),
    ),
    Row(
        "an object made by the canary",
        "canary-dry-run",
        (CANARY, Request("POST", core(names.CANARY, "configmaps"), {"metadata": {"generateName": "x-"}}, {})),
        (CANARY, create(core(names.CANARY, "configmaps"), {"metadata": {"name": "x"}})),
        personal=True,
    ),
)

WORKLOAD_ROWS: Final = (
    row("a pod", "operator-pod", create(core("acme-prod", "pods"), pod("x", "acme-prod")), gateway()),
    row("a Deployment of another name", "operator-workload", gateway("miner"), gateway()),
    row("a gateway beside workloads", "operator-workload", gateway(where="acme-prod"), gateway()),
    row(
        "a job",
        "operator-workload",
        create(
            group("batch/v1", "acme", "jobs"),
            named("x", {"spec": {"template": {"spec": {**POD, "restartPolicy": "Never"}}}}),
        ),
        gateway(),
    ),
    row("another image", "operator-workload-image", gateway(image="evil.example/gateway:1"), gateway()),
    row(
        "an image that only begins alike",
        "operator-workload-image",
        gateway(image=f"{names.GATEWAY_REPOSITORY}-evil:1"),
        gateway(),
    ),
    row("another command", "operator-workload-command", gateway(command=["sh"]), gateway()),
    row(
        "a program in a hook",
        "operator-workload-command",
        gateway(lifecycle={"preStop": {"exec": {"command": ["sh"]}}}),
        gateway(lifecycle={"preStop": {"sleep": {"seconds": 1}}}),
    ),
    row("its own image as an operator", "operator-workload-command", own("run"), own("collect", "--port", "9902")),
    row("the account of somebody else", "operator-workload-token", gateway(account="default"), gateway()),
    row(
        "another's Secret, mounted",
        "operator-workload-volumes",
        gateway(volumes=secret_volume("database")),
        gateway(volumes=secret_volume("model-openai")),
    ),
    row(
        "another's Secret, in its environment",
        "operator-workload-volumes",
        gateway(envFrom=[{"secretRef": {"name": "database"}}]),
        gateway(),
    ),
    row(
        "a Secret made for real",
        "operator-secret",
        Request("POST", core("acme-prod", "secrets"), {"metadata": {"generateName": "x-"}}, {}),
        create(core("acme-prod", "secrets"), {"metadata": {"name": "x"}}),
    ),
)

ROWS: Final = (*NAMESPACE_ROWS, *OBJECT_ROWS, *CANARY_ROWS, *WORKLOAD_ROWS)
