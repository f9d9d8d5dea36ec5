"""A stand-in for a rate limit service: gRPC over HTTP/2 in plain text, as far as Envoy speaks it.

Source: envoy/service/ratelimit/v3/rls.proto of Envoy 1.40; the framing is that of gRPC over HTTP/2.
"""

import socketserver
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, StreamEnded

OK, OVER_LIMIT = b"\x08\x01", b"\x08\x02"
_PREFIX: Final = struct.Struct(">BI")
_HEADERS: Final = [(":status", "200"), ("content-type", "application/grpc")]


@dataclass(frozen=True)
class Asked:
    """One descriptor of a request."""

    entries: tuple[tuple[str, str], ...]
    limit: int
    """A minute."""
    hits: int


@dataclass
class RateLimitService:
    """Counts what it is told, and is over a limit once so much was counted."""

    asked: list[Asked] = field(default_factory=list)
    silent: bool = False
    """Whether it hangs up on everybody who asks."""
    used: Counter[tuple[tuple[str, str], ...]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._server = _Server(self)
        self._serving = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._serving.start()

    @property
    def port(self) -> int:
        """Where it listens, on this machine."""
        return int(self._server.server_address[1])

    def stop(self) -> None:
        """End it, and its connections."""
        self._server.shutdown()
        self._server.server_close()
        self._serving.join()

    def judge(self, message: bytes) -> bytes:
        """Its answer to a `RateLimitRequest`."""
        told = [_descriptor(content) for number, content in _fields(message) if number == 2]
        self.asked.extend(told)
        over = any(self.used[each.entries] >= each.limit for each in told)
        for each in told:
            self.used[each.entries] += each.hits
        return OVER_LIMIT if over else OK


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, service: RateLimitService) -> None:
        self.service = service
        super().__init__(("127.0.0.1", 0), _Connection)


class _Connection(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        spoken = H2Connection(H2Configuration(client_side=False))
        spoken.initiate_connection()
        bodies: dict[int, bytes] = {}
        self.request.sendall(spoken.data_to_send())
        while (received := self.request.recv(1 << 16)) and not self.server.service.silent:
            for event in spoken.receive_data(received):
                if isinstance(event, DataReceived):
                    bodies[event.stream_id] = bodies.get(event.stream_id, b"") + event.data
                    spoken.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    self._answer(spoken, event.stream_id, bodies.pop(event.stream_id))
            self.request.sendall(spoken.data_to_send())

    def _answer(self, spoken: H2Connection, stream: int, body: bytes) -> None:
        answer = self.server.service.judge(body[_PREFIX.size :])
        spoken.send_headers(stream, _HEADERS)
        spoken.send_data(stream, _PREFIX.pack(0, len(answer)) + answer)
        spoken.send_headers(stream, [("grpc-status", "0")], end_stream=True)


def _descriptor(content: bytes) -> Asked:
    parts = list(_fields(content))
    entries = tuple(tuple(text.decode() for _, text in _fields(entry)) for number, entry in parts if number == 1)
    limit = next((dict(_fields(found)).get(1, 0) for number, found in parts if number == 2), 0)
    hits = next((dict(_fields(found)).get(1, 0) for number, found in parts if number == 3), 1)
    return Asked(entries, limit, hits)


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Numbers and values of a message's fields (Protocol Buffers, Encoding)."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, at = _varint(message, at)
        if key & 7 == 2:
            yield key >> 3, message[at : at + number]
            at += number
        else:
            yield key >> 3, number


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[at]
        number, shift, at = number | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return number, at
