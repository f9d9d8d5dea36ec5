"""The access log: who asked for which model, what came of it, and how much. Never what was said.

Law: every field is in this table, and none of them can hold a prompt, an answer, a header that a client chose freely or
a key. What a client wrote as a model that does not exist is cut to 64 characters.
"""

from typing import Final

from ringfence.gateway import identity
from ringfence.gateway.typed import MODEL_HEADER, RUN, SOURCE, Json, named

FILE: Final = f"{RUN}/access.log"
USAGE: Final = "ringfence.usage"
"""The namespace of metadata in which the numbers of tokens of an answer are noted."""
TOKENS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")

FIELDS: Final = {
    "ts": "%START_TIME%",
    "request_id": identity.REQUEST_ID,
    "tenant": f"%METADATA(LISTENER:{SOURCE}:tenant)%",
    "namespace": identity.claim(identity.NAMESPACE),
    "service_account": identity.claim(identity.ACCOUNT),
    "route": f"%METADATA(ROUTE:{SOURCE}:route)%",
    "model": f"%METADATA(ROUTE:{SOURCE}:model)%",
    "revision": f"%METADATA(ROUTE:{SOURCE}:revision)%",
    "config_rev": f"%METADATA(VIRTUAL_HOST:{SOURCE}:config_rev)%",
    "refused_model": f"%REQ({MODEL_HEADER}):64%",
    "upstream": f"%METADATA(CLUSTER:{SOURCE}:provider)%",
    "region": f"%METADATA(CLUSTER:{SOURCE}:region)%",
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
"""Name of each field, and Envoy's operator that fills it.

`config_rev` is missing where a request could not be read, so that no route was looked for; `upstream` is the provider
that answered, and `attempts` tells how many were tried.
"""


def access_log() -> Json:
    """A line of JSON a request."""
    written = {"json_format": dict(FIELDS), "omit_empty_values": True}
    message = "envoy.extensions.access_loggers.file.v3.FileAccessLog"
    return named("envoy.access_loggers.file", message, path=FILE, log_format=written)
