"""What the gateway itself answers, in the shape in which OpenAI's clients expect errors.

Source: https://platform.openai.com/docs/guides/error-codes: an object `error` with message, type, param and code.
"""

import json
from dataclasses import dataclass
from typing import Final

from ringfence.gateway.typed import Json, named


@dataclass(frozen=True, slots=True)
class Refusal:
    """One answer."""

    status: int
    code: str
    message: str

    @property
    def error(self) -> Json:
        """The body."""
        return {"message": self.message, "type": self.code, "param": None, "code": self.code}


MODEL_NOT_ALLOWED: Final = Refusal(403, "model_not_allowed", "no such model is approved for your namespace")
CALLER_UNKNOWN: Final = Refusal(403, "caller_unknown", "your namespace has no access to this gateway")
ENDPOINT_UNKNOWN: Final = Refusal(404, "endpoint_unknown", "this gateway has no such endpoint")

_IDENTITY: Final = Refusal(401, "invalid_identity", "no valid token of a workload for this gateway")
_BY_STATUS: Final = (
    Refusal(400, "bad_request", "the request is not valid for this endpoint"),
    _IDENTITY,
    Refusal(404, ENDPOINT_UNKNOWN.code, ENDPOINT_UNKNOWN.message),
    Refusal(408, "request_timeout", "the request did not come to an end in time"),
    Refusal(413, "request_too_large", "the request is larger than this gateway allows"),
    Refusal(429, "rate_limit_exceeded", "the limit of your tenant or of this model is reached; try again later"),
    Refusal(431, "headers_too_large", "the headers are larger than this gateway allows"),
    Refusal(503, "provider_unavailable", "no approved provider answers"),
    Refusal(504, "provider_timeout", "the provider did not answer in time"),
)
_BY_CAUSE: Final = (
    ("jwt_authn", _IDENTITY),
    ("rbac_access_denied", CALLER_UNKNOWN),
)
"""How the details of a response begin: some filters answer with a status that does not say what is wrong."""


def direct(refusal: Refusal, name: str) -> Json:
    """A route that refuses everything."""
    body = {"error": refusal.error}
    return answered(name, refusal.status, body)


def answered(name: str, status: int, body: Json) -> Json:
    """A route that answers everything by itself."""
    content_type = {"header": {"key": "content-type", "value": "application/json"}}
    return {
        "name": name,
        "match": {"prefix": "/"},
        "direct_response": {"status": status, "body": {"inline_string": json.dumps(body, separators=(",", ":"))}},
        "response_headers_to_add": [{**content_type, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
    }


def local_replies() -> Json:
    """How answers of Envoy's own are worded: without this they are plain text."""
    return {"mappers": [*map(_by_cause, _BY_CAUSE), *map(_by_status, _BY_STATUS), _as_it_is()]}


def _by_cause(cause: tuple[str, Refusal]) -> Json:
    details, refusal = cause
    expression = f"response.code_details.startsWith('{details}')"
    cel = named("cel", "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter", expression=expression)
    return {"filter": {"extension_filter": cel}, "status_code": refusal.status, **_worded(refusal)}


def _by_status(refusal: Refusal) -> Json:
    return {**_status_is(refusal.status), **_worded(refusal)}


def _as_it_is() -> Json:
    """A refusal of ours goes through as it was rendered, and says what it is."""
    body = {"text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"}, "content_type": "application/json"}
    return {**_status_is(403), "body_format_override": body}


def _status_is(status: int) -> Json:
    comparison = {"op": "EQ", "value": {"default_value": status, "runtime_key": "ringfence.none"}}
    return {"filter": {"status_code_filter": {"comparison": comparison}}}


def _worded(refusal: Refusal) -> Json:
    error = {**refusal.error, "param": "", "request_id": "%REQ(x-request-id)%"}
    return {"body_format_override": {"json_format": {"error": error}}}
