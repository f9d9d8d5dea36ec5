"""Edits by which a prompt, an answer or a key would be copied somewhere."""

from typing import Final

from tests.unit.gateway import parts
from tests.unit.gateway.full import Json
from tests.unit.gateway.mutation import Mutation, adding, dropping, extension, header, putting

_HTTP: Final = "extensions.filters.http"
_LOGGERS: Final = "extensions.access_loggers"
FOREIGN_FILTERS: Final = (
    f"{_HTTP}.tap.v3.Tap",
    f"{_HTTP}.wasm.v3.Wasm",
    f"{_HTTP}.ext_proc.v3.ExternalProcessor",
    f"{_HTTP}.ext_authz.v3.ExtAuthz",
    f"{_HTTP}.dynamic_modules.v3.DynamicModuleFilter",
    f"{_HTTP}.file_system_buffer.v3.FileSystemBufferFilterConfig",
    f"{_HTTP}.cache.v3.CacheConfig",
    f"{_HTTP}.grpc_stats.v3.FilterConfig",
    f"{_HTTP}.oauth2.v3.OAuth2",
    f"{_HTTP}.fault.v3.HTTPFault",
    f"{_HTTP}.body_size_limit.v3.BodySizeLimit",
)
FOREIGN_LOGS: Final = (
    f"{_LOGGERS}.stream.v3.StdoutAccessLog",
    f"{_LOGGERS}.stream.v3.StderrAccessLog",
    f"{_LOGGERS}.grpc.v3.HttpGrpcAccessLogConfig",
    f"{_LOGGERS}.open_telemetry.v3.OpenTelemetryAccessLogConfig",
    f"{_LOGGERS}.fluentd.v3.FluentdAccessLogConfig",
    f"{_LOGGERS}.wasm.v3.WasmAccessLog",
)
FOREIGN_OPERATORS: Final = (
    "%REQ(authorization)%",
    "%REQ(x-rf-model)%",
    "%REQ(x-rf-model):65%",
    "%REQ(user-agent):64%",
    "%REQ(:path)%",
    "%PATH%",
    "%RESP(set-cookie)%",
    "%REQUEST_BODY(messages)%",
    "%RESPONSE_BODY(choices)%",
    "%LOCAL_REPLY_BODY%x%DOWNSTREAM_PEER_CERT%",
    "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn)%",
    "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:parts.jwt)%",
    "%FILTER_STATE(any)%",
    "%DOWNSTREAM_REMOTE_ADDRESS%",
    "%CEL(request.headers)%",
    "%ENVIRONMENT(HOME)%",
)


def extend(source: Json, line: str) -> None:
    source["inline_string"] = source["inline_string"].replace("\nend", f"\n  {line}\nend", 1)


COPIES: Final = (
    *(Mutation(f"a filter {name}", adding(parts.filters, extension(name)), "type") for name in FOREIGN_FILTERS),
    *(
        Mutation(f"a log {name}", adding(lambda f: parts.manager(f)["access_log"], extension(name)), "type")
        for name in FOREIGN_LOGS
    ),
    *(Mutation(f"{name} in the log", putting(parts.fields, "details", name), "operator") for name in FOREIGN_OPERATORS),
    *(
        Mutation(f"{name} in a header to the provider", adding(parts.told, header("x-rf-model", name)), "operator")
        for name in ("%REQUEST_BODY(messages)%", "%REQ(authorization)%")
    ),
    Mutation("another field in the log", putting(parts.fields, "prompt", "x"), "log"),
    Mutation("another file of the log", putting(parts.log, "path", "/dev/stdout"), "log"),
    Mutation("a log of text", putting(parts.log, "log_format", {"text_format_source": {"inline_string": "x"}}), "log"),
    Mutation(
        "a header in an answer of Envoy's own",
        putting(
            lambda f: parts.manager(f)["local_reply_config"]["mappers"][0]["body_format_override"][
                "text_format_source"
            ],
            "inline_string",
            "%REQ(authorization)%",
        ),
        "operator",
    ),
    Mutation("a third script", adding(parts.filters, extension(f"{_HTTP}.lua.v3.Lua")), "script"),
    Mutation("a second log", lambda f: parts.manager(f)["access_log"].append(parts.log(f)), "log"),
    Mutation("a log of connections", putting(parts.listener, "access_log", []), "log"),
    Mutation("no log", dropping(parts.manager, "access_log"), "log"),
    Mutation("tracing", putting(parts.manager, "tracing", {}), "field"),
    Mutation("a mirror", putting(lambda f: parts.chat(f)["route"], "request_mirror_policies", []), "field"),
    Mutation("a mirror for all", putting(parts.host, "request_mirror_policies", []), "field"),
    Mutation("a sink of counters", putting(lambda f: f["bootstrap.json"], "stats_sinks", []), "field"),
    Mutation(
        "a flag of the runtime", lambda f: parts.runtime(f).__setitem__("envoy.reloadable_features.x", "y"), "field"
    ),
    Mutation(
        "a tap on the listener's bytes",
        putting(
            lambda f: parts.listener(f)["filter_chains"][0], "transport_socket", extension("extensions.tap.v3.Tap")
        ),
        "type",
    ),
    Mutation(
        "a filter of connections", adding(lambda f: parts.listener(f)["filter_chains"][0]["filters"], {}), "chain"
    ),
    Mutation("a filter of listeners", putting(parts.listener, "listener_filters", []), "field"),
    Mutation("a script that writes to the log", lambda f: extend(parts.script(f), "handle:logErr(body)"), "script"),
    Mutation("a script that calls somebody", lambda f: extend(parts.script(f), "handle:httpCall('x')"), "script"),
    Mutation(
        "a script of the answer", lambda f: extend(parts.script(f), "function envoy_on_response(h) end"), "script"
    ),
    Mutation("a reader that writes to the log", lambda f: extend(parts.reader(f), "handle:logErr(text)"), "script"),
    Mutation(
        "a second script",
        lambda f: parts.provider_step(f, "first", "ringfence.target").__setitem__("source_codes", {}),
        "field",
    ),
)
