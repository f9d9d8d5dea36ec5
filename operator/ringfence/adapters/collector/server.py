"""What the collector answers: `/usage` for the operator, `/metrics` for Prometheus, `/healthz` for whoever looks.

Law: whoever asks changes nothing.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import structlog
from aiohttp import web

from ringfence.adapters.probes import METRICS_TYPE
from ringfence.usage.page import Page, encode

log = structlog.get_logger(__name__)

PATH: Final = "/usage"
"""With `?after=` the cursor of the page before; from the beginning without."""
_RELOADED: Final = 30.0
"""Seconds between looks at the certificate, which is a file that is swapped when it is renewed."""

_CIPHERS: Final = "ECDHE+AESGCM"
"""Of TLS 1.2, as Envoy beside it takes them (RFC 9325, section 4.2)."""

Pages: TypeAlias = Callable[[str], Awaitable[Page]]
"""Gives what came after a cursor."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where it listens."""

    host: str
    port: int
    certificates: Path | None = None
    """A folder with `tls.crt` and `tls.key`; plain HTTP without."""


@asynccontextmanager
async def serve(
    address: Address, pages: Pages, metrics: Callable[[], bytes], health: Callable[[], str]
) -> AsyncIterator[int]:
    """Serve while the block runs; yields the port, which was chosen by the system where 0 was asked for.

    Raises:
        OSError: the address can't be had, or the certificate can't be read.
    """
    context = _encryption(address.certificates) if address.certificates else None
    runner = web.AppRunner(_application(pages, metrics, health), access_log=None)
    await runner.setup()
    renewing = asyncio.create_task(_renew(context, address.certificates))
    try:
        await web.TCPSite(runner, address.host, address.port, ssl_context=context).start()
        yield runner.addresses[0][1]
    finally:
        renewing.cancel()
        await runner.cleanup()


def _application(pages: Pages, metrics: Callable[[], bytes], health: Callable[[], str]) -> web.Application:
    async def usage(request: web.Request) -> web.Response:
        page = await pages(request.query.get("after", ""))
        return web.Response(body=encode(page), content_type="application/json")

    async def exposition(_: web.Request) -> web.Response:
        return web.Response(body=metrics(), headers={"Content-Type": METRICS_TYPE})

    async def healthz(_: web.Request) -> web.Response:
        problem = health()
        return web.Response(text=f"{problem or 'counting'}\n", status=503 if problem else 200)

    app = web.Application()
    app.add_routes([web.get(PATH, usage), web.get("/metrics", exposition), web.get("/healthz", healthz)])
    return app


def _encryption(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    _load(context, folder)
    return context


def _load(context: ssl.SSLContext, folder: Path) -> None:
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")


async def _renew(context: ssl.SSLContext | None, folder: Path | None) -> None:
    """Use a renewed certificate for the connections that come after it; one that is half there, when it is whole."""
    if context is None or folder is None:
        return
    used = (folder / "tls.crt").resolve()
    while True:
        await asyncio.sleep(_RELOADED)
        if (there := (folder / "tls.crt").resolve()) != used:  # a kubelet swaps the folder that the link leads to
            try:
                _encryption(folder)  # a context into which half of a pair was loaded serves nobody
                _load(context, folder)
            except OSError as error:
                log.warning("the renewed certificate can't be used yet", error=str(error))
            else:
                used = there
