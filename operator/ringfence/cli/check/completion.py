"""One request to a model, as small as one can be, and what is told of its answer.

Laws: the gateway proves who it is before it is told anything. Of an answer nothing is kept that a model or a provider
worded, but the model's name: no text, no message of an error, no key.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from ringfence.adapters.pods import Answer, conversation
from ringfence.gateway.typed import CHAT
from ringfence.ports.usage import Trust

DEADLINE: Final = 120.0
"""Seconds that a provider may take."""
_LONGEST: Final = 64
_WORD: Final = re.compile(rf"[\w.:/-]{{1,{_LONGEST}}}", re.ASCII)
_REFUSED: Final = 400
_LIMITS: Final = ("max_tokens", "max_completion_tokens")
"""By which a request says how long an answer may be. Newer models of OpenAI's refuse the first one and name it in the
error's `param`; others know no second one. What is refused is not paid for.
"""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a gateway is reached from here, and by what it is known."""

    address: str
    port: int
    trust: Trust

    @classmethod
    def of(cls, url: str, authority: str, reached: tuple[str, int] | None) -> "Door":
        """The gateway of that URL, at its own address unless it is ``reached`` at another one."""
        found = urlsplit(url)
        host, port = str(found.hostname), found.port or 443
        address, at = reached or (host, port)
        return cls(address, at, Trust(host, authority))


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says of itself."""

    status: int
    request_id: str
    """Leads to its line in the gateway's log."""
    code: str = ""
    """Of an error."""
    model: str = ""
    """As the provider calls what answered."""
    tokens: int | None = None
    """That the provider counts for it; None where it says nothing of them."""
    completed: bool = False
    refused: str = ""
    """The field of the request that an error is about."""


async def complete(door: Door, token: str, model: str) -> Told:
    """Ask for one token. Raises PodError where the gateway does not answer, or can't be believed."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for limit in _LIMITS:
        asked = {"model": model, "messages": [{"role": "user", "content": "Hello"}], limit: 1}
        async with conversation(door.address, door.trust, deadline=DEADLINE) as gateway:
            answer = await gateway.ask("POST", door.port, CHAT, headers=headers, body=json.dumps(asked).encode())
        told = read(answer)
        if told.status != _REFUSED or told.refused != limit:
            break
    return told


def read(answer: Answer) -> Told:
    """What may be told of it."""
    body = _object(answer.body)
    error = body.get("error")
    request_id = _word(answer.headers.get("x-request-id"))
    if not isinstance(error, Mapping):
        return Told(
            answer.status,
            request_id,
            model=_short(body.get("model")),
            tokens=_tokens(body.get("usage")),
            completed=bool(body.get("choices")),
        )
    code = _word(error.get("code")) or _word(error.get("type"))
    return Told(answer.status, request_id, code=code, refused=_word(error.get("param")))


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(content)
    except ValueError:
        return {}
    return value if isinstance(value, Mapping) else {}


def _tokens(usage: object) -> int | None:
    total = usage.get("total_tokens") if isinstance(usage, Mapping) else None
    return total if isinstance(total, int) else None


def _word(value: object) -> str:
    """What is a word by its form; empty for what could be a sentence, and quote somebody."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""


def _short(value: object) -> str:
    """A name that somebody else gave, cut to what a name needs."""
    return value[:_LONGEST] if isinstance(value, str) else ""
