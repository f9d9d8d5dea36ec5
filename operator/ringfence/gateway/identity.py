"""Who calls: a ServiceAccount, by a token that the API server signed for this gateway.

Law: namespace and account come from the verified token and from nowhere else; whatever a client says about itself in a
header is taken off first.
"""

from typing import Final

from ringfence import names
from ringfence.gateway.served import Issuer
from ringfence.gateway.typed import (
    CALLER_HEADER,
    HTTP,
    INTERNAL_PREFIX,
    SOURCE,
    Json,
    named,
    set_header,
    without_prefix,
)

JWT: Final = "envoy.filters.http.jwt_authn"
"""The filter whose metadata say who calls; others refer to it by this name."""
TOKEN: Final = "jwt"  # noqa: S105 -- the key under which that filter notes the verified claims
_CLAIM: Final = "kubernetes.io"
# No header can be made of this claim by the filter itself: its name has a dot.
NAMESPACE: Final = (TOKEN, _CLAIM, "namespace")
ACCOUNT: Final = (TOKEN, _CLAIM, "serviceaccount", "name")
UID: Final = (TOKEN, _CLAIM, "serviceaccount", "uid")
REQUEST_ID: Final = f"%DYNAMIC_METADATA({SOURCE}:request_id)%"
"""The operator by which logs and answers name a request. No provider is told the header, so it is noted before."""
WORKLOAD: Final = "workload"
LIVE: Final = "live"
TEST: Final = "test"
PREFIXES: Final = {
    LIVE: names.gateway_key_prefix(live=True),
    TEST: names.gateway_key_prefix(live=False),
    WORKLOAD: "",
}
"""What stands before the token, by the kind of caller; the last one's is none, and so it is tried last."""
_CLOCK_SKEW: Final = 10  # seconds
_SPOOFED: Final = (
    *("api-key", "cookie", "openai-organization", "openai-project", "x-api-key"),
    *("x-request-id", "x-forwarded-proto", "x-forwarded-host", "forwarded"),
)
"""Headers by which a client could speak to a provider with other credentials than the tenant's; and those that Envoy
leaves as they come where proxies are trusted: an id that logs go by, and what the request was before."""


def stripped() -> Json:
    """What is taken off a request before anything looks at it."""
    message = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    prefixes = map(without_prefix, (INTERNAL_PREFIX, "x-envoy-"))
    return named("ringfence.strip", message, mutations=[*prefixes, *({"remove": name} for name in _SPOOFED)])


def numbered() -> Json:
    """The filter that notes a request's id, which was made here."""
    noted = {"metadata_namespace": SOURCE, "key": "request_id"}
    rule = {"header": "x-request-id", "on_header_present": noted}
    return named("ringfence.numbered", f"{HTTP}.header_to_metadata.v3.Config", request_rules=[rule])


def verified(issuer: Issuer) -> Json:
    """The filter that lets nobody pass without a valid token; the token itself goes no further."""
    providers = {kind: _provider(issuer, kind) for kind in PREFIXES}
    return named(
        JWT, f"{HTTP}.jwt_authn.v3.JwtAuthentication", providers=providers, rules=list(map(_required, PREFIXES))
    )


def told() -> Json:
    """The filter that says in a header who calls: routes are chosen by headers."""
    caller = f"{claim(NAMESPACE)}/{claim(ACCOUNT)}"
    message = f"{HTTP}.header_mutation.v3.HeaderMutation"
    return named("ringfence.caller", message, mutations={"request_mutations": [set_header(CALLER_HEADER, caller)]})


def claim(path: tuple[str, ...]) -> str:
    """The operator by which logs and headers name a verified claim."""
    return f"%DYNAMIC_METADATA({JWT}:{':'.join(path)})%"


def _provider(issuer: Issuer, kind: str) -> Json:
    return {
        "issuer": issuer.url,
        "audiences": [names.GATEWAY_AUDIENCE],
        "local_jwks": {"inline_string": issuer.jwks},
        "from_headers": [{"name": "authorization", "value_prefix": f"Bearer {PREFIXES[kind]}"}],
        "payload_in_metadata": TOKEN,
        # That something stands under the kind's own name is how later filters know by which prefix a caller came.
        "header_in_metadata": kind,
        "forward": False,
        "require_expiration": True,
        "clock_skew_seconds": _CLOCK_SKEW,
        # The route was looked for before it was known who calls.
        "clear_route_cache": True,
    }


def _required(kind: str) -> Json:
    match: Json = {"prefix": "/"}
    if prefix := PREFIXES[kind]:
        match["headers"] = [{"name": "authorization", "string_match": {"prefix": f"Bearer {prefix}"}}]
    return {"match": match, "requires": {"provider_name": kind}}
