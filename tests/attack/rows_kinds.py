"""Attacks on our own kinds: forged authors, one person for two, metadata that speak for the operator."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ringfence import names
from tests.attack.asking import Who, create, delete, patch
from tests.attack.prepared import (
    ADMIN,
    ADMINISTRATOR,
    APPROVER,
    CISO,
    EDITOR,
    FLUX,
    GITOPS,
    MFA,
    OPERATOR,
    OWNER,
    PROMOTER,
    REVISION,
    ROBOT,
    SECOND,
    annotated,
    member,
    route,
)
from tests.attack.rows import ANY_CHANGE, Row, core, labelled, named, ours

CHAT: Final = ours("acme", "modelroutes", "chat")
EARLY: Final = ours("acme", "modelroutes", "early")
"""One that is promoted to an environment that acme does not have yet."""
GLOBEX_CHAT: Final = ours("globex", "modelroutes", "chat")
DEV: Final = ours("acme", "tenantnamespaces", "dev")
BROKEN: Final = ours("acme", "tenantnamespaces", "models")
"""One on which an administrator has broken the glass."""
OTHER: Final = "rev-0000000000000000"


def strong(who: Who) -> Who:
    """The same person with a strong sign-in."""
    return Who(who.user, who.groups, MFA)


def change(annotations: dict[str, str] | None = None, **spec: Any) -> Any:
    """A change of the route's spec."""
    return patch(CHAT, {**(annotated(annotations) if annotations else {}), "spec": spec})


def promote(environment: str, revision: str, **annotations: str) -> Any:
    stamps = {f"{names.PROMOTED_BY_PREFIX}{name}": who for name, who in annotations.items()}
    return change(stamps, promotions={environment: revision})


def approve(environment: str, revision: str = REVISION, path: str = CHAT, **by: str) -> Any:
    return patch(path, {"spec": {"approvals": [{"environment": environment, "revision": revision, **by}]}})


CONFIRMED_BY_OPERATOR: Final = {
    names.CONFIRM_RELEASE_ANNOTATION: "umbra",
    names.CONFIRM_RELEASE_BY_ANNOTATION: OPERATOR.user,
    names.CONFIRM_RELEASE_GENERATION_ANNOTATION: "1",
}
WISH: Final[dict[str, Any]] = {"limits": {"requestsPerMinute": 5}}

ROUTE_ROWS: Final = (
    Row(
        "a wish in somebody else's name",
        "requested-by",
        (OWNER, change({names.REQUESTED_BY_ANNOTATION: "mallory"}, **WISH)),
        (OWNER, change(**WISH)),
    ),
    Row(
        "somebody else's name afterwards",
        "requested-by",
        (OWNER, patch(CHAT, annotated({names.REQUESTED_BY_ANNOTATION: "mallory"}))),
        (OWNER, patch(CHAT, ANY_CHANGE)),
    ),
    Row(
        "a wish of the operator's",
        "operator-wishes",
        (OPERATOR, patch(DEV, {"spec": {"labels": {"a": "b"}}})),
        (OPERATOR, patch(DEV, {"metadata": {"annotations": {"a": "b"}}})),
        personal=True,
    ),
    Row(
        "a confirmation of the operator's",
        "operator-wishes",
        (OPERATOR, patch(ours("", "tenants", "umbra"), annotated(CONFIRMED_BY_OPERATOR))),
        (OPERATOR, patch(ours("", "tenants", "umbra"), annotated({"a": "b"}))),
        personal=True,
    ),
    Row(
        "a promotion in somebody else's name",
        "promotion-stamp",
        (OWNER, promote("staging", OTHER, staging="ciso")),
        (OWNER, promote("staging", OTHER)),
    ),
    Row(
        "somebody else's promotion taken for one's own",
        "promotion-stamp",
        (OWNER, patch(CHAT, annotated({f"{names.PROMOTED_BY_PREFIX}staging": OWNER.user}))),
        (OWNER, patch(CHAT, ANY_CHANGE)),
    ),
    Row(
        "a stamp without a promotion",
        "promotion-stray-stamp",
        (OWNER, patch(CHAT, annotated({f"{names.PROMOTED_BY_PREFIX}dev": "ciso"}))),
        (OWNER, patch(CHAT, ANY_CHANGE)),
    ),
    Row(
        "an approval in somebody else's name",
        "approval-author",
        (CISO, approve("prod", by="auditor")),
        (CISO, approve("prod")),
        personal=True,
    ),
    Row(
        "an approval by a ServiceAccount",
        "approval-person",
        (ROBOT, approve("staging")),
        (OWNER, approve("staging")),
        personal=True,
    ),
    Row(
        "an approval of what is not promoted",
        "approval-revision",
        (CISO, approve("prod", OTHER)),
        (CISO, approve("prod")),
        personal=True,
    ),
    Row(
        "an approval of one's own promotion",
        "approval-second-person",
        (PROMOTER, approve("staging")),
        (OWNER, approve("staging")),
        personal=True,
    ),
    Row(
        "a route changed by whoever may only approve",
        "approver-approves",
        (APPROVER, patch(CHAT, {"spec": {"limits": {"requestsPerMinute": 7}}})),
        (OWNER, patch(CHAT, {"spec": {"limits": {"requestsPerMinute": 7}}})),
        personal=True,
    ),
    Row(
        "an approval without the verb",
        "approval-right",
        (ADMIN, approve("staging")),
        (OWNER, approve("staging")),
        personal=True,
    ),
    Row(
        "an approval before anybody can be named as an approver",
        "approval-environment",
        (OWNER, approve("audit", path=EARLY)),
        (OWNER, approve("staging", path=EARLY)),
    ),
    Row(
        "an approval by another than the named approvers",
        "approver-listed",
        (OWNER, approve("prod")),
        (CISO, approve("prod")),
    ),
    Row(
        "an approval with a weak sign-in",
        "approval-step-up",
        (member("globex", "owner"), approve("prod", path=GLOBEX_CHAT)),
        (strong(member("globex", "owner")), approve("prod", path=GLOBEX_CHAT)),
        personal=True,
    ),
)


def policy(tenant: str, name: str) -> str:
    return ours(tenant, "retentionpolicies", name)


NO_HOLDS: Final[dict[str, Any]] = {"spec": {"legalHolds": []}}
CASE: Final = {"name": "case", "reason": "litigation"}
NEW: Final = {"name": "more", "reason": "inquiry"}
RELEASE: Final = {"release": {"reason": "settled"}}

HOLD_ROWS: Final = (
    Row(
        "the policy of a hold deleted",
        "hold-policy-deletion",
        (ADMIN, delete(policy("acme", "held"))),
        (ADMIN, delete(policy("acme", "free"))),
    ),
    Row(
        "a hold released by whoever asked for it",
        "hold-second-person",
        (GITOPS, patch(policy("acme", "asked"), NO_HOLDS)),
        (ADMINISTRATOR, patch(policy("acme", "asked"), NO_HOLDS)),
        personal=True,
    ),
    Row(
        "a hold released without the verb",
        "hold-right",
        (ADMIN, patch(policy("acme", "held"), NO_HOLDS)),
        (GITOPS, patch(policy("acme", "held"), NO_HOLDS)),
        personal=True,
    ),
    Row(
        "a hold released by a ServiceAccount",
        "hold-person",
        (FLUX, patch(policy("acme", "held"), NO_HOLDS)),
        (GITOPS, patch(policy("acme", "held"), NO_HOLDS)),
        personal=True,
    ),
    Row(
        "a release asked for in somebody else's name",
        "hold-release-author",
        (
            ADMIN,
            patch(
                policy("acme", "standing"),
                {"spec": {"legalHolds": [{**CASE, "release": {"reason": "settled", "requestedBy": "ciso"}}]}},
            ),
        ),
        (ADMIN, patch(policy("acme", "standing"), {"spec": {"legalHolds": [{**CASE, **RELEASE}]}})),
    ),
    Row(
        "a hold that is born released",
        "hold-born-released",
        (ADMIN, patch(policy("acme", "standing"), {"spec": {"legalHolds": [CASE, {**NEW, **RELEASE}]}})),
        (ADMIN, patch(policy("acme", "standing"), {"spec": {"legalHolds": [CASE, NEW]}})),
    ),
    Row(
        "a hold released with a weak sign-in",
        "hold-step-up",
        (GITOPS, patch(policy("globex", "held"), NO_HOLDS)),
        (strong(GITOPS), patch(policy("globex", "held"), NO_HOLDS)),
        personal=True,
    ),
)


def tenant(name: str) -> str:
    return ours("", "tenants", name)


FREED: Final = {"spec": {"isolation": "Enforced", "incident": None}}
GLOBEX_DEV: Final = ours("globex", "tenantnamespaces", "dev")
INTO_QUARANTINE: Final = {"spec": {"isolation": "Quarantined"}}

ENDING_ROWS: Final = (
    Row(
        "a Tenant deleted by one person",
        "removal-confirmed",
        (GITOPS, delete(tenant("acme"))),
        (GITOPS, delete(tenant("closing"))),
    ),
    Row(
        "a Tenant deleted that changed since its deletion was confirmed",
        "removal-stale",
        (GITOPS, delete(tenant("ebbing"))),
        (GITOPS, delete(tenant("closing"))),
    ),
    Row(
        "a Tenant deleted by whoever confirmed it",
        "removal-second-person",
        (SECOND, delete(tenant("closing"))),
        (ADMINISTRATOR, delete(tenant("closing"))),
        personal=True,
    ),
    Row(
        "a Tenant deleted by one ServiceAccount when another confirmed it",
        "end-person",
        (OPERATOR, delete(tenant("waning"))),
        (ADMINISTRATOR, delete(tenant("waning"))),
        personal=True,
    ),
    Row(
        "a Tenant deleted with a weak sign-in",
        "removal-step-up",
        (GITOPS, delete(tenant("globex"))),
        (strong(GITOPS), delete(tenant("globex"))),
        personal=True,
    ),
    Row(
        "a quarantined Tenant deleted",
        "removal-frozen",
        (GITOPS, delete(tenant("umbra"))),
        (GITOPS, delete(tenant("closing"))),
    ),
    Row(
        "an incident ended by one person",
        "release-confirmed",
        (GITOPS, patch(tenant("umbra"), FREED)),
        (GITOPS, patch(tenant("penumbra"), FREED)),
    ),
    Row(
        "an incident ended by a confirmation of an earlier state",
        "release-stale",
        (GITOPS, patch(tenant("annular"), FREED)),
        (GITOPS, patch(tenant("penumbra"), FREED)),
    ),
    Row(
        "an incident ended by whoever confirmed it",
        "release-second-person",
        (SECOND, patch(tenant("penumbra"), FREED)),
        (ADMINISTRATOR, patch(tenant("penumbra"), FREED)),
        personal=True,
    ),
    Row(
        "an incident ended without the verb",
        "release-right",
        (EDITOR, patch(tenant("penumbra"), FREED)),
        (GITOPS, patch(tenant("penumbra"), FREED)),
        personal=True,
    ),
    Row(
        "a confirmation in somebody else's name",
        "confirmation-stamp",
        (
            GITOPS,
            patch(
                tenant("acme"),
                annotated({names.CONFIRM_DELETE_ANNOTATION: "acme", names.CONFIRM_DELETE_BY_ANNOTATION: "ciso"}),
            ),
        ),
        (GITOPS, patch(tenant("acme"), annotated({names.CONFIRM_DELETE_ANNOTATION: "acme"}))),
    ),
    Row(
        "a confirmation that claims to be of another state",
        "confirmation-stamp",
        (GITOPS, patch(tenant("closing"), annotated({names.CONFIRM_DELETE_GENERATION_ANNOTATION: "9"}))),
        (GITOPS, patch(tenant("closing"), annotated({names.CONFIRM_DELETE_ANNOTATION: None}))),
    ),
    Row(
        "a confirmation's author changed",
        "confirmation-stamp",
        (GITOPS, patch(tenant("closing"), annotated({names.CONFIRM_DELETE_BY_ANNOTATION: "ciso"}))),
        (GITOPS, patch(tenant("closing"), annotated({names.CONFIRM_DELETE_ANNOTATION: None}))),
    ),
    Row(
        "a route deleted during an incident",
        "deletion-frozen",
        (GITOPS, delete(ours("umbra", "modelroutes", "chat"))),
        (GITOPS, delete(CHAT)),
    ),
    Row(
        "data deleted during an incident",
        "deletion-frozen",
        (GITOPS, delete(core("umbra-dev", "configmaps", "findings"))),
        (GITOPS, delete(core("acme-dev", "configmaps", "own"))),
    ),
    Row(
        "a Namespace deleted with a weak sign-in",
        "namespace-step-up",
        (GITOPS, delete(GLOBEX_DEV)),
        (strong(GITOPS), delete(GLOBEX_DEV)),
        personal=True,
    ),
    Row(
        "a Namespace quarantined with a weak sign-in",
        "namespace-step-up",
        (member("globex", "admin"), patch(GLOBEX_DEV, INTO_QUARANTINE)),
        (strong(member("globex", "admin")), patch(GLOBEX_DEV, INTO_QUARANTINE)),
        personal=True,
    ),
)


def many(count: int) -> dict[str, Any]:
    return annotated({f"acme.example/note-{number}": "x" for number in range(count)})


def later(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def paused(hours: float, reason: str = "moving house") -> dict[str, Any]:
    why = {names.BREAK_GLASS_ANNOTATION: reason} if reason else {}
    return annotated({names.PAUSED_UNTIL_ANNOTATION: later(hours), **why})


OWNED: Final = {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"}]}}
CHANGED: Final = (ADMIN, patch(DEV, ANY_CHANGE))
STATUS: Final = {"status": {"coreNamespace": "acme-dev"}}

METADATA_ROWS: Final = (
    Row("too many annotations", "metadata-size", (ADMIN, patch(DEV, many(65))), (ADMIN, patch(DEV, many(10)))),
    Row(
        "a huge annotation",
        "metadata-size",
        (ADMIN, patch(DEV, annotated({"acme.example/note": "x" * 20_000}))),
        (ADMIN, patch(DEV, annotated({"acme.example/note": "x" * 2_000}))),
    ),
    Row(
        "an annotation of the operator's",
        "metadata-annotations",
        (ADMIN, patch(DEV, annotated({names.LABELS_ANNOTATION: "x"}))),
        CHANGED,
    ),
    Row(
        "an annotation of the framework's",
        "metadata-annotations",
        (ADMIN, patch(DEV, annotated({"kopf.zalando.org/last-handled-configuration": "{}"}))),
        CHANGED,
    ),
    Row("a label of the operator's", "metadata-labels", (ADMIN, patch(DEV, labelled(__tenant="globex"))), CHANGED),
    Row("an owner by which it would be collected", "metadata-owners", (ADMIN, patch(DEV, OWNED)), CHANGED),
    Row(
        "a finalizer that keeps it for ever",
        "finalizer-added",
        (ADMIN, patch(DEV, {"metadata": {"finalizers": [names.FINALIZER, "acme.example/keep"]}})),
        CHANGED,
    ),
    Row(
        "the operator's finalizer taken off",
        "finalizer-removed",
        (ADMIN, patch(DEV, {"metadata": {"finalizers": None}})),
        CHANGED,
    ),
    Row(
        "a status by hand",
        "status-writer",
        (GITOPS, patch(f"{DEV}/status", STATUS)),
        (OPERATOR, patch(f"{DEV}/status", STATUS)),
    ),
    Row(
        "a pause without the verb",
        "pause-right",
        (EDITOR, patch(BROKEN, paused(1, ""))),
        (ADMINISTRATOR, patch(BROKEN, paused(1, ""))),
        personal=True,
    ),
    Row(
        "a pause without a reason", "pause-reason", (GITOPS, patch(DEV, paused(1, ""))), (GITOPS, patch(DEV, paused(1)))
    ),
    Row("a pause for a day", "pause-length", (GITOPS, patch(DEV, paused(24))), (GITOPS, patch(DEV, paused(1)))),
    Row(
        "a pause for ever",
        "pause-length",
        (
            GITOPS,
            patch(
                DEV,
                annotated({names.PAUSED_UNTIL_ANNOTATION: "for ever", names.BREAK_GLASS_ANNOTATION: "moving house"}),
            ),
        ),
        (GITOPS, patch(DEV, paused(3))),
    ),
)

ROUTES: Final = ours("acme", "modelroutes")


def added(name: str, **spec: Any) -> Any:
    return create(ROUTES, route(name, "acme", **spec))


def namespaced(environment: str, **spec: Any) -> Any:
    body = {"apiVersion": "ringfence.dev/v1alpha1", "kind": "Namespace", "spec": {"environment": environment, **spec}}
    return create(ours("acme", "tenantnamespaces"), named("more", body))


WARNING_ROWS: Final = (
    Row(
        "a model that nobody approved",
        "reference-model",
        (ADMIN, added("more", backends=[{"provider": "local", "model": "gpt"}])),
        (ADMIN, added("more")),
    ),
    Row(
        "a promotion to where all begins",
        "reference-promotion",
        (ADMIN, added("more", promotions={"dev": REVISION})),
        (ADMIN, added("more", promotions={"staging": REVISION})),
    ),
    Row(
        "an environment that there is not",
        "reference-environment",
        (ADMIN, namespaced("nowhere")),
        (ADMIN, namespaced("dev")),
    ),
    Row(
        "a test key in a protected environment",
        "reference-test-key",
        (ADMIN, namespaced("prod", gatewayKeys=[{"name": "ci", "mode": "Test"}])),
        (ADMIN, namespaced("prod", gatewayKeys=[{"name": "ci", "mode": "Live"}])),
    ),
    Row(
        "a key that does not say that it is none for testing",
        "reference-test-key",
        (ADMIN, namespaced("prod", gatewayKeys=[{"name": "ci"}])),
        (ADMIN, namespaced("dev", gatewayKeys=[{"name": "ci"}])),
    ),
)

ROWS: Final = (*ROUTE_ROWS, *HOLD_ROWS, *ENDING_ROWS, *METADATA_ROWS, *WARNING_ROWS)
