"""The access log: who asked for which model, what came of it, and how much. Never what was said.

Law: every field is in this table, and none of them can hold a prompt, an answer, a header that a client chose freely or
a key. What a client wrote as a model that does not exist is cut to 64 characters.
"""

from typing import Final

from ringfence.gateway.typed import JWT, MODEL_HEADER, RUN, SOURCE, Json, named

FILE: Final = f"{RUN}/access.log"
USAGE: Final = "ringfence.usage"
"""The namespace of metadata in which the numbers of tokens of an answer are noted."""
TOKENS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")
_ACCOUNT: Final = f"DYNAMIC_METADATA({JWT}:jwt:kubernetes.io:serviceaccount"

FIELDS: Final = {
    "ts": "%START_TIME%",
    "request_id": "%REQ(x-request-id)%",
    "tenant": f"%METADATA(ROUTE:{SOURCE}:tenant)%",
    "namespace": f"%DYNAMIC_METADATA({JWT}:jwt:kubernetes.io:namespace)%",
    "service_account": f"%{_ACCOUNT}:name)%",
    "route": f"%METADATA(ROUTE:{SOURCE}:route)%",
    "model": f"%METADATA(ROUTE:{SOURCE}:model)%",
    "revision": f"%METADATA(ROUTE:{SOURCE}:revision)%",
    "config_rev": f"%METADATA(VIRTUAL_HOST:{SOURCE}:config_rev)%",
    "refused_model": f"%REQ({MODEL_HEADER}):64%",
    "upstream": "%UPSTREAM_CLUSTER%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    **{name: f"%DYNAMIC_METADATA({USAGE}:{name})%" for name in TOKENS},
    "bytes_in": "%BYTES_RECEIVED%",
    "bytes_out": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "first_byte_ms": "%RESPONSE_DURATION%",
}
"""Name of each field, and Envoy's operator that fills it."""


def access_log() -> Json:
    """A line of JSON a request."""
    written = {"json_format": dict(FIELDS), "omit_empty_values": True}
    message = "envoy.extensions.access_loggers.file.v3.FileAccessLog"
    return named("envoy.access_loggers.file", message, path=FILE, log_format=written)
