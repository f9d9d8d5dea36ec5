"""What people may wish for at random: specs of Tenants and Namespaces that the API server takes.

Law: what never changes (environments, regions) is always the same, so that a wish is refused for who asks, never for
what it says.
"""

from random import Random
from typing import Any, Final

from tests.attack.prepared import LOCAL, TENANTS

Object = dict[str, Any]
API: Final = "ringfence.dev/v1alpha1"
HOMES: Final = ("acme", "globex")
NAMESPACES: Final = {"dev": "dev", "models": "dev", "prod": "prod", "web": "dev"}
"""Names of Namespaces, each with its environment; the attack table is about the first three."""
INCIDENT: Final = {"isolation": "Quarantined", "incident": {"id": "INC-1", "reason": "drill"}}
NO_INCIDENT: Final = {"isolation": "Enforced", "incident": None}
_ROLES: Final = ("owners", "admins", "developers", "viewers")
_FIXED: Final = {tenant["name"]: tenant["spec"] for tenant in TENANTS if tenant["name"] in HOMES}
_REGION: Final = "eu-central-1"


def tenant(random: Random, name: str) -> Object:
    """A Tenant; somebody of its people may always be missing."""
    fixed = {key: _FIXED[name][key] for key in ("environments", "residency") if key in _FIXED[name]}
    people = {role: [{"group": f"oidc:{name}-{role}"}] for role in _ROLES if random.random() < 0.9}
    spec: Object = {
        **fixed,
        "access": {**people, "members": [{"group": f"oidc:{name}-guests"}]},
        "budget": {"namespaces": random.choice((1, 3, 5)), "hard": {"pods": random.choice(("4", "20"))}},
        "podSecurity": {"allow": random.choice((["restricted"], ["restricted", "baseline"]))},
        "network": {"ingressFrom": random.choice(([], [{"namespace": "monitoring"}]))},
        "providers": random.choice(([], [LOCAL])),
        # A gateway's certificates are random, and no node here runs it: it is followed by tests of its own.
        "gateway": {"dataPlane": "None"},
        "deletionPolicy": random.choice(("Retain", "Retain", "Retain", "Delete")),
    }
    return {"apiVersion": API, "kind": "Tenant", "metadata": {"name": name}, "spec": spec}


def namespace(random: Random, home: str, name: str) -> Object:
    """A Namespace object."""
    peer = random.choice(sorted(NAMESPACES))
    access = {"developers": [{"group": f"oidc:{home}-{random.choice(('guests', 'strangers'))}"}]}
    spec: Object = {
        "environment": NAMESPACES[name],
        "podSecurity": random.choice(("restricted", "restricted", "baseline")),
        "quota": {"hard": {"pods": str(random.randint(1, 6))}},
        "network": {
            "ingress": [{"from": {"namespace": peer}, "ports": [8080]}],
            "egress": [{"to": {"namespace": peer}, "ports": [8080]}],
        },
        "access": access if random.random() < 0.3 else {},
        "gatewayKeys": random.choice(([], [{"name": "ci"}])),
        "labels": random.choice(({}, {"cost-center": "r42"})),
        **({"region": _REGION} if "residency" in _FIXED[home] else {}),
    }
    return {"apiVersion": API, "kind": "Namespace", "metadata": {"name": name, "namespace": home}, "spec": spec}


def policy(where: str, tenant: str, environment: str) -> Object:
    """A NetworkPolicy of a tenant's own, for peers of its own."""
    labels = {"ringfence.dev/tenant": tenant, "ringfence.dev/environment": environment}
    spec = {
        "podSelector": {"matchLabels": {"app": "own"}},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"namespaceSelector": {"matchLabels": labels}}]}],
    }
    metadata = {"name": "own", "namespace": where}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
