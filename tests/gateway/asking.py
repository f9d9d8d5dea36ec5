"""Requests to a gateway as bytes: no library in between that would mend what is wrong with them.

Law: an attempt is data; what it was answered is told as it came.
"""

import http.client
import json
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, Final, Protocol

from tests.gateway.tokens import TokenIssuer

CHAT: Final = "/v1/chat/completions"
MODELS: Final = "/v1/models"
HOST: Final = "localhost"
PATIENCE: Final = 20.0
"""Seconds that an answer may take."""

Headers = tuple[tuple[str, str], ...]
Bearer = Callable[["Strangers"], str]
"""Makes the token of a request."""


@dataclass(frozen=True)
class Strangers:
    """Who signs tokens: the cluster's own issuer, and one that nobody trusts."""

    issuer: TokenIssuer = field(default_factory=TokenIssuer)
    stranger: TokenIssuer = field(default_factory=TokenIssuer)


@dataclass(frozen=True)
class Door:
    """Where a gateway is, and how to speak to it."""

    port: int
    tls: ssl.SSLContext
    """Speaks HTTP/1.1."""
    tls_h2: ssl.SSLContext
    signers: Strangers
    source: str = "127.0.0.1"
    """The address that connections come from."""

    def connect(self) -> ssl.SSLSocket:
        """A new connection that speaks HTTP/1.1."""
        return self._connected(self.tls)

    def connect_h2(self) -> ssl.SSLSocket:
        """A new connection that speaks HTTP/2."""
        return self._connected(self.tls_h2)

    def _connected(self, tls: ssl.SSLContext) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.port), PATIENCE, (self.source, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else a request waits for the handshake's last ACK
        return tls.wrap_socket(plain, server_hostname=HOST)


@dataclass(frozen=True)
class Answer:
    """What the gateway said."""

    status: int
    """0 where the connection was closed without a word."""
    headers: Headers = ()
    body: bytes = b""
    more: bytes = b""
    """What came on the connection after the answer: the beginning of a second one, if it took one request for two."""

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of the refusal; empty where it is none."""
        found = self.json.get("error", {}).get("code", "") if self.is_json else ""
        return str(found)

    @property
    def is_json(self) -> bool:
        """Whether it says so."""
        return self.header("content-type").startswith("application/json")

    def header(self, name: str) -> str:
        """A header's values, empty where there is none."""
        return ", ".join(value for key, value in self.headers if key.lower() == name)


class Attempt(Protocol):
    """Something that is sent to a gateway."""

    def send(self, door: Door) -> Answer:
        """Send it on a connection of its own."""


def workload(signers: Strangers) -> str:
    """The token of the workload that most requests come from."""
    return signers.issuer.token("acme-dev")


def body(model: str = "chat", **more: Any) -> bytes:
    """What a client of the OpenAI API sends."""
    return json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}], **more}).encode()


def chunked(*parts: bytes) -> bytes:
    """A body in chunks (RFC 9112, section 7.1)."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@dataclass(frozen=True)
class Request:
    """A request in HTTP/1.1."""

    content: bytes = field(default_factory=body)
    path: str = CHAT
    method: str = "POST"
    bearer: Bearer | None = workload
    headers: Headers = ()
    """Beside those of every request."""
    content_type: str = "application/json"
    host: str = HOST
    framed: bool = True
    """Whether `content-length` is there; without it the headers say how long the body is."""

    def send(self, door: Door) -> Answer:
        """Send it, and read one answer."""
        with closing(door.connect()) as connection:
            return exchange(connection, self.wire(door.signers), self.method)

    def wire(self, signers: Strangers) -> bytes:
        """The bytes."""
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in self._all(signers)),
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.content

    def _all(self, signers: Strangers) -> Sequence[tuple[str, str]]:
        found = [("host", self.host)] if self.host else []
        if self.content_type:
            found.append(("content-type", self.content_type))
        if self.bearer:
            found.append(("authorization", f"Bearer {self.bearer(signers)}"))
        if self.framed:
            found.append(("content-length", str(len(self.content))))
        return [*found, *self.headers]


@dataclass(frozen=True)
class Raw:
    """Bytes as they are; `TOKEN` in them becomes the workload's."""

    sent: bytes

    def send(self, door: Door) -> Answer:
        """Send them, and read all that comes: more than one answer is told."""
        with closing(door.connect()) as connection:
            connection.sendall(self.sent.replace(b"TOKEN", workload(door.signers).encode()))
            with connection.makefile("rb") as received:
                answer = _read(received)
                # The gateway waits a second for the client's own end before it closes (`delayed_close_timeout`).
                connection.shutdown(socket.SHUT_WR)
                return replace(answer, more=_rest(received))


def exchange(connection: ssl.SSLSocket, sent: bytes, method: str = "POST") -> Answer:
    """Send bytes and read one answer."""
    with suppress(OSError):  # it was answered and closed before all of it was sent
        connection.sendall(sent)
    with connection.makefile("rb") as received:
        return _read(received, method)


def _read(received: BinaryIO, method: str = "POST") -> Answer:
    answer = http.client.HTTPResponse(_Source(received), method=method)  # type: ignore[arg-type] # it asks for no more
    try:
        answer.begin()
        return Answer(answer.status, tuple(answer.getheaders()), answer.read())
    except (OSError, http.client.HTTPException):
        return Answer(0)


def _rest(received: BinaryIO) -> bytes:
    try:
        return received.read()
    except OSError:
        return b""


@dataclass(frozen=True)
class _Source:
    """What `http.client` reads from; it takes that for its own and closes it, but what comes after is ours to read."""

    received: BinaryIO

    def makefile(self, _mode: str) -> "_Source":
        """The same file each time."""
        return self

    def close(self) -> None:
        """Leave it open."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.received, name)
