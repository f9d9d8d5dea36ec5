"""How the gateway's Envoy is started.

Law: what could copy a prompt elsewhere is switched off before any configuration is read, so that a configuration which
uses it is refused at load, whoever rendered it.
"""

from typing import Final

from ringfence.gateway.bootstrap import BOOTSTRAP
from ringfence.gateway.typed import CONFIGURATION

STARTS_WITH: Final = f"{CONFIGURATION}/{BOOTSTRAP}"
"""The file that Envoy is given; it names the others."""
THREADS: Final = 2
DRAIN: Final = 30
"""Seconds in which connections that a change of listeners leaves behind are closed, request by request."""
_FLUSH: Final = 1000
"""Milliseconds until a line of the access log is written: what a kill of Envoy may lose."""

_EVERYWHERE: Final = (
    *("envoy.ext_proc", "envoy.filters.http.ext_proc", "envoy.filters.http.wasm"),
    "envoy.extensions.filters.http.dynamic_modules",
)
_DOWNSTREAM: Final = (
    *("envoy.ext_authz", "envoy.filters.http.ext_authz"),
    *("envoy.filters.http.file_system_buffer", "envoy.filters.http.tap"),
)
_NETWORK: Final = (
    *("envoy.filters.network.ext_proc", "envoy.ext_authz", "envoy.filters.network.ext_authz"),
    *("envoy.filters.network.wasm", "envoy.filters.network.dynamic_modules"),
)
_LOGGERS: Final = (
    *("dynamic_modules", "fluentd", "http_grpc", "open_telemetry", "stderr", "stdout", "tcp_grpc", "wasm"),
)
_OLD_LOGGERS: Final = (
    *("envoy.fluentd_access_log", "envoy.http_grpc_access_log", "envoy.open_telemetry_access_log"),
    *("envoy.stderr_access_log", "envoy.stdout_access_log", "envoy.tcp_grpc_access_log", "envoy.wasm_access_log"),
)
_TRACERS: Final = ("datadog", "dynamic_modules", "fluentd", "opentelemetry", "skywalking", "xray", "zipkin")
_SOCKETS: Final = ("envoy.transport_sockets.tap", "envoy.transport_sockets.dynamic_modules")

DISABLED: Final = (
    *(f"envoy.filters.http/{name}" for name in (*_EVERYWHERE, *_DOWNSTREAM)),
    *(f"envoy.filters.http.upstream/{name}" for name in _EVERYWHERE),
    *(f"envoy.filters.network/{name}" for name in _NETWORK),
    *(f"envoy.access_loggers/envoy.access_loggers.{name}" for name in _LOGGERS),
    *(f"envoy.access_loggers/{name}" for name in _OLD_LOGGERS),
    *(f"envoy.tracers/envoy.tracers.{name}" for name in _TRACERS),
    *(f"envoy.transport_sockets.{side}/{name}" for side in ("upstream", "downstream") for name in _SOCKETS),
    *(f"envoy.bootstrap/envoy.bootstrap.{name}" for name in ("dynamic_modules", "wasm")),
    *(f"envoy.wasm.runtime/envoy.wasm.runtime.{name}" for name in ("null", "v8")),
)
"""Extensions as ``category/name``, as Envoy 1.40 lists them when it starts."""


def arguments() -> list[str]:
    """Envoy's command line without its program. Nothing below a warning is logged: Envoy's debug log has headers."""
    return [
        *("-c", STARTS_WITH),
        *("--concurrency", str(THREADS)),
        *("-l", "warn"),
        *("--drain-time-s", str(DRAIN)),
        *("--file-flush-interval-msec", str(_FLUSH)),
        # A field that Envoy does not know is one that it would not enforce: without this it is ignored without a word.
        "--reject-unknown-dynamic-fields",
        *("--disable-extensions", ",".join(DISABLED)),
    ]
