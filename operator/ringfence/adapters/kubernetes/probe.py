"""Tokens of the probe, by which the operator looks at gateways.

Law: a token lives in memory for minutes; the API server gives it for gateways alone, and gateways let it call no model.
"""

import asyncio
import time
from typing import Final

import aiohttp
import orjson
from yarl import URL

from ringfence import names
from ringfence.adapters.kubernetes.config import Bearer, Connection
from ringfence.adapters.kubernetes.session import open_session
from ringfence.admission.tokens import OWN_TOKEN_AGE
from ringfence.model.kinds import SERVICE_ACCOUNT

TIMEOUT: Final = aiohttp.ClientTimeout(total=10, sock_connect=5)
RENEWED_AFTER: Final = 0.8 * OWN_TOKEN_AGE
PATH: Final = f"{SERVICE_ACCOUNT.path(names.OPERATOR_NAMESPACE, names.PROBE)}/token"
REQUEST: Final = {"spec": {"audiences": [names.GATEWAY_AUDIENCE], "expirationSeconds": OWN_TOKEN_AGE}}
_UNAUTHORIZED: Final = 401


class ProbeTokens:
    """Asks for tokens by the operator's own credentials."""

    def __init__(self, connection: Connection) -> None:
        self._url = URL(connection.server + PATH, encoded=True)
        self._bearer = Bearer(connection)
        self._session = open_session(connection, self._bearer)
        self._asking = asyncio.Lock()
        self._token = ""
        self._expires = float("-inf")

    async def close(self) -> None:
        """End the connections."""
        await self._session.close()

    async def get(self) -> str:
        """A token that is good for two minutes at least. Raises OSError where there is none."""
        async with self._asking:
            if time.monotonic() >= self._expires:
                self._token = await self._ask()
                self._expires = time.monotonic() + RENEWED_AFTER
            return self._token

    async def _ask(self) -> str:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        body = orjson.dumps(REQUEST)
        async with self._session.post(self._url, data=body, headers=headers, timeout=TIMEOUT) as answer:
            if answer.status == _UNAUTHORIZED:
                self._bearer.forget()
            told = await answer.json()
            if not answer.ok:
                raise OSError(f"the probe has no token: {told.get('message', answer.status)}")
            return str(told["status"]["token"])
