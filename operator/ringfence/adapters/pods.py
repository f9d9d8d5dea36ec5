"""Asks the pods of tenants' gateways, as one who expects anything of them.

Laws: a pod is known by its certificate before it is told anything. What it answers is bounded, in size and in time as a
whole; it leads nowhere else, and nothing of it is repeated where it can't be read.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
from yarl import URL

from ringfence import __version__
from ringfence.adapters.tls import trusting
from ringfence.ports.usage import Trust

DEADLINE: Final = 5.0
"""Seconds from the first packet of a conversation to its last byte, however busily somebody talks."""
MOST_BYTES: Final = 1 << 20
"""Of one answer's body."""
MOST_HEADERS: Final = 64
_LONGEST_HEADER: Final = 8 << 10
_HEADERS: Final = {"User-Agent": f"ringfence/{__version__}", "Accept-Encoding": "identity"}


class PodError(Exception):
    """A pod did not answer, or not as it may; the message says where and why, in our words."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a pod said."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Conversation:
    """Some requests to one pod, over the fewest connections."""

    def __init__(self, session: aiohttp.ClientSession, address: str, trust: Trust) -> None:
        self._session = session
        self._address = address
        self._name = trust.server_name
        self._tls = trusting(trust.authority)

    async def ask(
        self,
        method: str,
        port: int,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Ask by TLS, after the pod has proved who it is."""
        request = self._session.request(
            method,
            URL.build(scheme="https", host=self._address, port=port, path=path, query=query),
            data=body,
            headers={**(headers or {}), "Host": self._name},
            ssl=self._tls,
            server_hostname=self._name,
            allow_redirects=False,
        )
        async with request as answer:
            return Answer(answer.status, answer.headers, await _whole(answer))

    async def overhear(self, port: int, path: str, query: str) -> Answer:
        """Ask in the clear, for what anybody may know; nothing that is secret is sent, and nobody is proven."""
        url = URL.build(scheme="http", host=self._address, port=port, path=path, query_string=query, encoded=True)
        async with self._session.get(url, allow_redirects=False) as answer:
            return Answer(answer.status, answer.headers, await _whole(answer))


@asynccontextmanager
async def conversation(address: str, trust: Trust, *, deadline: float = DEADLINE) -> AsyncIterator[Conversation]:
    """Talk with the pod at an address, for ``deadline`` seconds at most.

    Raises:
        PodError: for whatever the pod does or fails to do, and where there is nothing to know it by.
    """
    if not trust.authority:
        raise PodError("no authority of its certificate is known yet")
    try:
        async with asyncio.timeout(deadline), _session() as session:
            yield Conversation(session, address, trust)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise PodError(f"{address}: {_reason(error, deadline)}") from error


def _session() -> aiohttp.ClientSession:
    """A session of this conversation alone: a connection kept open would be trusted by certificates of yesterday."""
    return aiohttp.ClientSession(
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_HEADERS,
        max_field_size=_LONGEST_HEADER,
        max_headers=MOST_HEADERS,
        max_line_size=_LONGEST_HEADER,
        timeout=aiohttp.ClientTimeout(total=None),  # the conversation's own ends whatever it waits for
        trust_env=False,
    )


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    """The body as it came: one that grows when it is unpacked has no bound."""
    if any(coding.lower() != "identity" for coding in answer.headers.getall("Content-Encoding", [])):
        raise PodError("its answer is encoded, which was not asked for")
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > MOST_BYTES:
            raise PodError(f"its answer has more than {MOST_BYTES} bytes")
    return bytes(body)


def _reason(error: Exception, deadline: float) -> str:
    """Why there was no answer, of which other errors show a part."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return str(error.certificate_error)
    if isinstance(error, aiohttp.ClientConnectorError):
        error = error.os_error
    if isinstance(error, TimeoutError):
        return f"no whole answer within {deadline:g} s"
    if isinstance(error, OSError):
        return str(error) or f"no connection ({type(error).__name__})"
    return f"no answer that can be read ({type(error).__name__})"
