"""One line of the access log, read for what is counted.

Laws: what is kept of a line is numbers, and names that the API server or the configuration gave: a caller's own text
has no place to be in. A line that can't be read counts as one, and never stops the others.
"""

import re
from datetime import datetime
from typing import Any, Final, TypeGuard

import orjson

from ringfence import names
from ringfence.usage.outcome import Outcome, outcome
from ringfence.usage.tally import HOUR, Key, Numbers, Row, slot

MOST_TOKENS: Final = 10**9
"""Of one answer: a number beyond it, which a provider may say, is no number of tokens."""
_MOST: Final = 10**12
"""Bytes or milliseconds of one request."""
_NAME: Final = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?")
_METERED: Final = frozenset({Outcome.SERVED})


class UnreadableLineError(ValueError):
    """It is not a line of the access log; nothing of it is told."""


def read_line(line: bytes) -> Row | None:
    """What a line adds; ``None`` for one that is of the operator's own probes.

    The hour is that in which the answer ended, so that an hour that is over stays as it is.

    Raises:
        UnreadableLineError: it is cut off, or of something else.
    """
    try:
        fields = orjson.loads(line)
        if fields.get("namespace") == names.OPERATOR_NAMESPACE:
            return None
        return _row(fields)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError):
        raise UnreadableLineError("not a line of the access log") from None  # the cause would show the line


def _row(fields: dict[str, Any]) -> Row:
    duration = _count(fields.get("duration_ms"))
    ended = outcome(int(fields.get("status", 0)), str(fields.get("flags", "")), str(fields.get("details", "")))
    namespace, account = _caller(fields)
    key = Key(
        hour=_hour(fields["ts"], duration),
        namespace=namespace,
        account=account,
        route=_matched(fields.get("route")),
        provider=_matched(fields.get("upstream")) if _count(fields.get("attempts")) else "",
        outcome=ended,
    )
    prompt, completion, both = (
        _tokens(fields.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    )
    told = any(each is not None for each in (prompt, completion, both))
    numbers = Numbers(
        requests=1,
        unmetered=int(ended in _METERED and not told),
        prompt_tokens=prompt or 0,
        completion_tokens=completion or 0,
        total_tokens=both if both is not None else (prompt or 0) + (completion or 0),
        bytes_in=_count(fields.get("bytes_in")),
        bytes_out=_count(fields.get("bytes_out")),
        milliseconds=duration,
        durations=slot(duration),
    )
    return Row(key, numbers)


def _caller(fields: dict[str, Any]) -> tuple[str, str]:
    """Who asked; nobody where the token was another tenant's, whose names are none of this tenant's business."""
    namespace = _matched(fields.get("namespace"))
    if names.split_core_namespace(namespace)[0] != fields.get("tenant"):
        return "", ""
    return namespace, _matched(fields.get("service_account"))


def _hour(began: str, milliseconds: int) -> int:
    end = datetime.fromisoformat(began).timestamp() + milliseconds / 1000
    return int(end) // HOUR * HOUR


def _matched(value: object) -> str:
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""


def _count(value: object) -> int:
    return min(max(0, int(value)), _MOST) if _is_number(value) else 0


def _tokens(value: object) -> int | None:
    """A number of tokens, which Envoy writes with or without a fraction."""
    return int(value) if _is_number(value) and 0 <= value <= MOST_TOKENS else None


def _is_number(value: object) -> TypeGuard[int | float]:
    """True is none, though Python takes it for one."""
    return type(value) in (int, float)
