"""The canary on a real API server: the operator's own credentials, and a short token of the canary's ServiceAccount.

Law: the token lives in memory for minutes and is neither logged nor answered; what is sent, the table of probes says.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import aiohttp
import orjson
from yarl import URL

from ringfence import names
from ringfence.adapters.kubernetes.config import Bearer, Connection
from ringfence.adapters.kubernetes.session import open_session
from ringfence.admission.answers import JSON, Answer, Asker, Probe
from ringfence.admission.tokens import OWN_TOKEN_AGE
from ringfence.model.kinds import SERVICE_ACCOUNT

TIMEOUT: Final = aiohttp.ClientTimeout(total=10, sock_connect=5)
RENEWED_AFTER: Final = 0.8 * OWN_TOKEN_AGE
TOKEN_PATH: Final = f"{SERVICE_ACCOUNT.path(names.OPERATOR_NAMESPACE, names.CANARY)}/token"
TOKEN_REQUEST: Final = {"spec": {"expirationSeconds": OWN_TOKEN_AGE}}
_CREATED: Final = 201
_UNAUTHORIZED: Final = 401


class KubernetesCanary:
    """Implements ``ringfence.ports.canary.Canary``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._bearer = Bearer(connection)
        self._operator = open_session(connection, self._bearer)
        self._canary: aiohttp.ClientSession | None = None
        self._expires = float("-inf")
        self._asking = asyncio.Lock()

    async def close(self) -> None:
        """End the connections."""
        await self._operator.close()
        if self._canary is not None:
            await self._canary.close()

    async def ask(self, probe: Probe) -> Answer:
        """Send one probe."""
        session = self._operator if probe.asker is Asker.OPERATOR else await self._session()
        if isinstance(session, Answer):
            return session
        answer = await _send(session, self._url(probe.target), probe.method, probe.body, probe.content_type)
        if answer.status == _UNAUTHORIZED:
            self._bearer.forget()
            self._expires = float("-inf")
        return answer

    async def _session(self) -> aiohttp.ClientSession | Answer:
        """Give a session with a token that is good for a while, or the answer to the request for one."""
        async with self._asking:
            if self._canary is not None and time.monotonic() < self._expires:
                return self._canary
            answer = await _send(self._operator, self._url(TOKEN_PATH), "POST", TOKEN_REQUEST, JSON)
            if answer.status != _CREATED:
                return Answer(0, f"the canary has no token: {answer.message}")
            if self._canary is not None:
                await self._canary.close()
            token = str(answer.body["status"]["token"])
            connection = replace(self._connection, token=token, token_file=None)
            self._canary = open_session(connection, Bearer(connection))
            self._expires = time.monotonic() + RENEWED_AFTER
            return self._canary

    def _url(self, target: str) -> URL:
        return URL(self._connection.server + target, encoded=True)


async def _send(
    session: aiohttp.ClientSession, url: URL, method: str, body: Mapping[str, Any], content_type: str
) -> Answer:
    headers = {"Accept": JSON, "Content-Type": content_type}
    try:
        async with session.request(method, url, data=orjson.dumps(body), headers=headers, timeout=TIMEOUT) as answer:
            content = await answer.read()
            warnings = tuple(answer.headers.getall("Warning", ()))
            return _answer(answer.status, content, warnings)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        return Answer(0, str(error) or type(error).__name__)


def _answer(status: int, content: bytes, warnings: tuple[str, ...]) -> Answer:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return Answer(status, content.decode("utf-8", "replace").strip(), warnings)
    return Answer(status, str(body.get("message", "")), warnings, body)
