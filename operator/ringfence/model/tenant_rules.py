"""What must hold between the fields of a Tenant, and between a Tenant and its successor."""

from typing import TYPE_CHECKING, Final

from ringfence.model.definition import Root, name_rule
from ringfence.model.rules import Rule, Transition, cel_list

if TYPE_CHECKING:
    from ringfence.model.tenant import TenantSpec

# `<tenant>-<namespace>` must never be a namespace of Kubernetes or of a known add-on: kube-system, cert-manager…
# fmt: off
RESERVED_NAMES: Final = (
    "argo", "argocd", "aws", "azure", "calico", "capi", "capsule", "cattle", "cert", "cilium", "crossplane",
    "default", "envoy", "external", "falco", "fleet", "flux", "gatekeeper", "gke", "gpu", "ingress", "istio",
    "keda", "knative", "kube", "kubeflow", "kubevirt", "kyverno", "linkerd", "local", "longhorn", "metallb",
    "monitoring", "nginx", "node", "olm", "openebs", "openshift", "opentelemetry", "projectcontour", "prometheus",
    "rf", "ringfence", "rook", "system", "tekton", "tigera", "traefik", "trident", "vault", "velero",
)
# fmt: on

_LISTS: Final = ("owners", "admins", "developers", "viewers", "members")


def _no_workload_of_its_own(root: Root) -> bool:
    """Whoever can run a pod in a tenant's namespace is its ServiceAccount: a grant to that is a grant to everybody."""
    accounts = (principal.service_account for name in _LISTS for principal in getattr(root.spec.access, name))
    return all(account is None or account.namespace.split("-", 1)[0] != root.name for account in accounts)


ROOT_RULES: Final = (
    name_rule(
        "[a-z][a-z0-9]{1,29}", "a tenant's name has 2 to 30 lower-case letters and digits, first a letter, no hyphen"
    ),
    Rule(
        f"!(self.metadata.name in {cel_list(RESERVED_NAMES)})",
        "this tenant name is reserved: its namespaces would look like those of Kubernetes or of a known add-on",
        lambda root: root.name not in RESERVED_NAMES,
    ),
    Rule(
        # One quantifier for each list: to CEL their items are of different types.
        "!has(self.spec.access) || ("
        + " && ".join(
            f"(!has(self.spec.access.{name}) || self.spec.access.{name}.all(s, !has(s.serviceAccount) || "
            "s.serviceAccount.__namespace__.split('-', 2)[0] != self.metadata.name))"
            for name in _LISTS
        )
        + ")",
        "no ServiceAccount of the tenant's own namespaces: whoever runs a pod there would have its rights",
        _no_workload_of_its_own,
        ".spec.access",
    ),
    Transition(
        "!has(oldSelf.status) || !has(oldSelf.status.namespaces) || !has(oldSelf.spec.environments) || "
        "oldSelf.spec.environments.all(e, self.spec.environments.exists(n, n.name == e.name) || "
        "!oldSelf.status.namespaces.exists(n, has(n.environment) && n.environment == e.name))",
        "an environment that a Namespace is in must not be removed",
        ".spec.environments",
    ),
)

ENVIRONMENT_RULES: Final = (
    Transition(
        "oldSelf.map(e, e.name).filter(n, self.exists(e, e.name == n)) == "
        "self.map(e, e.name).filter(n, oldSelf.exists(e, e.name == n))",
        "the order of environments must not change; new ones may be put between",
    ),
    Transition(
        "oldSelf.all(o, !has(o.protected) || !o.protected || "
        "self.all(n, n.name != o.name || (has(n.protected) && n.protected)))",
        "the protection of an environment must not be switched off",
    ),
)

RESIDENCY_RULES: Final = (Transition("self == oldSelf", "residency must not change"),)


def _regions_fit(spec: "TenantSpec") -> bool:
    if spec.residency is None:
        return True
    return all(provider.region is None or provider.region in spec.residency.regions for provider in spec.providers)


def _environments_exist(spec: "TenantSpec") -> bool:
    known = {environment.name for environment in spec.environments}
    return all(known.issuperset(provider.environments or ()) for provider in spec.providers)


def _stays_inside(spec: "TenantSpec") -> bool:
    if spec.residency is None or spec.residency.boundary != "Cluster":
        return True
    outside = any(provider.endpoint for provider in spec.providers)
    return not (outside or spec.notifications or spec.network.egress)


def _stores_granted(spec: "TenantSpec") -> bool:
    wanted = [p.credential.external_secret for p in spec.providers if p.credential and p.credential.external_secret]
    return all(
        any(
            (store.kind, store.name) == (secret.store.kind, secret.store.name)
            and secret.key.startswith(store.key_prefix)
            for store in spec.secret_stores
        )
        for secret in wanted
    )


SPEC_RULES: Final = (
    Transition("has(self.residency) == has(oldSelf.residency)", "residency must not change", ".residency"),
    Rule(
        "!has(self.residency) || !has(self.providers) || "
        "self.providers.all(p, !has(p.region) || p.region in self.residency.regions)",
        "a provider's region must be one of residency.regions",
        _regions_fit,
        ".providers",
    ),
    Rule(
        "!has(self.providers) || self.providers.all(p, !has(p.environments) || "
        "p.environments.all(n, has(self.environments) && self.environments.exists(e, e.name == n)))",
        "a provider's environments must be among the tenant's",
        _environments_exist,
        ".providers",
    ),
    Rule(
        "!has(self.residency) || self.residency.boundary != 'Cluster' || ("
        "(!has(self.providers) || self.providers.all(p, !has(p.endpoint))) && "
        "(!has(self.notifications) || self.notifications.size() == 0) && "
        "(!has(self.network) || !has(self.network.egress) || self.network.egress.size() == 0))",
        "boundary Cluster allows no provider with an endpoint, no notification and no egress",
        _stays_inside,
        ".residency.boundary",
    ),
    Rule(
        "!has(self.providers) || self.providers.all(p, !has(p.credential) || !has(p.credential.externalSecret) || "
        "(has(self.secretStores) && self.secretStores.exists(s, s.kind == p.credential.externalSecret.store.kind && "
        "s.name == p.credential.externalSecret.store.name && "
        "p.credential.externalSecret.key.startsWith(s.keyPrefix))))",
        "a provider's externalSecret must be below the keyPrefix of one of secretStores",
        _stores_granted,
        ".providers",
    ),
    Rule(
        "self.isolation != 'Quarantined' || has(self.incident)",
        "isolation Quarantined needs incident with id and reason",
        lambda spec: spec.isolation != "Quarantined" or spec.incident is not None,
        ".incident",
    ),
)
