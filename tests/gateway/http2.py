"""Requests to a gateway in HTTP/2, with headers that no decent client would send (RFC 9113, section 8)."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, Event, ResponseReceived, StreamEnded, StreamReset

from tests.gateway.asking import CHAT, HOST, PATIENCE, Answer, Bearer, Door, Headers, body, workload

# The library would refuse to send what these requests are about.
_LAX: Final = H2Configuration(
    header_encoding="latin-1", validate_outbound_headers=False, normalize_outbound_headers=False
)

_SILENCE: Final = 0.3  # seconds


@dataclass(frozen=True)
class H2Request:
    """A request in HTTP/2; `pseudo` stands first, and `headers` after it."""

    content: bytes = field(default_factory=body)
    pseudo: Headers = ((":method", "POST"), (":scheme", "https"), (":authority", HOST), (":path", CHAT))
    bearer: Bearer | None = workload
    headers: Headers = (("content-type", "application/json"),)

    def send(self, door: Door) -> Answer:
        """Send it on a connection of its own; a reset stream is no answer."""
        with closing(door.connect_h2()) as connection:
            spoken = H2Connection(_LAX)
            spoken.initiate_connection()
            token = [("authorization", f"Bearer {self.bearer(door.signers)}")] if self.bearer else []
            spoken.send_headers(1, [*self.pseudo, *self.headers, *token], end_stream=not self.content)
            if self.content:
                spoken.send_data(1, self.content, end_stream=True)
            connection.sendall(spoken.data_to_send())
            return _answered(connection, spoken)


def with_pseudo(request: H2Request, **changed: str) -> H2Request:
    """The same request with other pseudo headers."""
    new = {f":{name}": value for name, value in changed.items()}
    return replace(request, pseudo=tuple({**dict(request.pseudo), **new}.items()))


def _answered(connection: ssl.SSLSocket, spoken: H2Connection) -> Answer:
    answer = Answer(0)
    for event in _events(connection, spoken):
        if isinstance(event, ResponseReceived):
            headers = tuple((str(name), str(value)) for name, value in event.headers)
            answer = Answer(int(dict(headers)[":status"]), headers)
        elif isinstance(event, DataReceived):
            answer = replace(answer, body=answer.body + event.data)
        elif isinstance(event, StreamEnded | StreamReset | ConnectionTerminated):
            break
    return answer


def _events(connection: ssl.SSLSocket, spoken: H2Connection) -> Iterator[Event]:
    while received := _received(connection):
        yield from spoken.receive_data(received)
        with suppress(OSError):  # it was closed meanwhile
            connection.sendall(spoken.data_to_send())


def _received(connection: ssl.SSLSocket) -> bytes:
    """What comes next; after a silence, what comes once this side has ended: one that hangs up waits for that."""
    connection.settimeout(_SILENCE)
    try:
        return connection.recv(1 << 16)
    except TimeoutError:
        connection.settimeout(PATIENCE)
        connection.shutdown(socket.SHUT_WR)
    with suppress(OSError):
        return connection.recv(1 << 16)
    return b""
