"""Who may come in.

Law: nobody without a token for this gateway, signed by the cluster, unexpired and named in a header of the gateway's;
and a rule for somebody names his namespace exactly.
"""

from collections.abc import Iterator
from typing import Final

from ringfence.gateway.lint.finding import Finding
from ringfence.gateway.lint.parsed import LISTENERS, ROUTES, Json, Parsed

PREFIXES: Final = {"live": "Bearer rf_live_", "test": "Bearer rf_test_", "workload": "Bearer "}
_AUDIENCE: Final = "ringfence-gateway"
_SKEW: Final = 60  # seconds
_CLAIMS: Final = ["jwt", "kubernetes.io"]
_WHERE: Final = f"{LISTENERS}/resources/0"


def identity(parsed: Parsed) -> Iterator[Finding]:
    """Ways past the tokens."""
    for where, authentication in parsed.typed("JwtAuthentication"):
        yield from _verification(where, authentication)
    told = [
        value["header"] for where, field, value in parsed.nodes if field == "append" and where.startswith(LISTENERS)
    ]
    if [each["value"] for each in told if each["key"] == "x-rf-caller"] != [_caller()]:
        yield Finding("identity", _WHERE, "who calls must be said once, from the verified token")
    rules = parsed.admission
    if rules.get("action") != "ALLOW" or not all(map(_names_its_caller, rules.get("policies", {}).values())):
        yield Finding("identity", ROUTES, "a rule admits more than one namespace's callers")


def _verification(where: str, authentication: Json) -> Iterator[Finding]:
    rules = authentication.get("rules", [])
    if [_match(prefix) for prefix in PREFIXES.values()] != [rule.get("match") for rule in rules]:
        yield Finding("identity", where, "every path needs a token, whatever stands before it")
    if [{"provider_name": kind} for kind in PREFIXES] != [rule.get("requires") for rule in rules]:
        yield Finding("identity", where, "a token is not required, or by a rule that is not its own")
    providers = authentication.get("providers", {})
    if set(providers) != set(PREFIXES) or not all(_verifies(kind, each) for kind, each in providers.items()):
        yield Finding("identity", where, "a token is not verified as it must be")


def _match(prefix: str) -> Json:
    """The last rule takes every request, so that one without a known prefix is refused as one without a token."""
    if prefix == PREFIXES["workload"]:
        return {"prefix": "/"}
    return {"prefix": "/", "headers": [{"name": "authorization", "string_match": {"prefix": prefix}}]}


def _verifies(kind: str, provider: Json) -> bool:
    return (
        provider.get("audiences") == [_AUDIENCE]
        and bool(provider.get("issuer"))
        and set(provider.get("local_jwks", {})) == {"inline_string"}
        and provider.get("from_headers") == [{"name": "authorization", "value_prefix": PREFIXES[kind]}]
        and provider.get("payload_in_metadata") == "jwt"
        and provider.get("header_in_metadata") == kind
        and provider.get("forward") is False
        and provider.get("require_expiration") is True
        and 0 <= provider.get("clock_skew_seconds", _SKEW + 1) <= _SKEW
    )


def _caller() -> str:
    claims = (f"%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:{':'.join(_CLAIMS)}:{name})%" for name in _CALLER)
    return "/".join(claims)


_CALLER: Final = ("namespace", "serviceaccount:name")


def _names_its_caller(policy: Json) -> bool:
    """Whether what was noted of a caller and what his token says are one namespace, and the token of one kind."""
    told = [each.get("header", {}) for each in policy.get("permissions", [])]
    principals = policy.get("principals", [])
    if len(told) != 1 or told[0].get("name") != "x-rf-caller" or len(principals) != 1:
        return False
    namespace = told[0].get("string_match", {}).get("prefix", "").removesuffix("/")
    wanted = [_claim(each) for each in principals[0].get("and_ids", {}).get("ids", [])]
    kinds = [path[0] for path, value in wanted if path[1:] == ["alg"] and value == {"present_match": True}]
    named = ([*_CLAIMS, "namespace"], {"string_match": {"exact": namespace}})
    return bool(namespace) and named in wanted and len(kinds) == 1 and kinds[0] in PREFIXES


def _claim(principal: Json) -> tuple[list[str], Json]:
    matcher = principal.get("sourced_metadata", {}).get("metadata_matcher", {})
    if matcher.get("filter") != "envoy.filters.http.jwt_authn":
        return [""], {}
    return [each["key"] for each in matcher.get("path", [])] or [""], matcher.get("value", {})
