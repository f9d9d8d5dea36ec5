"""The operator's side of a collector: it believes the right certificate, and a small answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from structlog.testing import capture_logs

from ringfence.adapters.collector import server
from ringfence.adapters.collector.server import Address, serve
from ringfence.adapters.collectors import HttpCollectors
from ringfence.ports.usage import CollectorError, Replica, Trust
from ringfence.usage.page import MOST_BYTES, Page, decode
from tests.gateway.certificates import Certificates
from tests.gateway.pod import project
from tests.usage_samples import page, row
from tests.waiting import eventually_async

HOST = "ringfence-gateway.acme.svc"
LOCAL = "127.0.0.1"


async def _page(_: str) -> Page:
    return page(1, row(3))


@asynccontextmanager
async def _collector(certificates: Path) -> AsyncIterator[Replica]:
    async with serve(Address(LOCAL, 0, certificates), _page, lambda: b"", lambda: "") as port:
        yield Replica("pod-0", LOCAL, port)


@pytest.fixture
def asking() -> HttpCollectors:
    return HttpCollectors()


async def test_a_collector_is_believed_by_its_gateways_certificate(tmp_path: Path, asking: HttpCollectors) -> None:
    """Of that authority and for that name; everything else is refused."""
    ours, foreign = Certificates(tmp_path / "ours"), Certificates(tmp_path / "foreign")
    project(tmp_path / "tls", ours.server(HOST))
    async with _collector(tmp_path / "tls") as replica:
        body = await asking.page(replica, Trust(HOST, ours.authority.read_text()), "")
        assert decode(body, tenant="acme", until=2**40) == page(1, row(3))
        for trust in (
            Trust(HOST, foreign.authority.read_text()),
            Trust("ringfence-gateway.globex.svc", ours.authority.read_text()),
            Trust(HOST, ""),
        ):
            with pytest.raises(CollectorError):
                await asking.page(replica, trust, "")


async def test_a_renewed_certificate_is_used_without_a_restart(
    tmp_path: Path, asking: HttpCollectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is the old one lost while half of the new one is there."""
    monkeypatch.setattr(server, "_RELOADED", 0.02)
    old, new = Certificates(tmp_path / "old"), Certificates(tmp_path / "new")
    project(tmp_path / "tls", old.server(HOST))
    async with _collector(tmp_path / "tls") as replica:
        await asking.page(replica, Trust(HOST, old.authority.read_text()), "")
        project(tmp_path / "tls", {**new.server(HOST), "tls.key": b"half written"})
        with capture_logs() as told:
            await eventually_async(lambda: len(told) > 1)
        assert not await _refuses(asking, replica, Trust(HOST, old.authority.read_text()))
        project(tmp_path / "tls", new.server(HOST))
        trust = Trust(HOST, new.authority.read_text())
        async with asyncio.timeout(10):
            while await _refuses(asking, replica, trust):  # noqa: ASYNC110 -- a certificate that is read sets no event
                await asyncio.sleep(0.02)


async def _refuses(asking: HttpCollectors, replica: Replica, trust: Trust) -> bool:
    try:
        await asking.page(replica, trust, "")
    except CollectorError:
        return True
    return False


@asynccontextmanager
async def _impostor(answer: web.Response, certificates: Certificates) -> AsyncIterator[Replica]:
    async def handle(_: web.Request) -> web.Response:
        return answer

    app = web.Application()
    app.router.add_get("/{any:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOCAL, 0, ssl_context=certificates.serving(HOST)).start()
        yield Replica("pod-0", LOCAL, runner.addresses[0][1])
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda: web.Response(body=b"x" * (MOST_BYTES + 1)), "more than"),
        (lambda: web.Response(status=500), "it answers 500"),
        (lambda: web.Response(status=302, headers={"Location": "http://169.254.169.254/"}), "it answers 302"),
    ],
    ids=["too much", "an error", "a way elsewhere"],
)
async def test_what_a_pod_may_not_answer_is_an_error(
    answer: Callable[[], web.Response], why: str, asking: HttpCollectors, tmp_path: Path
) -> None:
    """An answer that it may give, to the same question, is taken."""
    certificates = Certificates(tmp_path)
    trust = Trust(HOST, certificates.authority.read_text())
    async with _impostor(web.Response(body=b"a page"), certificates) as replica:
        assert await asking.page(replica, trust, "") == b"a page"
    async with _impostor(answer(), certificates) as replica:
        with pytest.raises(CollectorError, match=why):
            await asking.page(replica, trust, "")


async def test_a_collector_of_which_nothing_is_known_is_not_asked(asking: HttpCollectors) -> None:
    """Without an authority anybody at that address could speak for the tenant, in the clear."""
    async with serve(Address(LOCAL, 0), _page, lambda: b"", lambda: "") as port:
        with pytest.raises(CollectorError, match="no authority"):
            await asking.page(Replica("pod-0", LOCAL, port), Trust(HOST, ""), "")


async def test_nobody_there_is_an_error(asking: HttpCollectors, tmp_path: Path) -> None:
    ours = Certificates(tmp_path / "ours")
    project(tmp_path / "tls", ours.server(HOST))
    trust = Trust(HOST, ours.authority.read_text())
    async with _collector(tmp_path / "tls") as replica:
        assert await asking.page(replica, trust, "")
    with pytest.raises(CollectorError, match=LOCAL):
        await asking.page(replica, trust, "")


@pytest.mark.parametrize(("problem", "status"), [("", 200), ("not counting: no space", 503)])
async def test_a_collector_says_how_it_fares(problem: str, status: int) -> None:
    """And still answers for what it has counted."""
    async with (
        serve(Address(LOCAL, 0), _page, lambda: b"", lambda: problem) as port,
        ClientSession(f"http://{LOCAL}:{port}") as session,
    ):
        health = await session.get("/healthz")
        assert (health.status, (await health.text()).strip()) == (status, problem or "counting")
        assert (await session.get("/usage")).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_whoever_asks_a_collector_changes_nothing(method: str) -> None:
    async with (
        serve(Address(LOCAL, 0), _page, lambda: b"", lambda: "") as port,
        ClientSession(f"http://{LOCAL}:{port}") as session,
    ):
        assert (await session.get("/usage")).status == 200
        assert (await session.request(method, "/usage")).status == 405
