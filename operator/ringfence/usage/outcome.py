"""What came of a request, from what the access log says of its answer.

Law: every request has exactly one outcome, and who refused is told apart: the gateway by its rules, or a provider.
"""

from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """How a request ended."""

    SERVED = "Served"
    """A provider's answer went to the caller."""
    LISTED = "Listed"
    """The gateway itself answered, with the list of models."""
    UNIDENTIFIED = "Unidentified"
    """Refused: no valid token."""
    NOT_ALLOWED = "NotAllowed"
    """Refused: no such model for this caller."""
    LIMITED = "Limited"
    """Refused: a limit of the tenant or of the route was reached."""
    INVALID = "Invalid"
    """Refused: not a request for this gateway, too large or too slow."""
    REJECTED = "Rejected"
    """A provider answered that the request is at fault, or that its own limit was reached."""
    FAILED = "Failed"
    """No provider answered, or the answer was an error of its own or broke off."""
    ABANDONED = "Abandoned"
    """The caller went before the answer ended."""
    UNREAD = "Unread"
    """Nobody knows: the line could not be read, or there were too many to read each."""


REFUSED: Final = frozenset({Outcome.UNIDENTIFIED, Outcome.NOT_ALLOWED, Outcome.LIMITED, Outcome.INVALID})
"""By the gateway: no provider was asked."""

_BY_STATUS: Final = {401: Outcome.UNIDENTIFIED, 403: Outcome.NOT_ALLOWED, 429: Outcome.LIMITED}
_CALLER_GONE: Final = "DC"
_BY_PROVIDER: Final = "via_upstream"
_BY_ROUTE: Final = "direct_response"
_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500


def outcome(status: int, flags: str, details: str) -> Outcome:
    """The outcome of an answer with this status (0: none was begun), Envoy's response flags and code details.

    Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_conn_man/response_code_details.
    """
    if status == 0 or _CALLER_GONE in flags.split(","):
        return Outcome.ABANDONED
    if status >= _SERVER_ERROR:
        return Outcome.FAILED
    if details == _BY_PROVIDER:
        return Outcome.SERVED if status < _CLIENT_ERROR else Outcome.REJECTED
    if status < _CLIENT_ERROR:
        return Outcome.LISTED if details == _BY_ROUTE else Outcome.FAILED
    return _BY_STATUS.get(status, Outcome.INVALID)
