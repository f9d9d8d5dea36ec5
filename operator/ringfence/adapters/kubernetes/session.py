"""HTTP sessions with the API server, for our own calls and for kopf's watches alike."""

import aiohttp

from ringfence import __version__
from ringfence.adapters.kubernetes.config import Bearer, Connection


def open_session(connection: Connection, bearer: Bearer) -> aiohttp.ClientSession:
    """A session that proves our identity on each request, with the token of that moment."""

    async def authorize(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        if header := bearer.header():
            request.headers["Authorization"] = header
        return await handler(request)

    return aiohttp.ClientSession(
        # The engine bounds its calls itself, and a watch holds its connection for as long as it lives.
        connector=aiohttp.TCPConnector(limit=0, ssl=connection.tls, keepalive_timeout=60),
        headers={"User-Agent": f"ringfence/{__version__}", "Accept-Encoding": "identity"},
        middlewares=(authorize,),
        proxy=connection.proxy,
    )
