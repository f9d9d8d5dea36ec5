"""A proxy before the API server that counts an operator's recorded writes and can end the operator at one of them.

Law: it changes nothing. The write at which it strikes has taken effect; its answer never arrives.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import yaml
from aiohttp import web

from ringfence.adapters.kubernetes.config import from_kubeconfig

DROPPED: Final = {"host", "transfer-encoding", "content-length", "connection"}


class WritesProxy:
    """Serves plain HTTP on a port of this machine, forwards over TLS; use as a context manager."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        self._connection = from_kubeconfig(kubeconfig)
        self._document = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        self._folder = folder
        self._serving: Future[tuple[str, Callable[[], object]]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self.writes = 0
        self.strike_at = 0
        """The write, counted from 1, after which ``strike`` is called; 0 for none."""
        self.strike: Callable[[], None] = lambda: None
        self.struck = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._address, self._end = self._serving.result(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        self._thread.join()

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig with the same credentials that leads through the proxy."""
        document = {**self._document}
        document["clusters"] = [{**entry, "cluster": {"server": self._address}} for entry in document["clusters"]]
        path = self._folder / "proxied.kubeconfig"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return path

    def strike_after(self, writes: int, strike: Callable[[], None]) -> None:
        """Count from now on, and call ``strike`` when that many writes have taken effect."""
        self.writes, self.strike_at, self.strike = 0, writes, strike
        self.struck.clear()

    async def _serve(self) -> None:
        """Serve until the end is asked for; what is still being forwarded then is cancelled with the loop."""
        loop, ending = asyncio.get_running_loop(), asyncio.Event()
        connector = aiohttp.TCPConnector(limit=0, ssl=self._connection.tls)
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._forward)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as self._session:
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                address = f"http://127.0.0.1:{runner.addresses[0][1]}"
                self._serving.set_result((address, lambda: loop.call_soon_threadsafe(ending.set)))
                await ending.wait()
            finally:
                await runner.cleanup()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in DROPPED}
        url = self._connection.server + request.raw_path
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.request(
            request.method, url, data=await request.read() or None, headers=headers, timeout=timeout
        ) as answer:
            self._count(request, answer)
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in DROPPED}
            forwarded = web.StreamResponse(status=answer.status, headers=kept)
            with contextlib.suppress(ConnectionError):  # whoever asked was killed
                await forwarded.prepare(request)
                async for chunk in answer.content.iter_any():
                    await forwarded.write(chunk)
            return forwarded

    def _count(self, request: web.Request, answer: Any) -> None:
        if "Audit-ID" not in request.headers or answer.status >= 300:
            return
        self.writes += 1
        if self.writes == self.strike_at:
            self.strike()
            self.struck.set()
