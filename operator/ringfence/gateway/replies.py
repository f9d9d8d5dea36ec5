"""What the gateway itself answers, in the shape in which OpenAI's clients expect errors.

Source: https://platform.openai.com/docs/guides/error-codes: an object `error` with message, type, param and code.
"""

import json
from dataclasses import dataclass
from typing import Final

from ringfence.gateway import identity, reading, sizes
from ringfence.gateway.typed import CHAT, Json, named


@dataclass(frozen=True, order=True, slots=True)
class Refusal:
    """One answer."""

    status: int
    code: str
    message: str
    param: str = ""
    """What names the part of the request that it is about; empty where it is about all of it."""

    @property
    def error(self) -> Json:
        """The body."""
        return {"message": self.message, "type": self.code, "param": self.param or None, "code": self.code}


MODEL_NOT_ALLOWED: Final = Refusal(403, "model_not_allowed", "no such model is approved for you")
ENDPOINT_UNKNOWN: Final = Refusal(404, "endpoint_unknown", "this gateway has no such endpoint")
NO_STREAMING: Final = Refusal(
    400, "streaming_not_supported", "this model is served by translation, which cannot stream: set stream to false"
)
USAGE_UNTOLD: Final = Refusal(
    400, "usage_required", "tokens of this model are counted: set stream_options.include_usage to true to stream"
)
NO_SUCH_USE: Final = Refusal(400, "endpoint_not_supported", f"this model is served at {CHAT} only")

_BAD_REQUEST: Final = Refusal(400, "bad_request", "the request is not valid for this endpoint")
_FIELD: Final = Refusal(
    400,
    "field_not_allowed",
    "a field of the body (param, if its name is plain) may not go to providers, or not with this value: leave it out",
    reading.REFUSED_FIELD,
)
_IDENTITY: Final = Refusal(401, "invalid_identity", "no valid token of a workload for this gateway")
_CALLER_UNKNOWN: Final = Refusal(403, "caller_unknown", "you have no access to this gateway")
_TOO_LARGE: Final = Refusal(413, "request_too_large", "the request is larger than this gateway or this model allows")
_TOO_MANY: Final = Refusal(429, "too_many_parallel_requests", "too many requests to this model at once; try again soon")
KEY_MISSING: Final = Refusal(503, "provider_key_missing", "the key for the provider of this model is not there")
_NOT_COUNTED: Final = Refusal(503, "limits_unavailable", "tokens of this model can't be counted now; try again later")
_OVERLOADED: Final = Refusal(503, "gateway_overloaded", "the gateway has no memory left for this; try again soon")
_BY_STATUS: Final = (
    _BAD_REQUEST,
    _IDENTITY,
    ENDPOINT_UNKNOWN,
    Refusal(408, "request_timeout", "the request did not come to an end in time"),
    _TOO_LARGE,
    Refusal(429, "rate_limit_exceeded", "the limit of your tenant or of this model is reached; try again later"),
    Refusal(426, "bad_request", "this gateway speaks HTTP/1.1 and HTTP/2 only"),
    Refusal(431, "headers_too_large", "the headers are larger than this gateway allows"),
    Refusal(500, "gateway_error", "the gateway could not handle the request"),
    Refusal(501, "bad_request", "this gateway does not know this encoding of the transfer"),
    Refusal(502, "provider_unavailable", "the provider's answer could not be read"),
    Refusal(503, "provider_unavailable", "no approved provider answers"),
    Refusal(504, "provider_timeout", "the provider did not answer in time"),
)
_BY_CAUSE: Final = (
    ("response.code_details.startsWith('jwt_authn')", _IDENTITY),
    (f"response.code_details == 'rbac_access_denied_matched_policy[{reading.FIELD}]'", _FIELD),
    (f"response.code_details == 'rbac_access_denied_matched_policy[{reading.UNCLEAR}]'", _BAD_REQUEST),
    (f"response.code_details == 'rbac_access_denied_matched_policy[{sizes.TOO_LARGE}]'", _TOO_LARGE),
    ("response.code_details.startsWith('rbac_access_denied')", _CALLER_UNKNOWN),
    ("response.code_details == 'upgrade_failed'", ENDPOINT_UNKNOWN),
    ("response.code_details.contains('overflow')", _TOO_MANY),
    ("response.code_details == 'overload'", _OVERLOADED),
    ("response.code_details == 'failed_to_inject_credential'", KEY_MISSING),
    ("response.code_details == 'rate_limiter_error'", _NOT_COUNTED),
)
"""Some filters answer with a status that does not say what is wrong; the details of a response do."""

REFUSALS: Final = tuple(
    sorted(
        {
            *(MODEL_NOT_ALLOWED, ENDPOINT_UNKNOWN, NO_STREAMING, USAGE_UNTOLD, NO_SUCH_USE),
            *(refusal for _, refusal in _BY_CAUSE),
            *_BY_STATUS,
        }
    )
)
"""Everything that the gateway itself refuses, by status and code."""


def direct(refusal: Refusal, name: str) -> Json:
    """A route that refuses everything."""
    return answered(name, refusal.status, {"error": refusal.error})


def answered(name: str, status: int, body: Json, **headers: str) -> Json:
    """A route that answers everything by itself; ``headers`` by name, with an underscore for each hyphen."""
    whole = {"content-type": "application/json", **{key.replace("_", "-"): value for key, value in headers.items()}}
    return {
        "name": name,
        "match": {"prefix": "/"},
        "direct_response": {"status": status, "body": {"inline_string": json.dumps(body, separators=(",", ":"))}},
        "response_headers_to_add": [header(*each) for each in whole.items()],
    }


def header(name: str, value: str) -> Json:
    """A header of an answer, whatever it was."""
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def local_replies() -> Json:
    """How answers of Envoy's own are worded: without this they are plain text."""
    # The routes' own answers come first: they are worded already, and one may have the status of another refusal.
    return {"mappers": [_as_it_is(), *map(_by_cause, _BY_CAUSE), *map(_by_status, _BY_STATUS)]}


def _as_it_is() -> Json:
    body = {"text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"}, "content_type": "application/json"}
    return {"filter": _when("response.code_details == 'direct_response'"), "body_format_override": body}


def _by_cause(cause: tuple[str, Refusal]) -> Json:
    expression, refusal = cause
    return {"filter": _when(expression), "status_code": refusal.status, **_worded(refusal)}


def _by_status(refusal: Refusal) -> Json:
    comparison = {"op": "EQ", "value": {"default_value": refusal.status, "runtime_key": "ringfence.none"}}
    return {"filter": {"status_code_filter": {"comparison": comparison}}, **_worded(refusal)}


def _when(expression: str) -> Json:
    cel = named("cel", "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter", expression=expression)
    return {"extension_filter": cel}


def _worded(refusal: Refusal) -> Json:
    error = {**refusal.error, "param": refusal.param, "request_id": identity.REQUEST_ID}
    return {"body_format_override": {"json_format": {"error": error}}}
