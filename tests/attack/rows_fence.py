"""Attacks on the fence itself: namespaces, what the operator made, and the glass."""

from typing import Any, Final

from ringfence import names
from tests.attack.asking import Request, Who, apply, create, delete, patch, replace
from tests.attack.prepared import (
    ADMIN,
    DEVELOPER,
    EDITOR,
    FLUX,
    GITOPS,
    LABELLER,
    MFA,
    OWNER,
    VIEWER,
    annotated,
    pod,
)
from tests.attack.rows import ANY_CHANGE, NETWORKING, RBAC, Row, core, group, labelled, named, namespace, ours

DEV: Final = namespace("acme-dev")
FOREIGN: Final = namespace("default-team")
NAMESPACES: Final = "/api/v1/namespaces"


def claim(name: str, tenant: str, *, asks: bool = True) -> dict[str, Any]:
    """A namespace that is handed to a tenant."""
    notes = {names.ADOPT_ANNOTATION: tenant} if asks else {}
    return named(name, labels={names.TENANT_LABEL: tenant}, annotations=notes)


def adopt(tenant: str) -> dict[str, Any]:
    """The same of a namespace that is there."""
    return {"metadata": {"labels": {names.TENANT_LABEL: tenant}, "annotations": {names.ADOPT_ANNOTATION: tenant}}}


def owner(kind: str = "ConfigMap") -> dict[str, Any]:
    return {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": kind, "name": "x", "uid": "x"}]}}


FREE: Final = (LABELLER, patch(DEV, ANY_CHANGE))
OWN: Final = core("acme-dev", "configmaps", "own")
DENY_ALL: Final = group(NETWORKING, "acme-dev", "networkpolicies", names.DENY_ALL)
QUOTA: Final = core("acme-dev", "resourcequotas", names.QUOTA)
BINDING: Final = group(RBAC, "acme-dev", "rolebindings", names.role_binding("developer"))
GUARDRAIL: Final = ours("acme-dev", "guardrails", names.GUARDRAIL)
DEFINITIONS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WHOLE_NAMESPACE: Final = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "acme-dev"}}

NAMESPACE_ROWS: Final = (
    Row(
        "a namespace handed to a tenant by whoever may make namespaces",
        "namespace-claim-right",
        (LABELLER, create(NAMESPACES, claim("newco", "newco"))),
        (GITOPS, create(NAMESPACES, claim("newco", "newco"))),
        personal=True,
    ),
    Row(
        "a tenant's label without the request for adoption",
        "namespace-claim-request",
        (GITOPS, create(NAMESPACES, claim("newco", "newco", asks=False))),
        (GITOPS, create(NAMESPACES, claim("newco", "newco"))),
    ),
    Row(
        "somebody else's namespace",
        "namespace-claim-name",
        (GITOPS, patch(FOREIGN, adopt("acme"))),
        (GITOPS, create(NAMESPACES, claim("acme-more", "acme"))),
    ),
    Row(
        "kube-system, for a tenant called kube",
        "namespace-claim-name",
        (GITOPS, patch(namespace("kube-system"), adopt("kube"))),
        (GITOPS, patch(namespace("kube-system"), ANY_CHANGE)),
    ),
    Row("another environment", "namespace-labels", (LABELLER, patch(DEV, labelled(__environment="prod"))), FREE),
    Row("another tenant", "namespace-labels", (LABELLER, patch(DEV, labelled(__tenant="globex"))), FREE),
    Row("no tenant at all", "namespace-labels", (LABELLER, patch(DEV, labelled(__tenant=None))), FREE),
    Row(
        "a label by the status",
        "namespace-labels",
        (LABELLER, patch(namespace("acme-dev", "status"), labelled(__environment="prod"))),
        (LABELLER, patch(namespace("acme-dev", "status"), ANY_CHANGE)),
    ),
    Row(
        "every label gone by the finalizer's entrance",
        "namespace-labels",
        (
            LABELLER,
            replace(namespace("acme-dev", "finalize"), {**WHOLE_NAMESPACE, "spec": {"finalizers": ["kubernetes"]}}),
        ),
        FREE,
    ),
    Row(
        "a label by a forced apply",
        "namespace-labels",
        (LABELLER, apply(DEV, {**WHOLE_NAMESPACE, **labelled(__environment="prod")})),
        (LABELLER, apply(DEV, {**WHOLE_NAMESPACE, **ANY_CHANGE})),
    ),
    Row(
        "Pod Security switched off",
        "namespace-labels",
        (
            LABELLER,
            patch(
                namespace("acme-prod"), {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}
            ),
        ),
        (LABELLER, patch(namespace("acme-prod"), ANY_CHANGE)),
    ),
    Row(
        "an annotation of the operator's",
        "namespace-annotations",
        (LABELLER, patch(DEV, annotated({names.LABELS_ANNOTATION: "x"}))),
        (LABELLER, patch(DEV, annotated({"acme.example/note": "x"}))),
    ),
    Row(
        "nodes chosen for all pods of the namespace",
        "namespace-annotations",
        (LABELLER, patch(DEV, annotated({"scheduler.alpha.kubernetes.io/node-selector": "a=b"}))),
        (LABELLER, patch(DEV, annotated({"acme.example/note": "x"}))),
    ),
    Row(
        "adoption asked for without the right to Tenants",
        "namespace-annotations",
        (LABELLER, patch(DEV, annotated({names.ADOPT_ANNOTATION: "acme"}))),
        (GITOPS, patch(DEV, annotated({names.ADOPT_ANNOTATION: "acme"}))),
        personal=True,
    ),
    Row("an owner by which it would be collected", "namespace-owners", (LABELLER, patch(DEV, owner())), FREE),
    Row(
        "a finalizer that keeps it for ever",
        "namespace-finalizers",
        (LABELLER, patch(DEV, {"metadata": {"finalizers": ["acme.example/keep"]}})),
        FREE,
    ),
    Row("a core namespace deleted", "namespace-deletion", (LABELLER, delete(DEV)), (LABELLER, delete(FOREIGN))),
    Row(
        "a home namespace deleted, and all of the tenant's objects",
        "namespace-deletion",
        (GITOPS, delete(namespace("acme"))),
        (GITOPS, delete(FOREIGN)),
    ),
    Row(
        "the operator's namespace deleted, and the record",
        "namespace-of-the-operator",
        (GITOPS, delete(namespace(names.OPERATOR_NAMESPACE))),
        (GITOPS, delete(FOREIGN)),
    ),
)

CHANGED_OWN: Final = (DEVELOPER, patch(OWN, ANY_CHANGE))

OBJECT_ROWS: Final = (
    Row(
        "the policy that denies all, changed",
        "fence-objects",
        (ADMIN, patch(DENY_ALL, {"spec": {"podSelector": {"matchLabels": {"a": "b"}}}})),
        CHANGED_OWN,
    ),
    Row("the same, deleted", "fence-objects", (ADMIN, delete(DENY_ALL)), (DEVELOPER, delete(OWN))),
    Row(
        "its label taken off",
        "fence-objects",
        (ADMIN, patch(DENY_ALL, {"metadata": {"labels": {names.MANAGED_BY_LABEL: None}}})),
        CHANGED_OWN,
    ),
    Row("an owner given to it", "fence-objects", (ADMIN, patch(DENY_ALL, owner())), CHANGED_OWN),
    Row(
        "a finalizer put on it",
        "fence-objects",
        (ADMIN, patch(DENY_ALL, {"metadata": {"finalizers": ["acme.example/keep"]}})),
        CHANGED_OWN,
    ),
    Row(
        "the gateway's address forged",
        "fence-objects",
        (
            DEVELOPER,
            patch(core("acme-dev", "configmaps", names.GATEWAY_CONFIG_MAP), {"data": {"url": "https://evil.example"}}),
        ),
        (DEVELOPER, patch(OWN, {"data": {"url": "https://evil.example"}})),
    ),
    Row(
        "everything of a kind deleted at once",
        "fence-objects",
        (
            OWNER,
            Request(
                "DELETE",
                core("acme-dev", "configmaps"),
                None,
                {"dryRun": "All", "labelSelector": f"{names.MANAGED_BY_LABEL}=ringfence"},
            ),
        ),
        (
            OWNER,
            Request(
                "DELETE", core("acme-dev", "configmaps"), None, {"dryRun": "All", "fieldSelector": "metadata.name=own"}
            ),
        ),
    ),
    Row(
        "the operator's label on an object of one's own",
        "fence-objects",
        (
            DEVELOPER,
            create(core("acme-dev", "configmaps"), named("forged", labels={names.MANAGED_BY_LABEL: "ringfence"})),
        ),
        (DEVELOPER, create(core("acme-dev", "configmaps"), named("forged", labels={names.MANAGED_BY_LABEL: "Helm"}))),
    ),
    Row("a role binding deleted", "fence-objects", (ADMIN, delete(BINDING)), (DEVELOPER, delete(OWN))),
    Row("the quota raised", "fence-objects", (GITOPS, patch(QUOTA, {"spec": {"hard": {"pods": "9999"}}})), CHANGED_OWN),
    Row(
        "a forced apply over the limits",
        "fence-objects",
        (
            GITOPS,
            apply(
                core("acme-dev", "limitranges", names.LIMITS),
                {
                    "apiVersion": "v1",
                    "kind": "LimitRange",
                    "metadata": {"name": names.LIMITS, "namespace": "acme-dev"},
                    "spec": {"limits": []},
                },
            ),
        ),
        CHANGED_OWN,
    ),
    Row(
        "the default account's token mounted again",
        "fence-objects",
        (DEVELOPER, patch(core("acme-dev", "serviceaccounts", "default"), {"automountServiceAccountToken": True})),
        (DEVELOPER, patch(core("acme-dev", "serviceaccounts", "talker"), {"automountServiceAccountToken": True})),
    ),
    Row(
        "a label taken off by the status",
        "fence-status",
        (GITOPS, patch(f"{QUOTA}/status", {"metadata": {"labels": {names.MANAGED_BY_LABEL: None}}})),
        (GITOPS, patch(f"{QUOTA}/status", {"metadata": {"annotations": {"a": "b"}}})),
    ),
    Row(
        "the quota raised by its status",
        "fence-quota",
        (GITOPS, patch(f"{QUOTA}/status", {"status": {"hard": {"pods": "9999"}}})),
        (GITOPS, patch(f"{QUOTA}/status", {"metadata": {"annotations": {"a": "b"}}})),
    ),
    Row(
        "shells allowed in the rules",
        "guardrail-writer",
        (GITOPS, patch(GUARDRAIL, {"spec": {"execAllowed": True}})),
        (VIEWER, Request("GET", GUARDRAIL, None, {"dryRun": "All"})),
    ),
    Row(
        "the rules deleted",
        "guardrail-writer",
        (GITOPS, delete(GUARDRAIL)),
        (VIEWER, Request("GET", GUARDRAIL, None, {"dryRun": "All"})),
    ),
    Row(
        "rules of one's own",
        "guardrail-writer",
        (
            GITOPS,
            create(
                ours("default-team", "guardrails"),
                {
                    **named(names.GUARDRAIL),
                    "apiVersion": "ringfence.dev/v1alpha1",
                    "kind": "Guardrail",
                    "spec": {"tenant": "acme", "protected": False, "execAllowed": True, "quarantined": False},
                },
            ),
        ),
        (VIEWER, Request("GET", GUARDRAIL, None, {"dryRun": "All"})),
    ),
    Row(
        "a definition of ours deleted, and every object of it",
        "definition-deletion",
        (GITOPS, delete(f"{DEFINITIONS}/tenants.ringfence.dev")),
        (GITOPS, delete(f"{DEFINITIONS}/externalsecrets.external-secrets.io")),
    ),
)

REASON: Final = annotated({names.BREAK_GLASS_ANNOTATION: "the cluster burns"})
STRONG_GITOPS: Final = Who(GITOPS.user, GITOPS.groups, MFA)
GLOBEX_MAP: Final = core("globex-dev", "configmaps", names.GATEWAY_CONFIG_MAP)

BROKEN: Final = core("acme-models", "limitranges", names.LIMITS)
"""Made by the operator; an administrator has broken the glass on it."""
CLOSED: Final = annotated({names.BREAK_GLASS_ANNOTATION: None})

GLASS_ROWS: Final = (
    Row("without the verb", "glass-right", (EDITOR, patch(OWN, REASON)), (GITOPS, patch(OWN, REASON)), personal=True),
    Row(
        "by a ServiceAccount with every right",
        "glass-person",
        (FLUX, patch(OWN, REASON)),
        (GITOPS, patch(OWN, REASON)),
        personal=True,
    ),
    Row(
        "broken by somebody else, and used",
        "fence-objects",
        (EDITOR, patch(BROKEN, {"spec": {"limits": []}})),
        (GITOPS, patch(BROKEN, {"spec": {"limits": []}})),
        personal=True,
    ),
    Row(
        "closed by who may not break it",
        "fence-objects",
        (EDITOR, patch(BROKEN, CLOSED)),
        (GITOPS, patch(BROKEN, CLOSED)),
        personal=True,
    ),
    Row(
        "without a word",
        "glass-reason",
        (GITOPS, patch(OWN, annotated({names.BREAK_GLASS_ANNOTATION: "x"}))),
        (GITOPS, patch(OWN, REASON)),
    ),
    Row(
        "on what the operator made, with a weak sign-in",
        "glass-step-up",
        (GITOPS, patch(GLOBEX_MAP, REASON)),
        (STRONG_GITOPS, patch(GLOBEX_MAP, REASON)),
        personal=True,
    ),
)


def replicas(where: str) -> dict[str, Any]:
    """A ReplicaSet of one pod."""
    labels = {"app": "x"}
    template = {"metadata": {"labels": labels}, "spec": pod("x", where)["spec"]}
    return named("x", {"spec": {"selector": {"matchLabels": labels}, "template": template}})


HOME_ROWS: Final = (
    Row(
        "a pod beside the providers' keys",
        "home-workload",
        (GITOPS, create(core("acme", "pods"), pod("x", "acme"))),
        (GITOPS, create(core("acme-dev", "pods"), pod("x", "acme-dev"))),
    ),
    Row(
        "a set of pods there, which a controller would make",
        "home-workload",
        (GITOPS, create(group("apps/v1", "acme", "replicasets"), replicas("acme"))),
        (GITOPS, create(group("apps/v1", "acme-dev", "replicasets"), replicas("acme-dev"))),
    ),
)

ROWS: Final = (*NAMESPACE_ROWS, *OBJECT_ROWS, *HOME_ROWS, *GLASS_ROWS)
