"""The tenant's own gateway in the engine: its listener, its pods, and who may come in.

Law: nobody comes in without a token that the API server signed for this gateway; everybody else is denied by default.
"""

from typing import Any, Final

from ringfence import names
from ringfence.gateway.envoy_ai import callers
from ringfence.gateway.envoy_ai.engine import ENVOY_PROXY, GATEWAY, SECURITY_POLICY, Engine, Resource
from ringfence.gateway.routes import ENDPOINTS, MODELS
from ringfence.gateway.served import Gateway, Issuer

_PROVIDER: Final = "kubernetes"
_MODEL: Final = "x-ai-eg-model"

# Metadata only, as of the other data plane; nothing that a client chose freely but a model's name, cut.
_LOGGED: Final = {
    "ts": "%START_TIME%",
    "request_id": "%STREAM_ID%",
    "caller": f"%REQ({callers.HEADER}):160%",
    "model": f"%REQ({_MODEL}):64%",
    "upstream": "%UPSTREAM_CLUSTER%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "bytes_in": "%BYTES_RECEIVED%",
    "bytes_out": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
}


def entrance(gateway: Gateway, engine: Engine) -> list[Resource]:
    """Gateway, EnvoyProxy and SecurityPolicy."""
    proxy = Resource(ENVOY_PROXY, names.GATEWAY, {"spec": _proxy(gateway)})
    listening = Resource(GATEWAY, names.GATEWAY, {"spec": _gateway(engine, proxy)})
    return [proxy, listening, Resource(SECURITY_POLICY, names.GATEWAY, {"spec": _security(gateway, listening)})]


def _proxy(gateway: Gateway) -> dict[str, Any]:
    """Limits are divided by the number of replicas, so it is set here."""
    pods = {"envoyDeployment": {"replicas": gateway.replicas}, "envoyService": {"type": "ClusterIP"}}
    log = {
        "format": {"type": "JSON", "json": _LOGGED},
        "sinks": [{"type": "File", "file": {"path": "/dev/stdout"}}],
    }
    return {
        "provider": {"type": "Kubernetes", "kubernetes": pods},
        "logging": {"level": {"default": "warn"}},
        "telemetry": {"accessLog": {"settings": [log]}},
    }


def _gateway(engine: Engine, proxy: Resource) -> dict[str, Any]:
    listener = {
        "name": "https",
        "protocol": "HTTPS",
        "port": names.GATEWAY_PORT,
        "tls": {"mode": "Terminate", "certificateRefs": [{"group": "", "kind": "Secret", "name": engine.certificate}]},
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }
    return {
        "gatewayClassName": engine.gateway_class,
        "infrastructure": {"parametersRef": proxy.reference},
        "listeners": [listener],
    }


def _security(gateway: Gateway, listening: Resource) -> dict[str, Any]:
    return {
        "targetRefs": [listening.reference],
        "jwt": {"providers": [_provider(gateway.issuer)]},
        "authorization": {"defaultAction": "Deny", "rules": list(_rules(gateway))},
    }


def _provider(issuer: Issuer) -> dict[str, Any]:
    return {
        "name": _PROVIDER,
        "issuer": issuer.url,
        "audiences": [names.GATEWAY_AUDIENCE],
        "localJWKS": {"type": "Inline", "inline": issuer.jwks},
        # Without this, a token in the query of a URL would do, which logs of others keep.
        "extractFrom": {"headers": [{"name": "Authorization", "valuePrefix": "Bearer "}]},
        "claimToHeaders": [{"claim": callers.CLAIM, "header": callers.HEADER}],
        "recomputeRoute": True,
    }


def _rules(gateway: Gateway) -> list[dict[str, Any]]:
    """The first that matches decides. Endpoints that the engine does not read would pass by it, so these are listed."""
    caller = f"request.headers['{callers.HEADER}']"
    # CEL searches where routes match whole.
    known = f"{caller}.matches(r'^{callers.of_gateway(gateway)}$')"
    return [
        {"name": "no-keys", "action": "Deny", "cel": f"{caller}.contains('{callers.KEY_MARK}')"},
        {"name": "ask", "action": "Allow", "cel": known, "operation": _operation("POST", *ENDPOINTS)},
        {"name": "list", "action": "Allow", "cel": known, "operation": _operation("GET", MODELS)},
    ]


def _operation(method: str, *paths: str) -> dict[str, Any]:
    return {"methods": [method], "path": {"type": "RegularExpression", "value": "|".join(paths)}}
