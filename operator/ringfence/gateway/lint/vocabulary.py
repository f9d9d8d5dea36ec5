"""Which words a configuration is made of: types of messages, fields, settings, operators.

Law: all of them are listed. What could copy a prompt elsewhere (taps, mirrors, traces, calls to other processes) has no
word here, and neither has whatever the next Envoy brings.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from ringfence.gateway.lint.finding import Finding
from ringfence.gateway.lint.parsed import (
    BOOTSTRAP,
    CLUSTERS,
    DATUM,
    KEYED,
    LISTENERS,
    METADATA,
    ROUTES,
    Json,
    Parsed,
    type_of,
)

_HTTP: Final = "envoy.extensions.filters.http"
_TLS: Final = "envoy.extensions.transport_sockets.tls.v3"
_MANAGER: Final = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER: Final = f"{_HTTP}.router.v3.Router"
_LOCAL_RATE_LIMIT: Final = f"{_HTTP}.local_ratelimit.v3.LocalRateLimit"
TYPES: Final = {
    BOOTSTRAP: {
        _MANAGER,
        _ROUTER,
        f"{_HTTP}.lua.v3.Lua",
        "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
    },
    LISTENERS: {
        _MANAGER,
        _ROUTER,
        _LOCAL_RATE_LIMIT,
        "envoy.config.listener.v3.Listener",
        "envoy.extensions.access_loggers.file.v3.FileAccessLog",
        "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
        "envoy.extensions.content_parsers.json.v3.JsonContentParser",
        f"{_HTTP}.buffer.v3.Buffer",
        f"{_HTTP}.header_mutation.v3.HeaderMutation",
        f"{_HTTP}.header_to_metadata.v3.Config",
        f"{_HTTP}.json_to_metadata.v3.JsonToMetadata",
        f"{_HTTP}.lua.v3.Lua",
        f"{_HTTP}.jwt_authn.v3.JwtAuthentication",
        f"{_HTTP}.ratelimit.v3.RateLimit",
        f"{_HTTP}.rbac.v3.RBAC",
        f"{_HTTP}.sse_to_metadata.v3.SseToMetadata",
        f"{_HTTP}.transform.v3.TransformConfig",
        "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
        "envoy.extensions.http.original_ip_detection.xff.v3.XffConfig",
        f"{_TLS}.DownstreamTlsContext",
    },
    CLUSTERS: {
        "envoy.config.cluster.v3.Cluster",
        f"{_HTTP}.ai_protocol_manager.v3.AiProtocolManager",
        f"{_HTTP}.credential_injector.v3.CredentialInjector",
        f"{_HTTP}.header_mutation.v3.HeaderMutation",
        f"{_HTTP}.lua.v3.Lua",
        f"{_HTTP}.upstream_codec.v3.UpstreamCodec",
        "envoy.extensions.http.ai_filters.transcoder.v3.Transcoder",
        "envoy.extensions.http.injected_credentials.generic.v3.Generic",
        f"{_TLS}.UpstreamTlsContext",
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    },
    ROUTES: {
        "envoy.config.route.v3.Route",
        "envoy.config.route.v3.RouteConfiguration",
        f"{_HTTP}.ai_protocol_manager.v3.AiProtocolManagerPerRoute",
        _LOCAL_RATE_LIMIT,
        f"{_HTTP}.ratelimit.v3.RateLimitPerRoute",
        f"{_HTTP}.rbac.v3.RBACPerRoute",
        "envoy.extensions.router.cluster_specifiers.priority_group.v3.PriorityGroupClusterSpecifier",
        "envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
    },
}
"""By file; each of the others holds one Secret."""
_SECRET: Final = {f"{_TLS}.Secret"}

FIELDS: Final = frozenset(
    """
    @type access_log action actions address address_prefix admin allow_content_types_regex alpn_protocols
    always_consume_default_token_bucket and_ids and_matcher and_rules any append append_action apply_on_stream_done
    audiences auto_host_rewrite body body_format_override buffer_factory_config bypass_overload_manager cds_config
    certificate_chain cidrs cipher_suites circuit_breakers clear_route_cache clock_skew_seconds cluster cluster_name
    cluster_specifier_plugin cluster_specifier_plugins clusters code codec_type common_http_protocol_options
    common_tls_context comparison config_source connect_timeout content_parser content_type credential
    default_source_code default_value descriptor_key descriptor_value descriptors direct_remote_ip direct_response
    disable_x_envoy_ratelimited_header dns_lookup_family domain domains dynamic_resources
    early_header_mutation_extensions enable_retry_after_header end endpoint endpoints entries envoy_grpc exact
    exact_match_map explicit_http_config expression extension extension_filter failure_mode_deny filename fill_interval
    filter filter_chains filter_enabled filter_enforced filter_metadata filters format forward from_headers
    generate_request_id generic_key generic_secret google_re2 grpc_service header header_in_metadata header_name
    header_value_prefix headers headers_mutations headers_with_underscores_action hits_addend hostname
    http2_protocol_options http_filters http_protocol_options id idle_timeout ids ignore_global_conn_limit inline_string
    input issuer json_format key key_matcher layered_runtime layers lb_endpoints lds_config limit listeners llm_protocol
    load_assignment loadshed_points local_jwks local_reply_config log_format map mappers match
    match_typed_subject_alt_names matcher matcher_list matcher_tree matchers max_active_downstream_connections
    max_concurrent_streams max_connections max_direct_response_body_size_bytes max_headers_count max_heap_size_bytes
    max_pending_requests max_request_bytes max_request_headers_kb max_requests max_retries max_tokens merge_slashes
    message metadata metadata_key metadata_matcher metadata_namespace metadata_source
    minimum_account_to_track_power_of_two mode mutations name node normalize_path not_id not_matcher not_rule
    num_retries number numerator omit_empty_values on_header_present on_match on_no_match on_present op or_ids
    original_ip_detection_extensions overload_manager overwrite param parse_unconfigured_routes path path_config_source
    path_with_escaped_slashes_action payload_in_metadata per_connection_buffer_limit_bytes per_try_timeout permissions
    pipe policies port_value predicate prefix prefix_len present_match preserve_external_request_id principals
    priority_groups private_key provider_name providers range_match rate_limit rate_limit_service rate_limits rbac rds
    refresh_cluster_on_retry refresh_interval regex remote_ip remove remove_on_match request request_body_buffer_limit
    request_handling request_headers_timeout request_id request_mutations request_rules request_timeout
    request_transformation requests_per_unit require_expiration requires resource_api_version resource_monitors
    resources response response_handling response_headers_to_add response_headers_to_remove response_rules
    retriable_status_codes retry_on retry_policy route route_config route_config_name routes rule rules runtime_key
    safe_regex san_type saturation_threshold scaled scaling_threshold sds_config secret selectors server_name
    single_predicate sni socket_address source sourced_metadata start stat_prefix static_layer static_resources status
    status_code status_code_filter stream_idle_timeout string_match suppress_envoy_headers text_format_source threshold
    thresholds timeout tls_certificate tls_certificate_sds_secret_configs tls_maximum_protocol_version
    tls_minimum_protocol_version tls_params token_bucket tokens_per_fill transport_api_version transport_socket triggers
    trusted_ca type typed_config typed_extension_protocol_options typed_per_filter_config unit use_remote_address
    validate_clusters validation_context value value_match value_prefix version_info virtual_hosts watched_directory
    weight xff_trusted_cidrs
    """.split()  # noqa: SIM905 -- a page of words is read better than a column
)
_CHOSEN: Final = {
    "typed_per_filter_config": {
        *("ringfence.admitted", "ringfence.route-limit", "ringfence.route-size"),
        *("ringfence.token-limit", "ringfence.translated"),
    },
    "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions"},
    "static_layer": {"re2.max_program_size.error_level"},
    METADATA: {"ringfence", "ringfence.target"},
}
"""Fields whose own fields are chosen by us, and which they may be."""
_FREE: Final = (KEYED - _CHOSEN.keys()) | {DATUM}
"""Fields whose own fields are chosen by others: names of models, callers, clusters."""

SETTINGS: Final = {
    "forward": (False,),
    "require_expiration": (True,),
    "overwrite": (True,),
    "failure_mode_deny": (True,),
    "normalize_path": (True,),
    "merge_slashes": (True,),
    "path_with_escaped_slashes_action": ("REJECT_REQUEST",),
    "headers_with_underscores_action": ("REJECT_REQUEST",),
    "use_remote_address": (True, False),
    "generate_request_id": (True,),
    "preserve_external_request_id": (False,),
    "suppress_envoy_headers": (True,),
    "clear_route_cache": (True,),
    "auto_host_rewrite": (True,),
    "refresh_cluster_on_retry": (True,),
    "san_type": ("DNS",),
    "append_action": ("OVERWRITE_IF_EXISTS_OR_ADD",),
    "metadata_source": ("DYNAMIC",),
    "mode": (0o600,),
    "dns_lookup_family": ("V4_PREFERRED",),
    "retry_on": ("connect-failure,reset,5xx,retriable-status-codes",),
    "request_body_buffer_limit": (16 << 20,),
    "filter_enabled": ({"default_value": {"numerator": 100}},),
    "filter_enforced": ({"default_value": {"numerator": 100}},),
}
"""Fields that have one right value, or few."""

_JWT: Final = "envoy.filters.http.jwt_authn:jwt:kubernetes.io"
OPERATORS: Final = frozenset(
    {
        *("%REQUEST_BODY(model)%", "%REQUEST_BODY(stream)%", "%REQUEST_BODY(stream_options:include_usage)%"),
        *("%REQ(content-length)%", "%REQ(x-rf-length)%", "%REQ(x-rf-model):64%", "%LOCAL_REPLY_BODY%"),
        *(f"%DYNAMIC_METADATA({_JWT}:{claim})%" for claim in ("namespace", "serviceaccount:name")),
        *(f"%DYNAMIC_METADATA(ringfence.usage:{kind}_tokens)%" for kind in ("prompt", "completion", "total")),
        *("%DYNAMIC_METADATA(ringfence:request_id)%", "%DYNAMIC_METADATA(ringfence.body:field)%"),
        *(f"%METADATA(CLUSTER:ringfence:{key})%" for key in ("provider", "region")),
        *(f"%METADATA(ROUTE:ringfence:{key})%" for key in ("model", "revision", "route")),
        *("%METADATA(LISTENER:ringfence:tenant)%", "%METADATA(VIRTUAL_HOST:ringfence:config_rev)%"),
        *("%BYTES_RECEIVED%", "%BYTES_SENT%", "%DURATION%", "%RESPONSE_DURATION%", "%START_TIME%"),
        *("%RESPONSE_CODE%", "%RESPONSE_CODE_DETAILS%", "%RESPONSE_FLAGS%", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%"),
    }
)
"""What logs, headers and answers may name of a request: of its body `model` and `stream`, the plain name of a field for
which it is refused, and nothing else."""
_OPERATOR: Final = re.compile(r"%[A-Z0-9_]+(?:\([^)%]*\))?(?::\d+)?%")
_VERBATIM: Final = {"inline_string", "regex", "exact"}
"""Fields that Envoy does not look for operators in; metadata are others."""
_FORMATTED: Final = "/text_format_source/inline_string"
"""The one of them that it does."""


def vocabulary(parsed: Parsed) -> Iterator[Finding]:
    """Words that are not in the tables."""
    for where, field, value in parsed.nodes:
        if isinstance(value, dict):
            yield from _type(where, value)
            yield from _names(where, field, value)
        elif isinstance(value, str) and "%" in value and not _is_verbatim(where, field):
            yield from _operators(where, value)
        if field in SETTINGS:
            yield from _setting(where, field, value)


def _type(where: str, message: Json) -> Iterator[Finding]:
    if "@type" in message and type_of(message) not in TYPES.get(where.partition("/")[0], _SECRET):
        yield Finding("type", where, "a message of this type has no place in this file")


def _names(where: str, field: str, message: Json) -> Iterator[Finding]:
    """Fields of a message; a list's own are those of its elements."""
    if field in _FREE:
        return
    allowed = _CHOSEN.get(field, FIELDS)
    yield from (Finding("field", where, f"no field {name[:64]} is known") for name in message if name not in allowed)


def _setting(where: str, field: str, value: Any) -> Iterator[Finding]:
    if not any(value == each and type(value) is type(each) for each in SETTINGS[field]):
        yield Finding("setting", where, f"{field} has another value than it must have")


def _operators(where: str, value: str) -> Iterator[Finding]:
    if not set(_OPERATOR.findall(value)) <= OPERATORS or "%" in _OPERATOR.sub("", value):
        yield Finding("operator", where, "something of a request is named here that must not be")


def _is_verbatim(where: str, field: str) -> bool:
    return field == DATUM or (field in _VERBATIM and not where.endswith(_FORMATTED))
