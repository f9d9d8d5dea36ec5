"""Providers of models on this machine: they speak OpenAI's API, answer at once and cost nothing.

Law: what they say shows who was asked, for which model, and with which key; nothing is kept of what they were told.
"""

import json
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from ringfence.controlplane.pki import Authority, write_private
from ringfence.gateway.typed import CHAT

ANSWER: Final = "Tenants are fenced."


@dataclass
class Provider:
    """One provider, at a port of this machine."""

    host: str
    """The name that its certificate is for."""
    key: str
    """What it wants to be shown; everything else is answered 401."""
    out_of_order: bool = False
    """Answers 503 while it is set."""
    server: ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        assert self.server is not None  # noqa: S101 - it was started
        return f"127.0.0.1:{self.server.server_address[1]}"

    def answer(self, path: str, authorization: str, request: dict[str, Any]) -> tuple[HTTPStatus, dict[str, Any]]:
        """Status and body of the answer to a request (OpenAI API, `POST /v1/chat/completions`)."""
        if self.out_of_order:
            return HTTPStatus.SERVICE_UNAVAILABLE, _error("out of order")
        if authorization != f"Bearer {self.key}":
            return HTTPStatus.UNAUTHORIZED, _error("this is not the key of this account")
        if path != CHAT:
            return HTTPStatus.NOT_FOUND, _error("there is no such endpoint")
        asked = " ".join(str(each.get("content", "")) for each in request.get("messages", ()))
        return HTTPStatus.OK, self._completion(str(request.get("model")), len(asked.split()))

    def _completion(self, model: str, asked: int) -> dict[str, Any]:
        said = len(ANSWER.split())
        message = {"role": "assistant", "content": ANSWER}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": f"{model} of {self.host}",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said},
        }


@contextmanager
def providers_running(providers: Sequence[Provider], folder: Path) -> Iterator[Path]:
    """Serve them until the block ends; yields the file with the authority of their certificates."""
    folder.mkdir(mode=0o700)
    authority = Authority.create(folder)
    try:
        for provider in providers:
            _start(provider, authority, folder)
        yield authority.certificate_file
    finally:
        for provider in providers:
            if provider.server is not None:
                provider.server.shutdown()
                provider.server.server_close()


def _start(provider: Provider, authority: Authority, folder: Path) -> None:
    pair = folder / f"{provider.host}.pem"
    credential = authority.server([provider.host], [])
    write_private(pair, credential.certificate + credential.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    server = provider.server = _Server(("127.0.0.1", 0), _handler(provider))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that were cut."""


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Answer, whatever is asked."""
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, body = provider.answer(self.path, self.headers.get("Authorization", ""), json.loads(content))
            answer = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "provider_error", "param": None, "code": None}}
