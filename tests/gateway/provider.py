"""A stand-in for a provider that speaks OpenAI's API, and remembers what it was sent."""

import json
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

ANSWER: Final = "what the model says"
USAGE: Final = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


@dataclass
class Provider:
    """Answers every POST like a provider of chat models."""

    host: str
    certificate: dict[str, bytes]
    folder: Path
    status: int = 200
    """What it answers; another one than 200 is an error."""
    received: list[Received] = field(default_factory=list)

    def __post_init__(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                provider.received.append(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                provider.answer(self, body)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = self._context().wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        """Answer as a provider does; streamed where that is asked for."""
        if self.status != 200:
            self._send(handler, self.status, {"error": {"message": "no capacity", "type": "server_error"}})
        elif json.loads(body).get("stream"):
            self._stream(handler)
        else:
            message = {"role": "assistant", "content": ANSWER}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            self._send(handler, 200, {"id": "c1", "object": "chat.completion", "choices": choices, "usage": USAGE})

    def _send(self, handler: BaseHTTPRequestHandler, status: int, answer: Any) -> None:
        content = json.dumps(answer).encode()
        handler.send_response(status)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def _stream(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        deltas = [{"choices": [{"index": 0, "delta": {"content": word}}]} for word in ANSWER.split()]
        for event in (*deltas, {"choices": [], "usage": USAGE}, None):
            line = f"data: {json.dumps(event) if event else '[DONE]'}\n\n".encode()
            handler.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        handler.wfile.write(b"0\r\n\r\n")

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for name, content in self.certificate.items():
            (self.folder / f"{self.host}-{name}").write_bytes(content)
        context.load_cert_chain(self.folder / f"{self.host}-tls.crt", self.folder / f"{self.host}-tls.key")
        return context
