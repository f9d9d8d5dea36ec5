"""What happens to a request, in order: its size, who calls, for which model, whether he may, how often, and where to.

Law: each step fails closed, and none of them looks at a prompt: of the body is read what says the model and the stream.
"""

from typing import Final

from ringfence import names
from ringfence.gateway import access_log, addresses, callers, identity, limits, reading, replies, secrets, sizes
from ringfence.gateway.routes import NAME
from ringfence.gateway.served import Gateway
from ringfence.gateway.typed import (
    HTTP,
    LENGTH_HEADER,
    MODEL_HEADER,
    SOURCE,
    STREAM_HEADER,
    TLS,
    TLS_PARAMETERS,
    USAGE_HEADER,
    Json,
    from_file,
    named,
    seconds,
    set_header,
    typed,
)

ROUTES_FILE: Final = "rds.json"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 -- of a pod: who may come is said by NetworkPolicies, and by tokens
_HEADERS_KB: Final = 16
_HEADERS: Final = 64
_JSON: Final = "application/json(;.*)?"
_MANAGER: Final = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_BUFFER: Final = 2
"""Times the greatest body: a body is held while it is read and changed."""


def listener(gateway: Gateway) -> Json:
    """The gateway's only way in."""
    return typed(
        "envoy.config.listener.v3.Listener",
        name="gateway",
        address={"socket_address": {"address": EVERYWHERE, "port_value": names.GATEWAY_PORT}},
        metadata={"filter_metadata": {SOURCE: {"tenant": gateway.tenant}}},
        per_connection_buffer_limit_bytes=_BUFFER * gateway.max_request_bytes,
        filter_chains=[{"filters": [_connection_manager(gateway)], "transport_socket": _encryption()}],
    )


def _encryption() -> Json:
    sds = {"name": secrets.CERTIFICATE, "sds_config": from_file(secrets.CERTIFICATE_FILE)}
    context = {
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_params": TLS_PARAMETERS,
        "tls_certificate_sds_secret_configs": [sds],
    }
    return named("tls", f"{TLS}.DownstreamTlsContext", common_tls_context=context)


def _connection_manager(gateway: Gateway) -> Json:
    return named(
        "http",
        _MANAGER,
        stat_prefix="gateway",
        codec_type="AUTO",
        server_name="ringfence",
        rds={"route_config_name": NAME, "config_source": from_file(ROUTES_FILE)},
        early_header_mutation_extensions=[identity.stripped()],
        local_reply_config=replies.local_replies(),
        access_log=[access_log.access_log()],
        http_filters=_filters(gateway),
        **addresses.detected(gateway.trusted_proxies),
        **_STRICT,
    )


_STRICT: Final[Json] = {
    # What a path means must not depend on who reads it.
    "normalize_path": True,
    "merge_slashes": True,
    "path_with_escaped_slashes_action": "REJECT_REQUEST",
    "common_http_protocol_options": {
        "idle_timeout": "300s",
        "headers_with_underscores_action": "REJECT_REQUEST",
        "max_headers_count": _HEADERS,
    },
    "max_request_headers_kb": _HEADERS_KB,
    "http2_protocol_options": {"max_concurrent_streams": 100},
    # Slow senders.
    "request_headers_timeout": seconds(10),
    "request_timeout": seconds(60),
    "stream_idle_timeout": seconds(300),
    # A request's id is made here: it is in the access log, and a client must not choose what stands there.
    "generate_request_id": True,
    "preserve_external_request_id": False,
}


def _filters(gateway: Gateway) -> list[Json]:
    return [
        identity.numbered(),
        identity.verified(gateway.issuer),
        identity.told(),
        callers.nobody(),
        *limits.of_tenant(gateway),
        sizes.of_gateway(gateway.max_request_bytes),
        _wanted(),
        reading.second_reader(),
        reading.agreement(),
        sizes.of_routes(gateway.max_request_bytes),
        limits.of_routes(),
        *limits.by_service(gateway),
        _usage(),
        _streamed_usage(),
        named(
            "envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router", suppress_envoy_headers=True
        ),
    ]


def _wanted() -> Json:
    """The `model` of the body becomes a header, by which routes are chosen.

    This filter takes nothing that two readers could read differently: keys twice, a byte order mark, text after the
    end, anything but an object. `json_to_metadata` takes the last of two keys where a provider may take the first.
    """
    told = [
        set_header(MODEL_HEADER, "%REQUEST_BODY(model)%"),
        set_header(STREAM_HEADER, "%REQUEST_BODY(stream)%"),
        set_header(USAGE_HEADER, "%REQUEST_BODY(stream_options:include_usage)%"),
        set_header(LENGTH_HEADER, "%REQ(content-length)%"),
    ]
    wanted = {"headers_mutations": told}
    message = f"{HTTP}.transform.v3.TransformConfig"
    return named("ringfence.wanted", message, request_transformation=wanted, clear_route_cache=True)


def _usage() -> Json:
    """The numbers of tokens in an answer, and nothing else of it."""
    rules = {"rules": list(map(_counted, access_log.TOKENS)), "allow_content_types_regex": {"regex": _JSON}}
    return named("ringfence.usage", f"{HTTP}.json_to_metadata.v3.JsonToMetadata", response_rules=rules)


def _streamed_usage() -> Json:
    """The same of an answer that is streamed."""
    rules = [{"rule": _counted(name)} for name in access_log.TOKENS]
    message = "envoy.extensions.content_parsers.json.v3.JsonContentParser"
    parser = named("envoy.content_parsers.json", message, rules=rules)
    streamed = {"content_parser": parser}
    return named("ringfence.streamed", f"{HTTP}.sse_to_metadata.v3.SseToMetadata", response_rules=streamed)


def _counted(name: str) -> Json:
    noted = {"metadata_namespace": access_log.USAGE, "key": name, "type": "NUMBER"}
    return {"selectors": [{"key": "usage"}, {"key": name}], "on_present": noted}
