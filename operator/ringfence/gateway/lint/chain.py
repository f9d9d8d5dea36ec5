"""The way of a request through the listener.

Law: its filters are these, in this order, with nothing between; a step that is left out or comes too late is seen. What
a client says under the gateway's own names is taken off before the first of them.
"""

from collections.abc import Iterator
from typing import Any, Final

from ringfence.gateway.lint.encryption import is_strong
from ringfence.gateway.lint.finding import Finding
from ringfence.gateway.lint.parsed import BOOTSTRAP, LISTENERS, Json, Parsed, type_of

FILTERS: Final = (
    "ringfence.numbered",
    "envoy.filters.http.jwt_authn",
    "ringfence.caller",
    "ringfence.admitted",
    "ringfence.tenant-limit",
    "ringfence.size",
    "ringfence.wanted",
    "ringfence.reading",
    "ringfence.agreement",
    "ringfence.route-size",
    "ringfence.route-limit",
    "ringfence.token-limit",
    "ringfence.usage",
    "ringfence.streamed",
    "envoy.filters.http.router",
)
_OPTIONAL: Final = {"ringfence.tenant-limit", "ringfence.token-limit"}
_MODEL: Final = {"key": "x-rf-model", "value": "%REQUEST_BODY(model)%"}
_LENGTH: Final = {"key": "x-rf-length", "value": "%REQ(content-length)%"}
_SEEN: Final = {"header": {"name": "x-rf-model", "present_match": True}}


def _noted(key: str) -> Json:
    noted = {"filter": "ringfence.body", "path": [{"key": key}], "value": {"present_match": True}}
    return {"sourced_metadata": {"metadata_matcher": noted, "metadata_source": "DYNAMIC"}}


def _denied(permission: Json) -> Json:
    return {"permissions": [permission], "principals": [{"any": True}]}


_UNCLEAR: Final = [_SEEN, {"not_rule": _noted("place")}, {"not_rule": _noted("field")}]
_AGREED: Final = {
    "action": "DENY",
    "policies": {"field": _denied(_noted("field")), "unclear": _denied({"and_rules": {"rules": _UNCLEAR}})},
}
_STRIPPED_PREFIXES: Final = {"x-rf-", "x-envoy-"}
_STRIPPED: Final = {
    *("api-key", "cookie", "openai-organization", "openai-project", "x-api-key"),
    *("x-request-id", "x-forwarded-proto", "x-forwarded-host", "forwarded"),
}
_REQUIRED: Final = (
    *("normalize_path", "merge_slashes", "path_with_escaped_slashes_action", "common_http_protocol_options"),
    *("request_headers_timeout", "request_timeout", "stream_idle_timeout", "max_request_headers_kb"),
    *("use_remote_address", "generate_request_id", "preserve_external_request_id", "local_reply_config"),
)
_PAGES: Final = ["/ready", "/stats/prometheus"]
_BEFORE_PAGES: Final = ["ringfence.ready", "envoy.filters.http.router"]
_GET: Final = [{"name": ":method", "string_match": {"exact": "GET"}}]
_WHERE: Final = f"{LISTENERS}/resources/0"


def chain(parsed: Parsed) -> Iterator[Finding]:
    """Steps that are missing, or are not what they should be."""
    chains = parsed.listener.get("filter_chains", [])
    if len(chains) != 1 or len(chains[0].get("filters", [])) != 1 or "transport_socket" not in chains[0]:
        yield Finding("chain", _WHERE, "there must be one way in, by TLS")
        return
    if not _is_encrypted(chains[0]["transport_socket"].get("typed_config", {})):
        yield Finding("tls", _WHERE, "callers must be spoken to by TLS, with the gateway's own certificate")
    manager = chains[0]["filters"][0].get("typed_config", {})
    yield from _steps(manager)
    yield from _strictness(manager)
    yield from _pages(parsed.files[BOOTSTRAP])


def _is_encrypted(context: Json) -> bool:
    common = context.get("common_tls_context", {})
    (certificate,) = common.get("tls_certificate_sds_secret_configs") or [{}]
    return (
        type_of(context).endswith(".DownstreamTlsContext")
        and is_strong(common.get("tls_params"))
        and certificate.get("name") == "gateway"
    )


def _steps(manager: Json) -> Iterator[Finding]:
    found = {each.get("name"): each.get("typed_config", {}) for each in manager.get("http_filters", [])}
    wanted = [name for name in FILTERS if name in found or name not in _OPTIONAL]
    if list(found) != wanted or len(found) != len(manager["http_filters"]):
        yield Finding("chain", _WHERE, "the filters are not the ones that must be, in their order")
        return
    if found["ringfence.admitted"].get("rules") != {"action": "ALLOW"}:
        yield Finding("chain", _WHERE, "where nothing else is said, nobody must be admitted")
    if not _is_body_read(found["ringfence.wanted"]):
        yield Finding("chain", _WHERE, "the model must come from the body, and the route be chosen anew")
    if found["ringfence.agreement"].get("rules") != _AGREED:
        yield Finding("chain", _WHERE, "a body that its two readers do not read alike must be refused")


def _is_body_read(wanted: Json) -> bool:
    """Whether the headers by which routes are chosen are made of the body."""
    told = [each.get("append", {}).get("header", {}) for each in _mutations(wanted)]
    return _MODEL in told and _LENGTH in told and wanted.get("clear_route_cache") is True


def _mutations(wanted: Json) -> list[Json]:
    return list(wanted.get("request_transformation", {}).get("headers_mutations", []))


def _strictness(manager: Json) -> Iterator[Finding]:
    for name in _REQUIRED:
        if name not in manager:
            yield Finding("chain", _WHERE, f"{name} is not set")
    mutations = [
        mutation
        for extension in manager.get("early_header_mutation_extensions", [])
        for mutation in extension.get("typed_config", {}).get("mutations", [])
    ]
    prefixes = {each.get("remove_on_match", {}).get("key_matcher", {}).get("prefix") for each in mutations}
    names = {each.get("remove") for each in mutations}
    if not prefixes >= _STRIPPED_PREFIXES or not names >= _STRIPPED:
        yield Finding("chain", _WHERE, "headers that only the gateway may set are not taken off first")


def _pages(bootstrap: Json) -> Iterator[Finding]:
    """What is told over the network of Envoy itself."""
    admin = bootstrap.get("admin", {}).get("address", {})
    if admin != {"pipe": {"path": "/run/envoy/admin.sock", "mode": 0o600}}:
        yield Finding("administration", BOOTSTRAP, "the administration must be a socket of Envoy's own user")
    listeners = bootstrap.get("static_resources", {}).get("listeners", [])
    if [_paths(each) for each in listeners] != [_PAGES]:
        yield Finding("administration", BOOTSTRAP, "only readiness and counters may be told")
    if [_names(each) for each in listeners] != [_BEFORE_PAGES]:
        yield Finding("administration", BOOTSTRAP, "a pod must be ready only when it has taken a configuration")


def _names(listener: Json) -> list[Any]:
    """The filters of a listener."""
    managers = (each for chain in listener.get("filter_chains", []) for each in chain.get("filters", []))
    return [each.get("name") for one in managers for each in one.get("typed_config", {}).get("http_filters", [])]


def _paths(listener: Json) -> list[Any]:
    """The paths that a listener forwards; None for one that it does not match exactly."""
    routes = [
        route
        for chain in listener.get("filter_chains", [])
        for each in chain.get("filters", [])
        for host in each.get("typed_config", {}).get("route_config", {}).get("virtual_hosts", [])
        for route in host.get("routes", [])
    ]
    matches = [route.get("match", {}) for route in routes]
    return [match.get("path") if match == {"path": match.get("path"), "headers": _GET} else None for match in matches]
