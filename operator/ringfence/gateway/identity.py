"""Who calls: a ServiceAccount, by a token that the API server signed for this gateway.

Law: namespace and account come from the verified token and from nowhere else; whatever a client says about itself in a
header is taken off first.
"""

from typing import Final

from ringfence import names
from ringfence.gateway.served import Issuer
from ringfence.gateway.typed import (
    ACCOUNT_HEADER,
    HTTP,
    INTERNAL_PREFIX,
    JWT,
    NAMESPACE_HEADER,
    Json,
    named,
    set_header,
)

_CLOCK_SKEW: Final = 10  # seconds
_PROVIDER: Final = "kubernetes"
_CLAIM: Final = "kubernetes.io"
NAMESPACE_PATH: Final = ("jwt", _CLAIM, "namespace")
"""Where the filter notes the caller's namespace. No header can be made of the claim: its name has a dot."""
_SPOOFED: Final = ("api-key", "cookie", "openai-organization", "openai-project", "x-api-key")
"""Headers by which a client could speak to a provider with other credentials than the tenant's."""


def stripped() -> Json:
    """What is taken off a request before anything looks at it."""
    prefixes = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in (INTERNAL_PREFIX, "x-envoy-")]
    message = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    return named("ringfence.strip", message, mutations=[*prefixes, *({"remove": name} for name in _SPOOFED)])


def verified(issuer: Issuer) -> Json:
    """The filter that lets nobody pass without a valid token; the token itself goes no further."""
    provider = {
        "issuer": issuer.url,
        "audiences": [names.GATEWAY_AUDIENCE],
        "local_jwks": {"inline_string": issuer.jwks},
        "payload_in_metadata": NAMESPACE_PATH[0],
        "forward": False,
        "clock_skew_seconds": _CLOCK_SKEW,
        "clear_route_cache": True,
    }
    rules = [{"match": {"prefix": "/"}, "requires": {"provider_name": _PROVIDER}}]
    return named(JWT, f"{HTTP}.jwt_authn.v3.JwtAuthentication", providers={_PROVIDER: provider}, rules=rules)


def told() -> Json:
    """The filter that says in headers who calls: routes are chosen by headers."""
    mutations = [
        set_header(NAMESPACE_HEADER, f"%DYNAMIC_METADATA({JWT}:jwt:{_CLAIM}:namespace)%"),
        set_header(ACCOUNT_HEADER, f"%DYNAMIC_METADATA({JWT}:jwt:{_CLAIM}:serviceaccount:name)%"),
    ]
    message = f"{HTTP}.header_mutation.v3.HeaderMutation"
    return named("ringfence.caller", message, mutations={"request_mutations": mutations})


def called_from(namespace: str) -> Json:
    """The second layer: an RBAC rule of a route that admits callers from one namespace."""
    matcher = {
        "filter": JWT,
        "path": [{"key": key} for key in NAMESPACE_PATH],
        "value": {"string_match": {"exact": namespace}},
    }
    principal = {"sourced_metadata": {"metadata_matcher": matcher, "metadata_source": "DYNAMIC"}}
    policy = {"permissions": [{"any": True}], "principals": [principal]}
    return {"rules": {"action": "ALLOW", "policies": {"caller": policy}}}
