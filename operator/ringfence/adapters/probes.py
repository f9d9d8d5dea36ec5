"""HTTP for whoever asks how the process is: /healthz, /readyz, /metrics.

Law: reads only, and nothing that a tenant wrote is shown.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

from aiohttp import web

Probe: TypeAlias = Callable[[], tuple[bool, str]]
"""Answers whether all is well, and in a few words why not."""

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@asynccontextmanager
async def serve_probes(
    host: str, port: int, *, alive: Probe, ready: Probe, metrics: Callable[[], bytes]
) -> AsyncIterator[int]:
    """Serve while the block runs; yields the port, which was chosen by the system where 0 was asked for.

    Raises:
        OSError: the address can't be had.
    """

    async def healthz(_: web.Request) -> web.Response:
        return _answer(alive)

    async def readyz(_: web.Request) -> web.Response:
        return _answer(ready)

    async def exposition(_: web.Request) -> web.Response:
        return web.Response(body=metrics(), headers={"Content-Type": METRICS_TYPE})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", exposition)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _answer(probe: Probe) -> web.Response:
    well, why = probe()
    return web.Response(text=f"{why}\n", status=200 if well else 503)
