"""Where requests go to in the engine: hosts, how they are verified, and whose key is shown to them.

Law: a key belongs to one backend and a backend is one host. The client's own token goes to nobody.
"""

from collections.abc import Iterator
from typing import Any, Final

from ringfence import names
from ringfence.gateway.envoy_ai import callers
from ringfence.gateway.envoy_ai.engine import (
    AI_SERVICE_BACKEND,
    BACKEND,
    BACKEND_SECURITY_POLICY,
    BACKEND_TLS_POLICY,
    Engine,
    Resource,
)
from ringfence.gateway.served import Encryption, Schema, Upstream
from ringfence.model.kinds import CONFIG_MAP

_CREDENTIALS: Final = {
    Schema.OPENAI: ("APIKey", "apiKey", "authorization"),
    Schema.ANTHROPIC: ("AnthropicAPIKey", "anthropicAPIKey", "x-api-key"),
}
"""The type of a credential, its field, and the header in which the engine sends it."""


_OF_THE_CLUSTER: Final = ("x-envoy-expected-rq-timeout-ms", "x-envoy-external-address", "x-forwarded-for")
"""Headers that Envoy adds, which tell addresses and settings."""


def name_of(upstream: Upstream) -> str:
    """What its resources are called."""
    return f"ringfence-{upstream.name}"


def backends(upstream: Upstream, engine: Engine) -> Iterator[Resource]:
    """Everything of one upstream."""
    host = Resource(BACKEND, name_of(upstream), {"spec": _host(upstream)})
    service = Resource(AI_SERVICE_BACKEND, name_of(upstream), {"spec": _service(upstream, host)})
    yield host
    yield from _verification(upstream, host)
    yield service
    if upstream.has_key:
        yield Resource(BACKEND_SECURITY_POLICY, name_of(upstream), {"spec": _credential(upstream, service, engine)})


def _host(upstream: Upstream) -> dict[str, Any]:
    reached = {"type": "Endpoints", "endpoints": [{"fqdn": {"hostname": upstream.host, "port": upstream.port}}]}
    return reached if upstream.encryption is Encryption.NONE else {**reached, "tls": {"minVersion": "1.2"}}


def _verification(upstream: Upstream, host: Resource) -> Iterator[Resource]:
    """The host is asked for by name, and its certificate must bear that name."""
    if upstream.encryption is Encryption.NONE:
        return
    trusted: dict[str, Any] = {"wellKnownCACertificates": "System"}
    if upstream.encryption is Encryption.PRIVATE:
        data = {names.AUTHORITY: upstream.authority}
        authority = Resource(CONFIG_MAP, f"{name_of(upstream)}-authority", {"data": data})
        yield authority
        trusted = {"caCertificateRefs": [authority.reference]}
    spec = {"targetRefs": [host.reference], "validation": {"hostname": upstream.host, **trusted}}
    yield Resource(BACKEND_TLS_POLICY, name_of(upstream), {"spec": spec})


def _service(upstream: Upstream, host: Resource) -> dict[str, Any]:
    return {
        "schema": {"name": upstream.schema.value, "prefix": upstream.path},
        "backendRef": host.reference,
        "headerMutation": {"remove": list(_taken_off(upstream))},
    }


def _taken_off(upstream: Upstream) -> Iterator[str]:
    """The client's token stands where the provider's key does, which replaces it; where none does, it is removed."""
    yield from (callers.HEADER, *_OF_THE_CLUSTER)
    sent = _CREDENTIALS[upstream.schema][2] if upstream.has_key else ""
    yield from (name for name in ("authorization", "x-api-key") if name != sent)


def _credential(upstream: Upstream, service: Resource, engine: Engine) -> dict[str, Any]:
    kind, field, _ = _CREDENTIALS[upstream.schema]
    secret = {"group": "", "kind": "Secret", "name": engine.secrets[upstream.key].name}
    return {"targetRefs": [service.reference], "type": kind, field: {"secretRef": secret}}
