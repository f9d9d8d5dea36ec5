"""Bad inputs, each beside the good one that differs from it least.

Read as: in the complete object of this kind, at this path, the first value is refused and the second is accepted.
Both the API server and the model judge every row, and both name the field.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from tests.objects import GONE, Object, complete, edited


@dataclass(frozen=True)
class BadInput:
    """One row. ``named`` is the field that the refusal must name; by default the one at ``path``."""

    kind: str
    path: str
    bad: Any
    good: Any
    named: str = ""

    def __str__(self) -> str:
        text = re.sub(r"[^ -~]", "?", repr(self.bad))
        return f"{self.kind}-{self.path}-{text if len(text) <= 40 else text[:37] + '...'}"

    @property
    def refused(self) -> Object:
        """The object with the bad value."""
        return edited(complete(self.kind), {self.path: self.bad})

    @property
    def accepted(self) -> Object:
        """The object with the good value."""
        return edited(complete(self.kind), {self.path: self.good})

    @property
    def field(self) -> str:
        """The field that the refusal must name."""
        return self.named or re.sub(r"\.(\d+)", r"[\1]", self.path)


def _rows(kind: str, *rows: tuple[Any, ...]) -> list[BadInput]:
    return [BadInput(kind, *row) for row in rows]


_DOMAIN: Final = "a." * 123 + "example"
_PROVIDER: Final = complete("Tenant")["spec"]["providers"][0]
_EXTERNAL: Final = complete("Tenant")["spec"]["providers"][1]["credential"]["externalSecret"]
_EGRESS: Final = "spec.network.egress.0.cidr"
_HOST: Final = "spec.providers.0.endpoint.host"
_PATH: Final = "spec.providers.0.endpoint.path"
_URL: Final = "spec.notifications.0.url"
_GROUP: Final = "spec.access.owners.0.group"

TENANT: Final = _rows(
    "Tenant",
    # Names: `<tenant>-<namespace>` must be unambiguous and nobody else's.
    ("metadata.name", "ac-me", "acme", "a tenant's name has"),
    ("metadata.name", "a", "ac", "a tenant's name has"),
    ("metadata.name", "a" * 31, "a" * 30, "a tenant's name has"),
    ("metadata.name", "1acme", "acme1", "a tenant's name has"),
    ("metadata.name", "kube", "kubes", "reserved"),
    ("metadata.name", "cert", "certs", "reserved"),
    ("metadata.name", "default", "defaults", "reserved"),
    # Nothing is accepted and then ignored.
    ("specs", {}, GONE),
    ("spec.quarantined", True, GONE),
    ("spec.network.egres", [], GONE),
    ("spec.displayName", "a" * 129, "a" * 128),
    ("spec.displayName", "two\nlines", "one line"),
    ("spec.displayName", 7, "7"),
    ("spec.contacts.security", "security", "security@acme.example"),
    ("spec.contacts.security", "a b@acme.example", "a.b@acme.example"),
    ("spec.contacts.reviewer", {}, {"user": "oidc:ciso"}),
    # Who: exactly one, fully qualified, never Kubernetes itself.
    (_GROUP, "system:masters", "oidc:masters"),
    (_GROUP, "", "x"),
    (_GROUP, "a" * 129, "a" * 128),
    (_GROUP, "oidc:ac\u043ce", "oidc:acme"),
    (_GROUP, " oidc:acme", "oidc:a cme"),
    ("spec.access.owners.0", {"user": "system:admin"}, {"user": "oidc:admin"}, "spec.access.owners[0].user"),
    ("spec.access.owners.0", {}, {"group": "oidc:acme"}),
    ("spec.access.owners.0", {"group": "oidc:a", "user": "oidc:b"}, {"user": "oidc:b"}),
    (
        "spec.access.owners.0",
        {"serviceAccount": {"name": "x"}},
        {"serviceAccount": {"name": "x", "namespace": "y"}},
        "namespace",
    ),
    (
        "spec.access.owners.0",
        {"serviceAccount": {"name": "X", "namespace": "y"}},
        {"serviceAccount": {"name": "x", "namespace": "y"}},
        "serviceAccount.name",
    ),
    (
        "spec.access.admins.1.serviceAccount.namespace",
        "acme-dev",
        "acmedev",
        "spec.access",
    ),
    ("spec.access.admins.1.serviceAccount.namespace", "acme", "acm", "spec.access"),
    ("spec.access.owners", [{"group": "oidc:a"}] * 33, [{"group": "oidc:a"}] * 32),
    ("spec.access.reviewEvery", "90", "90d"),
    ("spec.access.reviewEvery", "0d", "1d"),
    ("spec.access.reviewEvery", "1.5h", "90m"),
    ("spec.access.reviewEvery", "1h30m", "90m"),
    ("spec.access.reviewEvery", "90d\n", "90d"),
    ("spec.access.stepUp.values", [], ["mfa"]),
    ("spec.access.stepUp.values", ["mfa", "mfa"], ["mfa", "hwk"]),
    ("spec.access.stepUp.extraKey", "ACR", "acr"),
    # Environments.
    ("spec.environments", [], [{"name": "dev"}, {"name": "staging"}, {"name": "prod"}]),
    ("spec.environments.0.name", "prod", "dev", "spec.environments[2]"),
    ("spec.environments.0.name", "Dev", "dev"),
    ("spec.environments.0.name", "dev-", "dev"),
    ("spec.environments.0.protected", "true", True),
    ("spec.environments.2.approvers.0.group", "system:nodes", "oidc:nodes"),
    # Residency.
    ("spec.residency.regions", [], ["eu-central-1"]),
    ("spec.residency.regions", ["us-east-1"], ["us-east-1", "eu-central-1"], "spec.providers"),
    ("spec.residency.regions", ["eu-central-1", "eu-central-1"], ["eu-central-1"], "spec.residency.regions[1]"),
    ("spec.residency.boundary", "Planet", "Regions"),
    ("spec.residency.boundary", "Cluster", "Regions"),
    # Scheduling.
    ("spec.scheduling.tolerations.0.key", GONE, "gpu"),
    ("spec.scheduling.tolerations.0.operator", "Exists", "Equal", "spec.scheduling.tolerations[0]"),
    ("spec.scheduling.tolerations.0.effect", "NoRun", "NoExecute"),
    ("spec.scheduling.nodeSelector", {"a b": "c"}, {"a.b": "c"}),
    ("spec.scheduling.nodeSelector", {"a": "b c"}, {"a": "b.c"}),
    ("spec.scheduling.priorityClasses", ["system-node-critical"], ["node-critical"]),
    # Budget: what a ResourceQuota can hold, in quantities that arithmetic can hold.
    ("spec.budget.hard", {"cpu": "1"}, {"requests.cpu": "1"}),
    ("spec.budget.hard", {"requests.cpu/x": "1"}, {"requests.acme.example/x": "1"}),
    ("spec.budget.hard", {"services.nodeports": "5"}, {"services": "5"}),
    ("spec.budget.hard", {"requests.cpu": "-1"}, {"requests.cpu": "1"}),
    ("spec.budget.hard", {"requests.cpu": -1}, {"requests.cpu": 1}),
    ("spec.budget.hard", {"requests.cpu": "1e400"}, {"requests.cpu": "1e4"}),
    ("spec.budget.hard", {"requests.memory": "2Ei"}, {"requests.memory": "1Ei"}),
    ("spec.budget.hard", {"requests.memory": 2**60 + 1}, {"requests.memory": 2**60}),
    ("spec.budget.hard", {"requests.memory": "8 Gi"}, {"requests.memory": "8Gi"}),
    ("spec.budget.hard", {"requests.memory": "8gi"}, {"requests.memory": "8Gi"}),
    ("spec.budget.hard", {"requests.cpu": ""}, {"requests.cpu": "0"}),
    ("spec.budget.hard", {"requests.cpu": 1.5}, {"requests.cpu": "1.5"}),
    ("spec.budget.hard", {"requests.cpu": True}, {"requests.cpu": 1}),
    ("spec.budget.hard", {"pods": "1500m"}, {"pods": "1500"}),
    ("spec.budget.hard", {"requests.nvidia.com/gpu": "0.5"}, {"requests.nvidia.com/gpu": "1"}),
    ("spec.budget.namespaces", -1, 0),
    ("spec.budget.namespaces", 501, 500),
    ("spec.budget.namespaces", "10", 10),
    ("spec.podSecurity.allow", ["privileged"], ["baseline"]),
    ("spec.podSecurity.allow", [], ["restricted"]),
    ("spec.storageClasses", [""], ["a"]),
    ("spec.storageClasses", ["Fast"], ["fast"]),
    # Stores: a prefix that opens nothing of others.
    ("spec.secretStores.0.keyPrefix", "acme", "acme/"),
    ("spec.secretStores.0.keyPrefix", "acme/../", "acme/"),
    ("spec.secretStores.0.keyPrefix", "globex/", "acme/", "spec.providers"),
    ("spec.secretStores.0.kind", "VaultStore", "ClusterSecretStore"),
    # Egress: never to the machine, its metadata or the cluster.
    (_EGRESS, "169.254.169.254/32", "203.0.113.254/32"),
    (_EGRESS, "169.0.0.0/8", "203.0.0.0/16"),
    (_EGRESS, "0.0.0.0/0", "198.51.100.0/24"),
    (_EGRESS, "127.0.0.1/32", "192.0.2.1/32"),
    (_EGRESS, "fe80::/64", "2001:db8::/64"),
    (_EGRESS, "::/0", "2001:db8::/32"),
    (_EGRESS, "64:ff9b::a9fe:a9fe/128", "2001:db8::a9fe:a9fe/128"),
    (_EGRESS, "::ffff:203.0.113.0/120", "203.0.113.0/24"),
    (_EGRESS, "203.0.113.7/24", "203.0.113.7/32"),
    (_EGRESS, "203.0.113.0", "203.0.113.0/24"),
    (_EGRESS, "203.0.113.0/024", "203.0.113.0/24"),
    (_EGRESS, "203.0.113.0/255.255.255.0", "203.0.113.0/24"),
    (_EGRESS, "203.0.0113.0/24", "203.0.113.0/24"),
    ("spec.network.egress.0.ports", [0], [1], "spec.network.egress[0].ports[0]"),
    ("spec.network.egress.0.ports", [65536], [65535], "spec.network.egress[0].ports[0]"),
    ("spec.network.egress.0.ports", [], [443]),
    ("spec.network.egress.0.ports", [443, 443], [443, 8443], "spec.network.egress[0].ports[1]"),
    ("spec.network.dns.podSelector", {}, {"k8s-app": "coredns"}),
    ("spec.network.dns.cidrs", ["10.0.0.1/8"], ["10.0.0.1/32"], "spec.network.dns.cidrs[0]"),
    (
        "spec.network.ingressFrom",
        [{"namespace": "a"}, {"namespace": "a"}],
        [{"namespace": "a"}, {"namespace": "b"}],
        "spec.network.ingressFrom[1]",
    ),
    ("spec.network.hosts", ["*"], ["*.acme.example"], "spec.network.hosts[0]"),
    ("spec.network.hosts", ["*.example"], ["acme.example"], "spec.network.hosts[0]"),
    ("spec.network.hosts", ["a.*.example"], ["a.b.example"], "spec.network.hosts[0]"),
    # Providers: one host each, outside, by its full name.
    (_HOST, "10.0.0.1", "api10.example"),
    (_HOST, "2130706433", "a.b2130706433"),
    (_HOST, "[::1]", "one.example"),
    (_HOST, "localhost", "local.host"),
    (_HOST, "kubernetes.default.svc", "kubernetes.default.services"),
    (_HOST, "metadata.google.internal", "google.com"),
    (_HOST, "169.254.169.254.nip.io", "nip.example"),
    (_HOST, "xn--openai-9ua.com", "openai.com"),
    (_HOST, "api.openai.com.", "api.openai.com"),
    (_HOST, "api.openai.com:8443", "api.openai.com"),
    (_HOST, "user@api.openai.com", "user.api.openai.com"),
    (_HOST, "API.openai.com", "api.openai.com"),
    (_HOST, "api.openai.com\n", "api.openai.com"),
    (_HOST, "a" + _DOMAIN, _DOMAIN),
    (_PATH, "/v1/../admin", "/v1/admin"),
    (_PATH, "/v1..x", "/v1.x"),
    (_PATH, "/v1?x=1", "/v1"),
    (_PATH, "/v1/", "/v1"),
    (_PATH, "v1", "/v1"),
    (_PATH, "/%2e%2e", "/2e2e"),
    (_PATH, "/v1\r\nX-Key: 1", "/v1"),
    ("spec.providers.0.name", "anthropic", "openai", "spec.providers[1]"),
    ("spec.providers.0.schema", "Gemini", "OpenAI"),
    ("spec.providers.0.models", ["*"], ["gpt-4o"], "spec.providers[0].models[0]"),
    ("spec.providers.0.models", [], ["gpt-4o"]),
    ("spec.providers.0.region", GONE, "eu-central-1", "spec.providers[0]"),
    ("spec.providers.0.region", "us-east-1", "eu-central-1", "spec.providers"),
    ("spec.providers.0.credential", GONE, _PROVIDER["credential"], "spec.providers[0]"),
    ("spec.providers.0.endpoint", GONE, _PROVIDER["endpoint"], "spec.providers[0]"),
    ("spec.providers.2.endpoint", {"host": "llama.example"}, GONE, "spec.providers[2]"),
    ("spec.providers.0.environments", ["qa"], ["dev"], "spec.providers"),
    ("spec.providers.0.environments", [], ["dev"]),
    ("spec.providers.0.credential.secretRef.name", "openai", "model-openai"),
    ("spec.providers.0.credential.secretRef.key", "../api-key", "api-key"),
    ("spec.providers.0.credential.secretRef", GONE, {"name": "model-x", "key": "k"}, "spec.providers[0].credential"),
    (
        "spec.providers.1.credential",
        {"secretRef": {"name": "model-openai", "key": "other"}},
        {"secretRef": {"name": "model-other", "key": "api-key"}},
        "spec.providers",
    ),
    (
        "spec.providers.0.credential",
        {"externalSecret": _EXTERNAL},
        {"externalSecret": {**_EXTERNAL, "property": "openai"}},
        "spec.providers",
    ),
    ("spec.providers.1.credential.externalSecret.key", "globex/providers", "acme/providers", "spec.providers"),
    ("spec.providers.1.credential.externalSecret.key", "acme/../globex", "acme/globex"),
    ("spec.providers.0.credential.rotatedAt", "2026-02-30T00:00:00Z", "2026-02-28T00:00:00Z"),
    ("spec.providers.0.credential.rotatedAt", "yesterday", "2026-11-21T00:00:00Z"),
    ("spec.providers.0.credential.rotatedAt", ["2026-11-21T00:00:00Z"], "2026-11-21T00:00:00Z"),
    ("spec.providers.0.terms.training", "no", False),
    ("spec.providers.2.service.port", 0, 1),
    ("spec.providers.2.service.namespace", "kube--system", "kube-system"),
    # The rest.
    ("spec.gateway.replicas", 0, 1),
    ("spec.gateway.dataPlane", "envoy", "Envoy"),
    ("spec.gateway.maxRequestBytes", "2Gi", "1Gi"),
    ("spec.gateway.maxRequestBytes", 0, 1),
    ("spec.gateway.maxRequestBytes", "1500m", "1k"),
    (_URL, "http://hooks.acme.example/x", "https://hooks.acme.example/x"),
    (_URL, "https://hooks.acme.example:8443/x", "https://hooks.acme.example/x"),
    (_URL, "https://user:pass@hooks.acme.example/x", "https://hooks.acme.example/x"),
    (_URL, "https://hooks.acme.example/x?token=1", "https://hooks.acme.example/x"),
    (_URL, "https://10.0.0.1/x", "https://ten.example/x"),
    (_URL, "https://metadata.google.internal/x", "https://google.example/x"),
    ("spec.notifications.0.events", ["Everything"], ["Denied"], "spec.notifications[0].events[0]"),
    ("spec.exceptions.0.control", "everything", "ISO-1"),
    ("spec.exceptions.0.until", GONE, "2026-12-31T00:00:00Z"),
    ("spec.exceptions.0.reason", "   ", "because"),
    ("spec.isolation", "Off", "Quarantined"),
    ("spec.deletionPolicy", "Destroy", "Delete"),
    (
        "spec",
        {"isolation": "Quarantined"},
        {"isolation": "Quarantined", "incident": {"id": "I-1", "reason": "leak"}},
        "spec.incident",
    ),
    ("spec.incident.reason", GONE, "leak"),
)

NAMESPACE: Final = _rows(
    "Namespace",
    ("metadata.name", "a--b", "a-b", "the name has"),
    ("metadata.name", "1a", "a1", "the name has"),
    ("metadata.name", "a" * 33, "a" * 32, "the name has"),
    ("spec.environment", GONE, "dev"),
    ("spec.environment", "Dev", "dev"),
    ("spec.region", "eu_central", "eu-central"),
    ("spec.owner.team", "", "search"),
    ("spec.owner.contact", "search", "search@acme.example"),
    ("spec.podSecurity", "privileged", "baseline"),
    ("spec.quota.hard", {"memory": "1Gi"}, {"requests.memory": "1Gi"}),
    ("spec.quota.hard", {"pods": "-1"}, {"pods": "1"}),
    ("spec.limits.default", {"gpu": "1"}, {"cpu": "1"}),
    ("spec.limits.defaultRequest", {"cpu": "501m"}, {"cpu": "500m"}),
    ("spec.network.ingress.0.from", {"namespace": "b", "podSelector": {}}, {"namespace": "b"}, "podSelector"),
    ("spec.network.ingress.0.from.namespace", "*", "web"),
    ("spec.network.egress.0.ports", ["http"], [80], "spec.network.egress[0].ports[0]"),
    ("spec.secrets.0.name", "DB", "db"),
    ("spec.secrets.0.externalSecret.key", "acme/../globex/db", "acme/db"),
    ("spec.secrets.0.rotateEvery", "month", "30d"),
    ("spec.secrets", [{"name": "a"}, {"name": "a"}], [{"name": "a"}, {"name": "b"}], "spec.secrets[1]"),
    ("spec.gatewayKeys.0.maxAge", "366d", "365d"),
    ("spec.gatewayKeys.0.maxAge", "9m", "10m"),
    ("spec.gatewayKeys.0.mode", "Prod", "Live"),
    ("spec.gatewayKeys.0.allowCIDRs", ["198.51.100.1"], ["198.51.100.1/32"], "spec.gatewayKeys[0].allowCIDRs[0]"),
    ("spec.gatewayKeys.0.allowCIDRs", [], ["198.51.100.0/24"]),
    ("spec.labels", {"ringfence.dev/tenant": "globex"}, {"acme.dev/tenant": "globex"}),
    ("spec.labels", {"pod-security.kubernetes.io/enforce": "privileged"}, {"pod-security": "none"}),
    ("spec.labels", {"istio-injection": "disabled"}, {"injection": "disabled"}),
    ("spec.labels", {"a/b/c": "d"}, {"a/b": "d"}),
    ("spec.labels", {"a": "-"}, {"a": ""}),
    (
        "spec.access.developers",
        [{"group": "system:authenticated"}],
        [{"group": "oidc:all"}],
        "spec.access.developers[0].group",
    ),
    ("spec.access.owners", [{"group": "oidc:me"}], GONE, "spec.access.owners"),
    ("spec.isolation", "Open", "Quarantined"),
)

MODEL_ROUTE: Final = _rows(
    "ModelRoute",
    ("metadata.name", "chat.v1", "chat-v1", "the name has"),
    ("spec.model", "*", "chat"),
    ("spec.model", "", "c"),
    ("spec.model", "chat model", "chat-model"),
    ("spec.model", "a" * 97, "a" * 96),
    ("spec.backends", [], [{"provider": "openai", "model": "gpt-4o"}]),
    ("spec.backends.0.weight", 0, 1),
    ("spec.backends.0.priority", 8, 7),
    ("spec.backends.1", {"provider": "openai", "model": "gpt-4o"}, {"provider": "openai", "model": "gpt-4o-mini"}),
    ("spec.consumers.namespaces", ["dev", "dev"], ["dev", "prod"], "spec.consumers.namespaces[1]"),
    ("spec.consumers.serviceAccounts.0.name", "Chat", "chat"),
    ("spec.limits.requestsPerMinute", 0, 1),
    ("spec.limits.tokensPerMinute", 2**31, 2**31 - 1),
    ("spec.limits.timeout", "2 min", "2m"),
    ("spec.limits.maxRequestBytes", "1Ti", "1Mi"),
    ("spec.limits.maxParallel", 100_001, 100_000),
    ("spec.privacy.payloads", "Always", "Never"),
    ("spec.promotions", {"prod": "v1"}, {"prod": "rev-0123abcd"}, "spec.promotions"),
    ("spec.promotions", {"Prod": "rev-0123abcd"}, {"prod": "rev-0123abcd"}),
    ("spec.promotions", {"prod": "rev-0123abc"}, {"prod": "rev-0123abcd"}),
    ("spec.approvals.0.revision", "latest", "rev-0123abcd"),
    ("spec.approvals.0.environment", GONE, "prod"),
    ("spec.redaction", [], GONE),
)

RETENTION_POLICY: Final = _rows(
    "RetentionPolicy",
    ("metadata.name", "1st", "first", "the name has"),
    ("spec.rules.0.keep", "182d", "183d"),
    ("spec.rules.0.keep", "4391h", "4392h"),
    ("spec.rules.0.data", "Prompts", "Lineage"),
    ("spec.rules.1", {"data": "Lineage", "keep": "400d"}, {"data": "GatewayUsage", "keep": "1d"}, "spec.rules"),
    ("spec.rules.2.select", GONE, {"apiVersion": "v1", "kind": "Pod"}, "spec.rules[2].select"),
    ("spec.rules.1.select", {"apiVersion": "v1", "kind": "Pod"}, GONE),
    ("spec.rules.2.select.apiVersion", "v1", "batch/v1"),
    ("spec.rules.2.select.kind", "Secret", "Job"),
    (
        "spec.rules.2.select",
        {"apiVersion": "v1", "kind": "ConfigMap", "finished": True},
        {"apiVersion": "v1", "kind": "Pod", "finished": True},
        "spec.rules[2].select.finished",
    ),
    ("spec.rules.3.name", GONE, "x"),
    ("spec.rules.1.name", "x", GONE),
    ("spec.rules.0.owner", "nobody", "nobody@acme.example"),
    ("spec.legalHolds.0.reason", "", "x"),
    ("spec.legalHolds.0.release", {}, {"reason": "settled"}, "spec.legalHolds[0].release.reason"),
    ("spec.legalHolds.0.since", "2026-11-01", "2026-11-01T00:00:00Z"),
    ("spec.sweep.schedule", "@daily", "0 0 * * *"),
    ("spec.sweep.schedule", "60 * * * *", "59 * * * *"),
    ("spec.sweep.schedule", "* 24 * * *", "* 23 * * *"),
    ("spec.sweep.schedule", "* * 0 * *", "* * 1 * *"),
    ("spec.sweep.schedule", "* * * 13 *", "* * * 12 *"),
    ("spec.sweep.schedule", "* * * *", "*/5 1-5,7 * * *"),
    ("spec.sweep.dryRun", "false", False),
    ("spec.export.keep", 0, 1),
)

GUARDRAIL: Final = _rows(
    "Guardrail",
    ("metadata.name", "guardrails", "ringfence", "the only Guardrail"),
    ("spec.tenant", GONE, "acme"),
    ("spec.subjects", ["oidc:acme"], ["Group:oidc:acme"], "spec.subjects[0]"),
    ("spec.tokens.maxAgeSeconds", 315_360_000, 31_536_000),
)

BAD_INPUTS: Final = TENANT + NAMESPACE + MODEL_ROUTE + RETENTION_POLICY + GUARDRAIL
