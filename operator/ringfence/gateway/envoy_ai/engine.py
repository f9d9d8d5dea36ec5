"""What is known of the engine in the cluster, and what it is told: plain resources.

Law: a resource lies in the tenant's home namespace and refers to nothing outside of it but the engine's own class.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ringfence.model.kinds import ResourceType

_AI: Final = "aigateway.envoyproxy.io"
_ENVOY: Final = "gateway.envoyproxy.io"
_API: Final = "gateway.networking.k8s.io"

GATEWAY: Final = ResourceType(_API, "v1", "gateways", "Gateway")
BACKEND_TLS_POLICY: Final = ResourceType(_API, "v1", "backendtlspolicies", "BackendTLSPolicy")
ENVOY_PROXY: Final = ResourceType(_ENVOY, "v1alpha1", "envoyproxies", "EnvoyProxy")
BACKEND: Final = ResourceType(_ENVOY, "v1alpha1", "backends", "Backend")
SECURITY_POLICY: Final = ResourceType(_ENVOY, "v1alpha1", "securitypolicies", "SecurityPolicy")
BACKEND_TRAFFIC_POLICY: Final = ResourceType(_ENVOY, "v1alpha1", "backendtrafficpolicies", "BackendTrafficPolicy")
AI_GATEWAY_ROUTE: Final = ResourceType(_AI, "v1beta1", "aigatewayroutes", "AIGatewayRoute")
AI_SERVICE_BACKEND: Final = ResourceType(_AI, "v1beta1", "aiservicebackends", "AIServiceBackend")
BACKEND_SECURITY_POLICY: Final = ResourceType(_AI, "v1beta1", "backendsecuritypolicies", "BackendSecurityPolicy")

TYPES: Final = (
    GATEWAY,
    BACKEND_TLS_POLICY,
    ENVOY_PROXY,
    BACKEND,
    SECURITY_POLICY,
    BACKEND_TRAFFIC_POLICY,
    AI_GATEWAY_ROUTE,
    AI_SERVICE_BACKEND,
    BACKEND_SECURITY_POLICY,
)
"""Types that the cluster must serve."""
HTTP_ROUTE: Final = "HTTPRoute"
"""What the engine makes of each AIGatewayRoute, by the same name; policies refer to it."""


@dataclass(frozen=True, slots=True)
class SecretKey:
    """Where a provider's key is: a Secret of the home namespace."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Engine:
    """An Envoy AI Gateway as the platform team set it up."""

    gateway_class: str
    certificate: str
    """Name of the Secret with the gateway's certificate, in the home namespace."""
    secrets: Mapping[str, SecretKey] = field(default_factory=dict)
    """Of providers' keys, by provider."""
    counts_globally: bool = False
    """Whether Envoy Gateway has a rate limit service: `rateLimit.backend` of its configuration."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One object, without what labels and owns it."""

    type: ResourceType
    name: str
    body: Mapping[str, Any]
    """Everything beside kind and metadata."""

    @property
    def reference(self) -> dict[str, str]:
        """How others of the same namespace refer to it."""
        return {"group": self.type.group, "kind": self.type.kind, "name": self.name}


def seconds(number: int) -> str:
    """A duration as the Gateway API writes it (GEP-2257), which takes five digits of a unit at most."""
    hours, rest = divmod(number, 3600)
    minutes, left = divmod(rest, 60)
    return "".join(f"{part}{unit}" for part, unit in ((hours, "h"), (minutes, "m"), (left, "s")) if part) or "0s"
