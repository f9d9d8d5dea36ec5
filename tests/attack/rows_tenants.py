"""Attacks that the definition of Tenants refuses: hosts that lead inside, text that is more than text, too much of it.

Law: a Tenant is written by the platform team, or by whoever can change its repository; neither is to be surprised.
"""

from typing import Any, Final

from ringfence.admission.threats import Threat
from tests.attack.rows_schema import SYSTEM, Told
from tests.objects import GONE, complete

HOST: Final = "spec.providers.0.endpoint.host"
PATH: Final = "spec.providers.0.endpoint.path"
EGRESS: Final = "spec.network.egress.0.cidr"
HOOK: Final = "spec.notifications.0.url"
GROUP: Final = "spec.access.owners.0.group"
FULL_NAME: Final = "must be a full lower-case DNS name"
INTERNAL: Final = "internal, wildcard-DNS and punycode names are refused"
PROTECTED: Final = "must not overlap link-local, metadata, loopback, multicast or reserved addresses"
SHARED: Final = {"name": "model-openai", "key": "api-key"}
STORE: Final = {"kind": "ClusterSecretStore", "name": "other", "keyPrefix": "acme/"}
SECOND_PROVIDER: Final = complete("Tenant")["spec"]["providers"][1]


def second(credential: dict[str, Any]) -> dict[str, Any]:
    """Another provider, on a host of its own."""
    return {**SECOND_PROVIDER, "credential": credential}


ROWS: Final = tuple(
    told.row("Tenant")
    for told in (
        Told("an address for a host", Threat.FORGED_HOSTS, FULL_NAME, HOST, "10.0.0.1", "ten.example"),
        Told("an address as one number", Threat.FORGED_HOSTS, FULL_NAME, HOST, "2130706433", "a.b2130706433"),
        Told("a host with a dot at its end", Threat.FORGED_HOSTS, FULL_NAME, HOST, "api.openai.com.", "api.openai.com"),
        Told("a host with a port", Threat.FORGED_HOSTS, FULL_NAME, HOST, "api.openai.com:8443", "api.openai.com"),
        Told("a host behind a user's name", Threat.FORGED_HOSTS, FULL_NAME, HOST, "a@evil.example", "a.evil.example"),
        Told(
            "look-alike letters in a host",
            Threat.SQUATTED_NAMES,
            FULL_NAME,
            HOST,
            "api.\u043epenai.com",
            "api.openai.com",
        ),
        Told("the same, as punycode", Threat.SQUATTED_NAMES, INTERNAL, HOST, "xn--penai-pye.com", "openai.com"),
        Told("a name that is any address", Threat.FORGED_HOSTS, INTERNAL, HOST, "10.0.0.1.nip.io", "nip.example"),
        Told("the cloud's metadata", Threat.FORGED_HOSTS, INTERNAL, HOST, "metadata.google.internal", "google.com"),
        Told(
            "a Service of the cluster",
            Threat.FORGED_HOSTS,
            INTERNAL,
            HOST,
            "kubernetes.default.svc",
            "kubernetes.default.com",
        ),
        Told(
            "a path to what is hidden",
            Threat.INJECTED_TEXT,
            "must be empty or /a/b",
            PATH,
            "/v1/.git/config",
            "/v1/git/config",
        ),
        Told("two dots within a segment", Threat.INJECTED_TEXT, "must not contain ..", PATH, "/v1..admin", "/v1.admin"),
        Told("a header behind a path", Threat.INJECTED_TEXT, "must be empty or /a/b", PATH, "/v1\r\nX-Key: 1", "/v1"),
        Told("a query behind a path", Threat.INJECTED_TEXT, "must be empty or /a/b", PATH, "/v1?key=1", "/v1"),
        Told(
            "a line of YAML in a name for people",
            Threat.INJECTED_TEXT,
            "pattern",
            "spec.displayName",
            "a\nb: c",
            "a b: c",
        ),
        Told(
            "one key for two hosts",
            Threat.FORGED_HOSTS,
            "one secretRef must not serve two hosts",
            "spec.providers.1",
            second({"secretRef": SHARED}),
            second({"secretRef": {**SHARED, "name": "model-anthropic"}}),
            "spec.providers",
        ),
        Told(
            "one key of a store for two hosts",
            Threat.FORGED_HOSTS,
            "one externalSecret must not serve two hosts",
            "spec.providers.0.credential",
            SECOND_PROVIDER["credential"],
            {"secretRef": SHARED},
            "spec.providers",
        ),
        Told(
            "any Secret as a model's key",
            Threat.READ_SECRETS,
            "pattern",
            "spec.providers.0.credential.secretRef.name",
            "db",
            "model-db",
        ),
        Told(
            "a store's key of another tenant",
            Threat.READ_SECRETS,
            "a provider's externalSecret must be below",
            "spec.secretStores.0.keyPrefix",
            "globex/",
            "acme/",
            "spec",
        ),
        Told(
            "a prefix that leads out",
            Threat.READ_SECRETS,
            "must not contain ..",
            "spec.secretStores.1",
            {**STORE, "keyPrefix": "acme/../"},
            STORE,
            "spec.secretStores.keyPrefix",
        ),
        Told("every model", Threat.WILDCARD_ROLES, "pattern", "spec.providers.0.models", ["*"], ["gpt-4o"]),
        Told(
            "a provider outside of the regions",
            Threat.CHANGED_PLACE,
            "a provider's region must be one of",
            "spec.providers.0.region",
            "us-east-1",
            "eu-central-1",
            "spec",
        ),
        Told(
            "a way out of a closed cluster",
            Threat.EXFILTRATION,
            "boundary Cluster allows no",
            "spec.residency.boundary",
            "Cluster",
            "Regions",
            "spec",
        ),
        Told(
            "the way to the node's metadata",
            Threat.EXFILTRATION,
            PROTECTED,
            EGRESS,
            "169.254.169.254/32",
            "203.0.113.254/32",
        ),
        Told("the way to everything", Threat.EXFILTRATION, PROTECTED, EGRESS, "0.0.0.0/0", "203.0.113.0/24"),
        Told(
            "an address in another spelling",
            Threat.EXFILTRATION,
            "must be a network in CIDR",
            EGRESS,
            "::ffff:203.0.113.0/120",
            "203.0.113.0/24",
        ),
        Told(
            "every host of a suffix",
            Threat.OPENED_NETWORK,
            "must be a full lower-case DNS name",
            "spec.network.hosts",
            ["*.com"],
            ["*.acme.com"],
        ),
        Told(
            "a web hook to the inside",
            Threat.FORGED_HOSTS,
            INTERNAL,
            HOOK,
            "https://vault.vault.svc/x",
            "https://vault.example/x",
        ),
        Told(
            "a web hook without a name",
            Threat.FORGED_HOSTS,
            "must be https://",
            HOOK,
            "https://10.0.0.1/x",
            "https://ten.example/x",
        ),
        Told(
            "a password in a web hook",
            Threat.READ_SECRETS,
            "must be https://",
            HOOK,
            "https://a:b@soc.example/x",
            "https://soc.example/x",
        ),
        Told("everybody as owner", Threat.ESCALATED_ROLES, SYSTEM, GROUP, "system:authenticated", "oidc:authenticated"),
        Told("look-alike letters in a group", Threat.SQUATTED_NAMES, "pattern", GROUP, "oidc:\u0430cme", "oidc:acme"),
        Told(
            "a workload of its own as admin",
            Threat.ESCALATED_ROLES,
            "no ServiceAccount of the tenant's own namespaces",
            "spec.access.admins.1.serviceAccount.namespace",
            "initech-dev",
            "initechdev",
            "",
        ),
        Told(
            "nodes as approvers",
            Threat.FORGED_AUTHORS,
            SYSTEM,
            "spec.environments.2.approvers.0.group",
            "system:nodes",
            "oidc:nodes",
        ),
        Told(
            "a name with a hyphen: whose is a-b-c?",
            Threat.SQUATTED_NAMES,
            "a tenant's name has",
            "metadata.name",
            "ini-tech",
            "initech",
            "",
        ),
        Told(
            "the name of Kubernetes",
            Threat.TAKEN_NAMES,
            "this tenant name is reserved",
            "metadata.name",
            "kube",
            "kubes",
            "",
        ),
        Told("every taint", Threat.BROKEN_PODS, "required", "spec.scheduling.tolerations.0.key", GONE, "gpu"),
        Told(
            "the system's priority",
            Threat.BROKEN_PODS,
            "the classes of the system are refused",
            "spec.scheduling.priorityClasses",
            ["system-node-critical"],
            ["critical"],
        ),
        Told(
            "pods without Pod Security",
            Threat.BROKEN_PODS,
            "enum",
            "spec.podSecurity.allow",
            ["privileged"],
            ["baseline"],
        ),
        Told(
            "ports of nodes in the budget",
            Threat.EXPOSED_SERVICES,
            "every key must be one of",
            "spec.budget.hard",
            {"services.nodeports": "5"},
            {"services": "5"},
        ),
        Told(
            "a budget beyond arithmetic",
            Threat.QUOTA_RACES,
            "must be a Kubernetes quantity",
            "spec.budget.hard",
            {"requests.cpu": "1e400"},
            {"requests.cpu": "1e4"},
        ),
        Told(
            "a budget below nothing",
            Threat.QUOTA_RACES,
            "must be a Kubernetes quantity",
            "spec.budget.hard",
            {"requests.cpu": "-1"},
            {"requests.cpu": "1"},
        ),
        Told(
            "an incident without a number",
            Threat.TAMPERED_RECORDS,
            "isolation Quarantined needs incident",
            "spec",
            {"isolation": "Quarantined"},
            {"isolation": "Enforced"},
            "spec",
        ),
        Told(
            "more people than a rule can afford",
            Threat.EXPENSIVE_RULES,
            "maxItems",
            "spec.access.owners",
            [{"group": "oidc:a"}] * 33,
            [{"group": "oidc:a"}] * 32,
        ),
        Told("a group too long to compare", Threat.EXPENSIVE_RULES, "maxLength", GROUP, "a" * 129, "a" * 128),
        Told(
            "more networks than a rule can afford",
            Threat.EXPENSIVE_RULES,
            "maxItems",
            "spec.network.dns.cidrs",
            [f"192.0.2.{n}/32" for n in range(9)],
            ["192.0.2.1/32"],
        ),
        Told(
            "labels without end",
            Threat.HUGE_OBJECTS,
            "maxProperties",
            "spec.scheduling.nodeSelector",
            {f"k{n}": "v" for n in range(33)},
            {"k": "v"},
        ),
    )
)
