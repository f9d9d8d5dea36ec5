"""A stand-in for a provider of models that remembers what it was sent.

It speaks OpenAI's API under any path, and Anthropic's where the path ends with `/messages`.
"""

import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

ANSWER: Final = "what the model says"
USAGE: Final = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
LONGEST: Final = 30.0
"""Seconds that a held answer waits at most."""


@dataclass(frozen=True)
class Received:
    """One request."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    """Names in lower case, each as often as it came."""
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """The one value of a header; None where there is none."""
        found = [value for key, value in self.headers if key == name]
        assert len(found) < 2, f"{name} came {len(found)} times"
        return found[0] if found else None


@dataclass
class Provider:
    """Answers every POST like a provider of chat models."""

    tls: ssl.SSLContext | None
    """Plain text where it is None."""
    status: int = 200
    """What it answers; another one than 200 is an error."""
    words: str = ANSWER
    """What a model says that does not stream."""
    parting: bool = False
    """Whether each answer is the last one of its connection."""
    received: list[Received] = field(default_factory=list)
    answering: threading.Event = field(default_factory=threading.Event)
    """Answers wait for it."""

    def __post_init__(self) -> None:
        self.answering.set()
        self._server = _Server(self)
        self._serving = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._serving.start()

    @property
    def port(self) -> int:
        """Where it listens, on this machine."""
        return int(self._server.server_address[1])

    def stop(self) -> None:
        """End it."""
        self.answering.set()
        self._server.shutdown()
        self._server.server_close()
        self._serving.join()


class _Server(ThreadingHTTPServer):
    request_queue_size = 256

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        super().__init__(("127.0.0.1", 0), _Handler)
        if provider.tls:
            # The handshake is each connection's own: one that stalls must not keep others waiting.
            self.socket = provider.tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: that who connects goes away in the middle is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        body = self._body()
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        provider = self.server.provider
        provider.received.append(Received(self.command, self.path, headers, body))
        provider.answering.wait(LONGEST)
        if provider.status != 200:
            self._refuse(provider.status)
        elif self.path.endswith("/messages"):
            self._answer(200, _anthropic_answer(provider.words))
        else:
            self._complete(body)

    def _complete(self, body: bytes) -> None:
        try:
            asked = json.loads(body)
        except ValueError:
            return self._refuse(400)
        return self._stream() if asked.get("stream") else self._answer(200, _answer(self.server.provider.words))

    def _refuse(self, status: int) -> None:
        self._answer(status, {"error": {"message": "refused by the provider", "type": "server_error"}})

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, status: int, answer: Any) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        if self.server.provider.parting:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in (*map(_delta, ANSWER.split(" ")), _last(), None):
            line = f"data: {json.dumps(event) if event else '[DONE]'}\n\n".encode()
            self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")


def _answer(words: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": words}, "finish_reason": "stop"}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}


def _delta(word: str) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": f"{word} "}}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def _last() -> dict[str, Any]:
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": USAGE}


def _anthropic_answer(words: str) -> dict[str, Any]:
    """Source: https://docs.anthropic.com/en/api/messages."""
    content = [{"type": "text", "text": words}]
    usage = {"input_tokens": USAGE["prompt_tokens"], "output_tokens": USAGE["completion_tokens"]}
    told = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m"}
    return {**told, "content": content, "stop_reason": "end_turn", "stop_sequence": None, "usage": usage}
