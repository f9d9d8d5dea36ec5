"""A stand-in for a rate limit service that counts tokens and says when there are none left.

Source: envoy/service/ratelimit/v3/rls.proto of Envoy 1.40; gRPC over HTTP/2 in plain text, by the few fields it needs.
"""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, StreamEnded

_OK, _OVER_LIMIT = 1, 2
_DESCRIPTORS: Final = 2
_HITS: Final = 3
_PREFIX: Final = 5
"""Bytes before a message in gRPC: whether it is compressed, and its length."""


class RateLimits:
    """Counts what it is told."""

    def __init__(self, limit: int) -> None:
        """So many tokens in all."""
        self.limit, self.counted = limit, 0
        service = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    service.converse(self.request)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._serving = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._serving.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._serving.join()

    def converse(self, connection: socket.socket) -> None:
        """Answer every question on one connection."""
        spoken = H2Connection(H2Configuration(client_side=False))
        spoken.initiate_connection()
        asked: dict[int, bytes] = {}
        connection.sendall(spoken.data_to_send())
        while received := connection.recv(1 << 16):
            for event in spoken.receive_data(received):
                self._heard(spoken, asked, event)
            connection.sendall(spoken.data_to_send())

    def _heard(self, spoken: H2Connection, asked: dict[int, bytes], event: Event) -> None:
        if isinstance(event, DataReceived):
            asked[event.stream_id] = asked.get(event.stream_id, b"") + event.data
        elif isinstance(event, StreamEnded):
            message = bytes([_OK << 3, self._judged(asked.pop(event.stream_id)[_PREFIX:])])
            spoken.send_headers(event.stream_id, [(":status", "200"), ("content-type", "application/grpc")])
            spoken.send_data(event.stream_id, b"\0" + len(message).to_bytes(4) + message)
            spoken.send_headers(event.stream_id, [("grpc-status", "0")], end_stream=True)

    def _judged(self, request: bytes) -> int:
        before = self.counted
        self.counted += sum(_hits(each) for number, each in _fields(request) if number == _DESCRIPTORS)
        return _OVER_LIMIT if before >= self.limit else _OK


def _hits(descriptor: bytes) -> int:
    """How many tokens a descriptor tells of; a number that is 0 is not written."""
    return sum(int(one) for number, each in _fields(descriptor) if number == _HITS for _, one in _fields(each))


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Numbers and contents of a message's fields; a whole number's content is its digits."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        value, at = _varint(message, at)
        if tag & 7 == 2:
            yield tag >> 3, message[at : at + value]
            at += value
        else:
            yield tag >> 3, str(value).encode()


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A whole number, and where the next thing begins."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
