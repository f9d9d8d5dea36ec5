"""Collectors over HTTP, each known by its gateway's certificate.

Law: what a tenant's pod answers is bounded in size and in time, and it is not followed elsewhere.
"""

from typing import Final

import aiohttp
from yarl import URL

from ringfence import __version__
from ringfence.adapters.tls import trusting
from ringfence.ports.usage import CollectorError, Replica, Trust
from ringfence.usage.page import MOST_BYTES

TIMEOUT: Final = aiohttp.ClientTimeout(total=5, sock_connect=2)
PATH: Final = "/usage"


class HttpCollectors:
    """Implements `ringfence.ports.usage.Collectors`."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            # A connection kept open would be trusted by the certificates of yesterday.
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            headers={"User-Agent": f"ringfence/{__version__}"},
            timeout=TIMEOUT,
            auto_decompress=False,
        )

    async def close(self) -> None:
        """End the connections."""
        await self._session.close()

    async def page(self, replica: Replica, trust: Trust, after: str) -> bytes:
        """See `ringfence.ports.usage.Collectors.page`."""
        scheme = "https" if trust.authority else "http"
        url = URL.build(scheme=scheme, host=replica.address, port=replica.port, path=PATH, query={"after": after})
        try:
            return await self._get(url, trust)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise CollectorError(f"{url.origin()}: {str(error) or type(error).__name__}") from error

    async def _get(self, url: URL, trust: Trust) -> bytes:
        verified = trusting(trust.authority) if trust.authority else True
        name = trust.server_name if trust.authority else None
        async with self._session.get(url, ssl=verified, server_hostname=name, allow_redirects=False) as answer:
            if answer.status != 200:  # noqa: PLR2004
                raise CollectorError(f"{url.origin()}: it answers {answer.status}")
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise CollectorError(f"{url.origin()}: more than {MOST_BYTES} bytes")
            return bytes(body)
