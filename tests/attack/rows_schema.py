"""Attacks that definitions refuse: what an object of ours may say, whoever writes it.

Law: each breaks one keyword or one expression of a schema, and its twin breaks none. They are sent as whoever may write
such an object, and as a GitOps account.
"""

import re
from typing import Any, Final, NamedTuple

from ringfence.admission.threats import Threat
from ringfence.model.kinds import PRIMARY_TYPES
from tests.attack.asking import create, patch
from tests.attack.prepared import ADMIN, GITOPS
from tests.attack.rows import ANY_CHANGE, Ask, Row, SchemaRow, ours
from tests.objects import GONE, complete, edited

_PLURALS: Final = {each.kind: each.plural for each in PRIMARY_TYPES}
_ANYWHERE: Final = re.compile(r"[.]\d+")


def born(kind: str, path: str, value: Any) -> Any:
    """The creation of an object that has every field, with one of them changed."""
    plural, name = _PLURALS[kind], "initech" if kind == "Tenant" else "fresh"
    apart = dict.fromkeys(("spec.legalHolds", "spec.promotions", "spec.approvals"), GONE)
    body = edited(complete(kind), {"metadata.name": name, **apart, path: value})
    return create(ours("" if kind == "Tenant" else "acme", plural), body)


class Told(NamedTuple):
    """What a new object of ours says in an attack, and in its twin."""

    title: str
    threat: Threat
    rule: str
    path: str
    bad: Any
    good: Any
    at: str | None = None
    """Where the rule stands, where that is not the field itself."""

    def row(self, kind: str) -> Row:
        """The row about an object of this kind."""
        place = _ANYWHERE.sub("", self.path) if self.at is None else self.at
        who = GITOPS if kind == "Tenant" else ADMIN
        attack, twin = ((who, born(kind, self.path, value)) for value in (self.bad, self.good))
        return SchemaRow(self.title, self.rule, attack, twin, threat=self.threat, at=(_PLURALS[kind], place))


SYSTEM: Final = "users and groups of system: are refused"

NAMESPACE_ROWS: Final = tuple(
    told.row("Namespace")
    for told in (
        Told(
            "another tenant's label",
            Threat.SPOOFED_LABELS,
            "labels that select namespaces",
            "spec.labels",
            {"ringfence.dev/tenant": "globex"},
            {"acme.dev/tenant": "globex"},
        ),
        Told(
            "no Pod Security, by a label",
            Threat.SPOOFED_LABELS,
            "labels that select namespaces",
            "spec.labels",
            {"pod-security.kubernetes.io/enforce": "privileged"},
            {"pod-security": "none"},
        ),
        Told("privileged", Threat.BROKEN_PODS, "enum", "spec.podSecurity", "privileged", "restricted"),
        Told(
            "a name that could be two",
            Threat.SQUATTED_NAMES,
            "the name has lower-case letters",
            "metadata.name",
            "a--b",
            "a-b",
            "",
        ),
        Told(
            "every namespace as a peer",
            Threat.OPENED_NETWORK,
            "pattern",
            "spec.network.ingress.0.from.namespace",
            "*",
            "web",
        ),
        Told(
            "a way out of the prefix",
            Threat.READ_SECRETS,
            "must not contain ..",
            "spec.secrets.0.externalSecret.key",
            "acme/../globex/db",
            "acme/db",
        ),
        Told(
            "a key for ten years",
            Threat.STOLEN_TOKENS,
            "must be 365d at most",
            "spec.gatewayKeys.0.maxAge",
            "3650d",
            "365d",
        ),
        Told(
            "everybody",
            Threat.ESCALATED_ROLES,
            SYSTEM,
            "spec.access.developers.0.group",
            "system:authenticated",
            "oidc:all",
        ),
        Told(
            "ports of nodes",
            Threat.EXPOSED_SERVICES,
            "every key must be one of",
            "spec.quota.hard",
            {"services.nodeports": "5"},
            {"services": "5"},
        ),
        Told(
            "labels without end",
            Threat.HUGE_OBJECTS,
            "maxProperties",
            "spec.labels",
            {f"k{n}": "v" for n in range(33)},
            {"k": "v"},
        ),
    )
)

OTHER_ROWS: Final = (
    Told("every model", Threat.WILDCARD_ROLES, "pattern", "spec.model", "*", "chat").row("ModelRoute"),
    Told("a header behind a model", Threat.INJECTED_TEXT, "pattern", "spec.model", "a\r\nb", "a-b").row("ModelRoute"),
    Told("kept prompts", Threat.READ_SECRETS, "enum", "spec.privacy.payloads", "Always", "Never").row("ModelRoute"),
    Told(
        "no bound on a request",
        Threat.POISONED_GATEWAY,
        "must be a whole number of bytes",
        "spec.limits.maxRequestBytes",
        "1Ti",
        "1Mi",
    ).row("ModelRoute"),
    Told(
        "a record that goes too early",
        Threat.TAMPERED_RECORDS,
        "Lineage is kept 183d at least",
        "spec.rules.0.keep",
        "182d",
        "183d",
        "spec.rules",
    ).row("RetentionPolicy"),
    Told(
        "Secrets, swept away",
        Threat.MASS_DELETION,
        "enum",
        "spec.rules.2.select",
        {"apiVersion": "v1", "kind": "Secret"},
        {"apiVersion": "v1", "kind": "ConfigMap"},
        "spec.rules.select.kind",
    ).row("RetentionPolicy"),
    Told(
        "a schedule that is a program",
        Threat.INJECTED_TEXT,
        "pattern",
        "spec.sweep.schedule",
        "* * * * * rm",
        "0 0 * * *",
    ).row("RetentionPolicy"),
)

DEV: Final = ours("acme", "tenantnamespaces", "dev")
ACME: Final = ours("", "tenants", "acme")
STANDING: Final = ours("acme", "retentionpolicies", "standing")
CHAT: Final = ours("acme", "modelroutes", "chat")
CHANGED: Final = (GITOPS, patch(DEV, ANY_CHANGE))
TENANT_CHANGED: Final = (GITOPS, patch(ACME, ANY_CHANGE))
ENVIRONMENTS: Final[list[dict[str, Any]]] = [
    {"name": "dev"},
    {"name": "staging"},
    {"name": "prod", "protected": True, "approvers": [{"group": "oidc:ciso"}]},
]


class Changed(NamedTuple):
    """What is changed in an object of ours that is there."""

    title: str
    threat: Threat
    rule: str
    at: tuple[str, str]
    attack: Ask
    twin: Ask
    backed: bool = False

    @property
    def row(self) -> Row:
        """The row about it."""
        title, threat, rule, at, attack, twin, backed = self
        return SchemaRow(title, rule, attack, twin, threat=threat, at=at, backed=backed)


CHANGES: Final = (
    Changed(
        "another environment, later",
        Threat.CHANGED_PLACE,
        "environment must not change",
        ("tenantnamespaces", "spec.environment"),
        (ADMIN, patch(DEV, {"spec": {"environment": "prod"}})),
        CHANGED,
    ),
    Changed(
        "another region, later",
        Threat.CHANGED_PLACE,
        "region must not change",
        ("tenantnamespaces", "spec.region"),
        (ADMIN, patch(DEV, {"spec": {"region": "eu-west-1"}})),
        CHANGED,
    ),
    Changed(
        "no region, to give another one afterwards",
        Threat.CHANGED_PLACE,
        "region must not change",
        ("tenantnamespaces", "spec"),
        (ADMIN, patch(DEV, {"spec": {"region": None}})),
        CHANGED,
    ),
    Changed(
        "more regions, later",
        Threat.CHANGED_PLACE,
        "residency must not change",
        ("tenants", "spec.residency"),
        (GITOPS, patch(ACME, {"spec": {"residency": {"regions": ["eu-central-1", "us-east-1"]}}})),
        TENANT_CHANGED,
    ),
    Changed(
        "no residency, to give another one afterwards",
        Threat.CHANGED_PLACE,
        "residency must not change",
        ("tenants", "spec"),
        (GITOPS, patch(ACME, {"spec": {"residency": None}})),
        TENANT_CHANGED,
    ),
    Changed(
        "production before its tests",
        Threat.CHANGED_PLACE,
        "the order of environments must not change",
        ("tenants", "spec.environments"),
        (GITOPS, patch(ACME, {"spec": {"environments": [*reversed(ENVIRONMENTS)]}})),
        (GITOPS, patch(ACME, {"spec": {"environments": [{"name": "lab"}, *ENVIRONMENTS]}})),
    ),
    Changed(
        "production without protection",
        Threat.CHANGED_PLACE,
        "the protection of an environment must not be switched off",
        ("tenants", "spec.environments"),
        (GITOPS, patch(ACME, {"spec": {"environments": [*ENVIRONMENTS[:2], {"name": "prod"}]}})),
        TENANT_CHANGED,
    ),
    Changed(
        "a hold, removed unasked",
        Threat.TAMPERED_RECORDS,
        "a legal hold stands until its release was asked for",
        ("retentionpolicies", "spec"),
        (ADMIN, patch(STANDING, {"spec": {"legalHolds": []}})),
        (ADMIN, patch(STANDING, ANY_CHANGE)),
        backed=True,
    ),
    Changed(
        "a hold, narrowed",
        Threat.TAMPERED_RECORDS,
        "a legal hold must not change",
        ("retentionpolicies", "spec"),
        (
            ADMIN,
            patch(
                STANDING,
                {"spec": {"legalHolds": [{"name": "case", "reason": "litigation", "scope": {"namespaces": ["dev"]}}]}},
            ),
        ),
        (ADMIN, patch(STANDING, ANY_CHANGE)),
    ),
)

ROWS: Final = (*NAMESPACE_ROWS, *OTHER_ROWS, *(change.row for change in CHANGES))
