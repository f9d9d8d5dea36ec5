"""Plausible lines of an access log, and rows of usage."""

import json
from typing import Any, Final

from ringfence.usage.outcome import Outcome
from ringfence.usage.page import Page, make_cursor
from ringfence.usage.tally import HOUR, Key, Numbers, Row, slot

ENDED: Final = "2026-11-22T19:51:57.123Z"
HOUR_OF_IT: Final = 1_795_374_000  # 2026-11-22T19:00:00Z
INSTANCE: Final = "5b1f6c3e-0d1f-4f0e-9c7a-2f9d8b6a4c11"
OTHER: Final = "7c2a9d4f-1e2a-4a1b-8d6b-3a0e9c7b5d22"


def line(**fields: Any) -> bytes:
    """A line as Envoy writes it; a field that is None is left out."""
    served = {
        "ts": ENDED,
        "request_id": "13eb35d3-8b0f-42bb-9a39-3c44989cc2f1",
        "tenant": "acme",
        "namespace": "acme-dev",
        "service_account": "chat-ui",
        "route": "chat",
        "model": "chat",
        "revision": "rev-6f1c0a9d2b417e55",
        "config_rev": "ff37deac28293e57",
        "upstream": "openai",
        "attempts": 1,
        "status": 200,
        "flags": "-",
        "details": "via_upstream",
        "prompt_tokens": 9,
        "completion_tokens": 12,
        "total_tokens": 21,
        "bytes_in": 69,
        "bytes_out": 265,
        "duration_ms": 120,
    }
    return json.dumps({key: value for key, value in {**served, **fields}.items() if value is not None}).encode()


def row(
    requests: int = 1,
    *,
    hour: int = HOUR_OF_IT,
    namespace: str = "acme-dev",
    account: str = "chat-ui",
    route: str = "chat",
    outcome: Outcome = Outcome.SERVED,
) -> Row:
    """So many requests of 120 ms, each of 9 and 12 tokens."""
    key = Key(hour, namespace, account, route, "openai", outcome)
    one = Numbers(1, 0, 9, 12, 21, 69, 265, 120, slot(120))
    return Row(key, Numbers.of(requests * each for each in one.flat()))


def page(sequence: int, *rows: Row, instance: str = INSTANCE, more: bool = False) -> Page:
    """A page of a collector after so many changes."""
    return Page(instance, make_cursor(instance, sequence), more, rows)


def hours_later(count: int) -> int:
    """The hour so many hours after that of the samples."""
    return HOUR_OF_IT + count * HOUR


def every_end() -> list[Row]:
    """A row for each way to end, and one of nobody known."""
    return [row(2, outcome=each) for each in Outcome] + [row(1, namespace="", account="", route="")]
