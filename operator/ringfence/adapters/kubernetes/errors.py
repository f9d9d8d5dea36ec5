"""From an HTTP answer, or none, to the port's errors.

Law: the table decides; an unknown status is the caller's fault (4xx) or the server's (5xx), as RFC 9110 has it.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from ringfence.admission.answers import UNCONFIGURED
from ringfence.ports.cluster import (
    ClusterError,
    ConflictError,
    ExpiredError,
    NotFoundError,
    NotJudgedError,
    RefusedError,
    ThrottledError,
    UnauthorizedError,
    UnreachableError,
)

MESSAGE_LIMIT: Final = 1024
"""Characters kept of the API server's message: some of them repeat the whole object."""

BY_STATUS: Final[Mapping[int, type[ClusterError]]] = {
    401: UnauthorizedError,
    404: NotFoundError,
    408: UnreachableError,
    409: ConflictError,
    410: ExpiredError,
    412: ConflictError,
    429: ThrottledError,
}


def from_answer(status: int, body: bytes, headers: Mapping[str, str]) -> ClusterError:
    """The error that an answer with ``status`` stands for."""
    document = _status_object(body)
    return _made(status, str(document.get("message") or f"HTTP status {status}"), _wait(headers, document))


def from_status_object(document: Mapping[str, Any]) -> ClusterError:
    """The error that a watch's ERROR line stands for."""
    return _made(int(document.get("code", 500)), str(document.get("message", "the watch failed")), _wait({}, document))


def _made(status: int, message: str, retry_after: float | None) -> ClusterError:
    fallback = UnreachableError if status >= 500 else RefusedError  # noqa: PLR2004 -- RFC 9110's classes
    kind = BY_STATUS.get(status, fallback)
    if kind is RefusedError and any(sign in message for sign in UNCONFIGURED):
        kind = NotJudgedError
    return kind(message[:MESSAGE_LIMIT], status=status, retry_after=retry_after)


def _status_object(body: bytes) -> Mapping[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = {"message": body.decode("utf-8", "replace").strip()}
    return document if isinstance(document, dict) else {}


def _wait(headers: Mapping[str, str], document: Mapping[str, Any]) -> float | None:
    details = document.get("details") or {}
    for value in (headers.get("Retry-After"), details.get("retryAfterSeconds")):
        try:
            return float(value)  # type: ignore[arg-type]  # None and HTTP dates raise, and count as not given
        except (TypeError, ValueError):
            continue
    return None
