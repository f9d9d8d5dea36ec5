"""Whatever a pod of a tenant answers, it costs the operator a bounded time and a bounded memory, and leads nowhere."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from ringfence.adapters.pods import MOST_BYTES, MOST_HEADERS, Answer, PodError, conversation
from ringfence.ports.usage import Trust
from tests.gateway.certificates import Certificates

HOST: Final = "ringfence-gateway.acme.svc"
LOCAL: Final = "127.0.0.1"
QUICK: Final = 0.3
"""Seconds until a slow pod is given up."""
SECRET: Final = "Bearer of-the-probe"

Speech = Callable[[asyncio.StreamWriter], Awaitable[None]]


def says(*parts: bytes, pause: float = 0.0) -> Speech:
    """Say these, with pauses between them."""

    async def speak(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)

    return speak


def goes_on(beginning: bytes, part: bytes, pause: float = 0.0) -> Speech:
    """Say something, and then the same again and again."""

    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)

    return speak


def answer(body: bytes = b"well", *headers: str) -> bytes:
    """A whole answer in HTTP/1.1."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class Pod:
    """A server that says what it was told to, whatever it is asked."""

    speech: Speech
    context: ssl.SSLContext | None
    port: int = 0
    heard: bytes = b""
    callers: list[asyncio.Task[None]] = field(default_factory=list)

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.callers.append(asyncio.create_task(self._talk(reader, writer)))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                self.heard += await reader.readuntil(b"\r\n\r\n")
                await self.speech(writer)
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.transport.abort()

    async def hang_up(self) -> None:
        """End every connection."""
        for task in self.callers:
            task.cancel()
        await asyncio.gather(*self.callers, return_exceptions=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """The tenant's authority."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@dataclass
class Asking:
    """Pods of one tenant, and the operator who asks them."""

    certificates: Certificates

    @property
    def trust(self) -> Trust:
        return Trust(HOST, self.certificates.authority.read_text())

    @asynccontextmanager
    async def pod(self, speech: Speech, *, host: str = HOST, tls: bool = True) -> AsyncIterator[Pod]:
        """Run one that says this."""
        pod = Pod(speech, self.certificates.serving(host) if tls else None)
        server = await asyncio.start_server(pod.serve, LOCAL, 0, ssl=pod.context)
        pod.port = server.sockets[0].getsockname()[1]
        try:
            yield pod
        finally:
            server.close()
            await pod.hang_up()

    async def ask(self, pod: Pod, trust: Trust | None = None) -> Answer:
        """Ask it as the probe."""
        async with conversation(LOCAL, trust or self.trust, deadline=QUICK) as talk:
            return await talk.ask("GET", pod.port, "/v1/models", headers={"Authorization": SECRET})

    async def refused(self, speech: Speech, why: str) -> None:
        """Such a pod is given up, and one that answers as it should is not."""
        async with self.pod(says(answer())) as pod:
            assert (await self.ask(pod)).body == b"well"
        async with self.pod(speech) as pod:
            began = asyncio.get_running_loop().time()
            with pytest.raises(PodError, match=why):
                await self.ask(pod)
            assert asyncio.get_running_loop().time() - began < 10 * QUICK


@pytest.fixture
def asking(certificates: Certificates) -> Asking:
    return Asking(certificates)


async def test_an_answer_is_read_whole(asking: Asking) -> None:
    """Status, headers in any letters, and body; the request names the host that the certificate is for."""
    async with asking.pod(says(answer(b"x" * MOST_BYTES, "X-Ringfence-Revision: aaaa"))) as pod:
        found = await asking.ask(pod)
    assert (found.status, len(found.body), found.headers["x-ringfence-revision"]) == (200, MOST_BYTES, "aaaa")
    assert f"Host: {HOST}\r\n".encode() in pod.heard
    assert b"Accept-Encoding: identity\r\n" in pod.heard


BOMB: Final = gzip.compress(b"\0" * (64 * MOST_BYTES))
ENCODED: Final = "its answer is encoded"
UNREAD: Final = "no answer that can be read"
LATE: Final = "no whole answer within"
LARGE: Final = f"more than {MOST_BYTES} bytes"
CHUNKED: Final = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
MANY: Final = [f"X-{number}: x" for number in range(MOST_HEADERS + 1)]


@pytest.mark.parametrize(
    ("speech", "why"),
    [
        (says(answer(BOMB, "Content-Encoding: gzip")), ENCODED),
        (says(answer(b"", "Content-Encoding: identity", "Content-Encoding: br")), ENCODED),
        (says(answer(b"x" * (MOST_BYTES + 1))), LARGE),
        (goes_on(CHUNKED, b"10000\r\n" + b"x" * 0x10000 + b"\r\n"), LARGE),
        (says(answer(b"", *MANY)), UNREAD),
        (says(answer(b"", f"X-Long: {'x' * 20_000}")), UNREAD),
        (goes_on(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n"), UNREAD),
        (goes_on(CHUNKED + b"1\r\nx\r\n0\r\n", b"X-More: and more\r\n"), UNREAD),
        (goes_on(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01), LATE),
        (goes_on(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x", 0.01), LATE),
        (goes_on(b"HTTP/1.1 200 OK\r\n", b"x", 0.01), LATE),
        (says(b""), LATE),
        (says(b"220 smtp.acme.example ESMTP\r\n"), UNREAD),
    ],
    ids=[
        "a bomb",
        "a second coding",
        "too much",
        "a body without end",
        "too many headers",
        "a long header",
        "headers without end",
        "trailers without end",
        "patience without end",
        "a byte now and then",
        "a header letter by letter",
        "nothing",
        "another protocol",
    ],
)
async def test_what_a_pod_may_not_answer_ends_the_conversation(asking: Asking, speech: Speech, why: str) -> None:
    await asking.refused(speech, why)


async def test_nothing_of_what_cannot_be_read_is_repeated(asking: Asking) -> None:
    """It would be a tenant's text in the operator's log, and in a status."""
    async with asking.pod(says(b"HTTP/9 forged=entry\r\n\r\n")) as pod:
        with pytest.raises(PodError) as found:
            await asking.ask(pod)
    assert "forged" not in str(found.value)


async def test_a_redirect_is_an_answer_and_leads_nowhere(asking: Asking) -> None:
    """Whoever it names hears nothing."""
    async with asking.pod(says(answer())) as elsewhere:
        moved = answer(b"", f"Location: https://{LOCAL}:{elsewhere.port}/").replace(b"200 OK", b"307 Moved")
        async with asking.pod(says(moved)) as pod:
            assert (await asking.ask(pod)).status == 307
        assert not elsewhere.heard
        await asking.ask(elsewhere)
        assert elsewhere.heard


async def test_a_pod_that_does_not_prove_who_it_is_hears_nothing(asking: Asking, tmp_path: Path) -> None:
    """By another authority, for another name, without TLS: the token is not sent."""
    stranger = Asking(Certificates(tmp_path))
    for other, host, tls in (
        (stranger, HOST, True),
        (asking, "ringfence-gateway.acme-dev.svc", True),
        (asking, HOST, False),
    ):
        async with other.pod(says(answer()), host=host, tls=tls) as pod:
            with pytest.raises(PodError):
                await asking.ask(pod)
        assert not pod.heard.startswith(b"GET")
        assert SECRET.encode() not in pod.heard
    async with asking.pod(says(answer())) as pod:
        await asking.ask(pod)
    assert SECRET.encode() in pod.heard


async def test_nobody_is_asked_whose_authority_is_not_known(asking: Asking) -> None:
    async with asking.pod(says(answer()), tls=False) as pod:
        for authority, why in (("", "no authority"), ("no certificate", LOCAL)):
            with pytest.raises(PodError, match=why):
                await asking.ask(pod, Trust(HOST, authority))
    assert not pod.heard


async def test_an_authority_with_words_around_it_is_one(asking: Asking) -> None:
    """Platforms' bundles say whose certificates they are, in any language."""
    named = Trust(HOST, f"# Autorità di esempio\n{asking.trust.authority}")
    async with asking.pod(says(answer())) as pod:
        assert (await asking.ask(pod, named)).body == b"well"


async def test_old_tls_is_refused(asking: Asking) -> None:
    """TLS 1.2 is spoken, and nothing before it."""
    async with asking.pod(says(answer())) as pod:
        assert pod.context is not None
        pod.context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1"):
            pod.context.minimum_version = ssl.TLSVersion.TLSv1
        pod.context.maximum_version = ssl.TLSVersion.TLSv1_2
        assert (await asking.ask(pod)).status == 200
        with pytest.warns(DeprecationWarning, match="TLSv1"):
            pod.context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(PodError, match=r"no connection|SSL"):
            await asking.ask(pod)


async def test_a_handshake_without_end_is_given_up(asking: Asking) -> None:
    """The deadline is that of the whole conversation."""
    async with asking.pod(says(), tls=False) as pod:
        with pytest.raises(PodError, match=LATE):
            await asking.ask(pod)


async def test_the_environments_proxy_is_not_asked(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pods are in the cluster's network, and a proxy would see who is looked at."""
    async with asking.pod(says(answer()), tls=False) as proxy, asking.pod(says(answer())) as pod:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://{LOCAL}:{proxy.port}")
        assert (await asking.ask(pod)).status == 200
    assert not proxy.heard


async def test_what_is_overheard_is_bounded_too(asking: Asking) -> None:
    """In the clear, without any header of the probe's."""
    async with asking.pod(says(answer(b"taken")), tls=False) as pod, conversation(LOCAL, asking.trust) as talk:
        assert (await talk.overhear(pod.port, "/stats", "a&b=c")).body == b"taken"
        assert b"GET /stats?a&b=c " in pod.heard
        assert b"Authorization" not in pod.heard
    async with asking.pod(says(answer(BOMB, "Content-Encoding: gzip")), tls=False) as pod:
        with pytest.raises(PodError, match=ENCODED):
            async with conversation(LOCAL, asking.trust) as talk:
                await talk.overhear(pod.port, "/stats", "a&b=c")
