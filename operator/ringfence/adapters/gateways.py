"""Looks at gateways over HTTPS, each known by its own authority.

Law: no look costs anybody a token of a model: the probe may list models and call none. Its own token is neither logged
nor told; what a replica answers is bounded in size and in time, and it is not followed elsewhere.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Final

import aiohttp
from yarl import URL

from ringfence import __version__
from ringfence.adapters.tls import trusting
from ringfence.gateway.routes import MODELS, REVISION_HEADER
from ringfence.plan.gateway.sight import Sight
from ringfence.ports.usage import Replica, Trust

TIMEOUT: Final = aiohttp.ClientTimeout(total=5, sock_connect=2)
CHAT: Final = "/v1/chat/completions"
UNAPPROVED: Final = b'{"model":"ringfence-probe","messages":[]}'
"""A model that no route can have: none is approved for the probe."""
STATISTICS: Final = "/stats/prometheus?text_readouts&filter=version_text"
_TAKEN: Final = re.compile(
    r'^envoy_(?P<kind>\w+)_version_text\{(?P<labels>.*)text_value="(?P<revision>[^"]*)"', re.MULTILINE
)
_NAME: Final = re.compile(r'envoy_xds_resource_name="([^"]*)"')
_MOST_BYTES: Final = 1 << 20

_HEADERS: Final = {"User-Agent": f"ringfence/{__version__}", "Content-Type": "application/json"}

Token = Callable[[], Awaitable[str]]


class HttpGateways:
    """Implements ``ringfence.ports.gateways.Gateways``."""

    def __init__(self, token: Token) -> None:
        """`token` gives one of the probe that is good for a while; it may raise OSError."""
        self._token = token

    async def look(self, replica: Replica, trust: Trust) -> Sight:
        """See ``ringfence.ports.gateways.Gateways.look``."""
        if not trust.authority:
            return Sight(replica.name, unreachable="no authority of its certificate is known yet")
        try:
            # Connections are made anew for each look: one kept open would be trusted by the certificates of yesterday.
            async with aiohttp.ClientSession(headers=_HEADERS, timeout=TIMEOUT) as session:
                return await self._look(replica, _Door(session, replica, trust))
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return Sight(replica.name, unreachable=f"{replica.address}:{replica.gateway}: {_reason(error)}")

    async def _look(self, replica: Replica, door: "_Door") -> Sight:
        token = {"Authorization": f"Bearer {await self._token()}"}
        # What was taken is asked last: a swap between two requests is then seen as one that is under way.
        stranger, _ = await door.ask("GET", MODELS, {})
        probe, revision = await door.ask("GET", MODELS, token)
        unapproved, _ = await door.ask("POST", CHAT, token, UNAPPROVED)
        taken = _read_taken(await door.statistics())
        return Sight(
            replica.name, stranger=stranger, probe=probe, revision=revision, unapproved=unapproved, taken=taken
        )


def _reason(error: Exception) -> str:
    """Why there was no answer; what aiohttp wraps around it says nothing more."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        error = error.certificate_error
    elif isinstance(error, aiohttp.ClientConnectorError):
        error = error.os_error
    return str(error) or type(error).__name__


class _Door:
    """One replica, as callers find it."""

    def __init__(self, session: aiohttp.ClientSession, replica: Replica, trust: Trust) -> None:
        self._session = session
        self._origin = URL.build(scheme="https", host=replica.address, port=replica.gateway)
        self._metrics = URL.build(scheme="http", host=replica.address, port=replica.metrics)
        self._trust = trust

    async def ask(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> tuple[int, str]:
        """Status and revision of an answer."""
        request = self._session.request(
            method,
            self._origin.with_path(path),
            data=body,
            headers={**headers, "Host": self._trust.server_name},
            ssl=trusting(self._trust.authority),
            server_hostname=self._trust.server_name,
            allow_redirects=False,
        )
        async with request as answer:
            await _whole(answer)
            return answer.status, answer.headers.get(REVISION_HEADER, "")

    async def statistics(self) -> str:
        """What Envoy tells of the files that it took."""
        url = URL(f"{self._metrics}{STATISTICS}", encoded=True)
        async with self._session.get(url, allow_redirects=False) as answer:
            return (await _whole(answer)).decode(errors="replace")


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise aiohttp.ClientPayloadError(f"an answer of more than {_MOST_BYTES} bytes")
    return bytes(body)


def _read_taken(statistics: str) -> frozenset[tuple[str, str]]:
    """Resources by kind and name, with the `version_info` of the file that Envoy took last."""
    found = ((_resource(each["kind"], each["labels"]), each["revision"]) for each in _TAKEN.finditer(statistics))
    return frozenset(found)


def _resource(kind: str, labels: str) -> str:
    name = _NAME.search(labels)
    return f"{kind.rpartition('_')[2]} {name[1]}" if name else kind.rpartition("_")[2]
