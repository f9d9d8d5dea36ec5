"""Requests whose end is seen elsewhere by another reader, and connections that speak no HTTP at all.

Law: where a request ends must not depend on who reads it (RFC 9112, section 11.2); what is no request is answered by
none, and nothing that is hidden in one is ever sent on.
"""

from dataclasses import replace
from typing import Final

from tests.gateway.asking import CHAT, HOST, Raw, Request, body, chunked
from tests.gateway.http2 import H2Request, with_pseudo
from tests.gateway.rows import Futile, Row

BAD: Final = (400, "bad_request")
UNIMPLEMENTED: Final = (501, "bad_request")
OLD: Final = (426, "bad_request")
NOT_ALLOWED: Final = (403, "model_not_allowed")
UNKNOWN: Final = (403, "caller_unknown")
NOBODY: Final = (401, "invalid_identity")
HIDDEN: Final = (
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-rf-model: chat\r\ncontent-length: 16\r\n\r\n"
    b'{"model":"chat"}'
)
"""What an attacker would have another connection's reader take for a request."""
ALLOWED: Final = body()


def framed(*headers: str, content: bytes = ALLOWED, line: str = f"POST {CHAT} HTTP/1.1", end: str = "\r\n") -> Raw:
    """A request whose headers say in their own way how long it is; the connection is closed after it."""
    own = [line, f"host: {HOST}", "content-type: application/json", "authorization: Bearer TOKEN", "connection: close"]
    return Raw(end.join([*own, *headers, "", ""]).encode("latin-1") + content)


def length(value: object, title: str = "", content: bytes = ALLOWED) -> Row:
    """A length that is no number, or another one for others."""
    return Row(f"a length of {title or value}", framed(f"content-length: {value}", content=content), *BAD, PLAIN)


def encoding(value: str, title: str = "") -> Row:
    """An encoding of the transfer that only some readers know."""
    refused = BAD if title else UNIMPLEMENTED
    return Row(
        f"an encoding of {title or value}", framed(f"transfer-encoding: {value}", content=CHUNKS), *refused, IN_CHUNKS
    )


def chunk(title: str, content: bytes) -> Row:
    """Chunks that another reader would cut elsewhere."""
    return Row(f"a chunk {title}", framed("transfer-encoding: chunked", content=content), *BAD, IN_CHUNKS)


def malformed(title: str, attempt: Raw) -> Row:
    """What is not quite HTTP/1.1."""
    return Row(title, attempt, *BAD, PLAIN)


SIZE: Final = f"content-length: {len(ALLOWED)}"
PLAIN: Final = framed(SIZE)
CHUNKS: Final = chunked(ALLOWED)
IN_CHUNKS: Final = framed("transfer-encoding: chunked", content=CHUNKS)
SMUGGLING: Final = (
    malformed("a length and chunks", framed(SIZE, "transfer-encoding: chunked", content=CHUNKS)),
    malformed(
        "chunks and a length", framed("transfer-encoding: chunked", "content-length: 4", content=chunked(b"") + HIDDEN)
    ),
    malformed(
        "a short length and chunks that hide a request",
        framed("content-length: 5", "transfer-encoding: chunked", content=b"0\r\n\r\n" + HIDDEN),
    ),
    malformed("two lengths", framed(SIZE, "content-length: 5")),
    malformed("a length of nothing, and then one", framed("content-length: 0", SIZE)),
    length(f"+{len(ALLOWED)}"),
    length(f"-{len(ALLOWED)}"),
    length(f"{len(ALLOWED)}, 5"),
    length(f"{len(ALLOWED)}.0"),
    length(hex(len(ALLOWED))),
    length(f"{len(ALLOWED)} 5", "two numbers"),
    length("1e2"),
    length(2**64 + len(ALLOWED), "2^64 and the right one"),
    length("", "nothing"),
    encoding("xchunked"),
    encoding("chunked, identity"),
    encoding("identity, chunked"),
    encoding("gzip, chunked"),
    encoding("chunked, chunked"),
    encoding("identity"),
    encoding("chunked\x0b", "chunked, and a control character"),
    encoding("\x0bchunked", "a control character, and chunked"),
    encoding('"chunked"'),
    Row(
        "two encodings",
        framed("transfer-encoding: chunked", "transfer-encoding: identity", content=CHUNKS),
        *UNIMPLEMENTED,
        IN_CHUNKS,
    ),
    malformed("an encoding before the colon ends", framed("transfer-encoding : chunked", SIZE, content=CHUNKS)),
    malformed("an encoding on a folded line", framed("transfer-encoding:\r\n chunked", SIZE, content=CHUNKS)),
    malformed(
        "an encoding behind a bare line feed", framed(f"x-a: b\ntransfer-encoding: chunked\r\n{SIZE}", content=CHUNKS)
    ),
    chunk("of a negative size", b"-5\r\n" + ALLOWED),
    chunk("of a size with a sign", b"+%x\r\n%b\r\n0\r\n\r\n" % (len(ALLOWED), ALLOWED)),
    chunk("of a size with a prefix", b"0x%x\r\n%b\r\n0\r\n\r\n" % (len(ALLOWED), ALLOWED)),
    chunk("of no size", b"\r\n" + ALLOWED),
    chunk("of more than 2^64", b"1%016x\r\n%b\r\n0\r\n\r\n" % (len(ALLOWED), ALLOWED)),
    Row(
        "a chunk that is longer than it says",
        framed("transfer-encoding: chunked", content=b"5\r\n%b\r\n0\r\n\r\n" % ALLOWED),
        *NOT_ALLOWED,
        IN_CHUNKS,
    ),
    chunk("with a bare line feed", b"%x\n%b\n0\n\n" % (len(ALLOWED), ALLOWED)),
    Row(
        "chunks in HTTP/1.0",
        framed("transfer-encoding: chunked", content=CHUNKS, line=f"POST {CHAT} HTTP/1.0"),
        *OLD,
        IN_CHUNKS,
    ),
)
SYNTAX: Final = (
    malformed("a header with a NUL", framed(SIZE, "x-a: b\0c")),
    malformed("a header without a name", framed(SIZE, ": b")),
    malformed("a header without a colon", framed(SIZE, "x-a")),
    malformed("a header whose name has a blank", framed(SIZE, "x a: b")),
    Row("a version that is none", framed(SIZE, line=f"POST {CHAT} HTTP/1.9"), *OLD, PLAIN),
    Row("a version of the next kind", framed(SIZE, line=f"POST {CHAT} HTTP/2.0"), *OLD, PLAIN),
    Row("no version", Raw(f"POST {CHAT}\r\n\r\n".encode()), *OLD, PLAIN),
    malformed("a blank in the path", framed(SIZE, line=f"POST {CHAT} x HTTP/1.1")),
    malformed("a path without a slash", framed(SIZE, line="POST v1/chat/completions HTTP/1.1")),
    malformed("no host", Raw(f"GET {CHAT} HTTP/1.1\r\n\r\n".encode())),
    malformed("the other protocol's first words", Raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 9)),
    malformed("another proxy's first words", Raw(b"PROXY TCP4 198.51.100.7 127.0.0.1 1 2\r\n" + PLAIN.sent)),
    malformed("no words at all", Raw(b"\0" * 64)),
    Row("headers of too many bytes", framed(SIZE, f"x-a: {'b' * (20 << 10)}"), 431, "headers_too_large", PLAIN),
    Row("too many headers", framed(SIZE, *(f"x-{number}: b" for number in range(80))), 431, "headers_too_large", PLAIN),
    Row(
        "a path of too many bytes",
        framed(SIZE, line=f"POST {CHAT}?{'a' * (20 << 10)} HTTP/1.1"),
        431,
        "headers_too_large",
        PLAIN,
    ),
)
H2: Final = H2Request()


def second(title: str, attempt: H2Request, status: int = 0, code: str = "") -> Row:
    """What HTTP/2 forbids (RFC 9113, section 8): the stream is reset, or the connection closed."""
    return Row(f"HTTP/2: {title}", attempt, status, code, H2)


def telling(*headers: tuple[str, str]) -> H2Request:
    """A request with more headers."""
    return replace(H2, headers=(*H2.headers, *headers))


HTTP2: Final = (
    second("a forbidden model", replace(H2, content=body("nope")), *NOT_ALLOWED),
    second("no token", replace(H2, bearer=None), *NOBODY),
    second("the model twice", replace(H2, content=b'{"model":"nope","model":"chat"}'), *NOT_ALLOWED),
    second("the model in a header", replace(telling(("x-rf-model", "chat")), content=body("nope")), *NOT_ALLOWED),
    second("the path twice", replace(H2, pseudo=(*H2.pseudo, (":path", "/v1/models")))),
    second("the method twice", replace(H2, pseudo=(*H2.pseudo, (":method", "GET")))),
    second("no path", replace(H2, pseudo=H2.pseudo[:-1])),
    second("no method", replace(H2, pseudo=H2.pseudo[1:])),
    second("an empty path", with_pseudo(H2, path="")),
    second("a path without a slash", with_pseudo(H2, path="v1/chat/completions")),
    second("a path with a line break", with_pseudo(H2, path=f"{CHAT} HTTP/1.1\r\nx-rf-model: chat\r\n\r\n")),
    second("a method with a line break", with_pseudo(H2, method=f"POST {CHAT} HTTP/1.1\r\nx: ")),
    second("an authority with a line break", with_pseudo(H2, authority="localhost\r\nx-rf-model: chat")),
    second("an unknown pseudo header", replace(H2, pseudo=(*H2.pseudo, (":model", "chat")))),
    second("a pseudo header after the others", telling((":path", CHAT))),
    second("a header in capitals", telling(("X-A", "b"))),
    second("a header with a line break", telling(("x-a", "b\r\nx-rf-model: chat"))),
    second("a header with a NUL", telling(("x-a", "b\0"))),
    second("a header whose name has a line break", telling(("x-a: b\r\nx-c", "d"))),
    second("a header whose name has a colon", telling(("x:a", "b"))),
    second("a header without a name", telling(("", "b"))),
    second("a header of a connection", telling(("connection", "keep-alive"))),
    second("an encoding of the transfer", telling(("transfer-encoding", "chunked"))),
    second("an upgrade", telling(("upgrade", "h2c"))),
    second("a length that is too short", telling(("content-length", "1"))),
    second("a length that is too long", telling(("content-length", "9999"))),
    second("two lengths", telling(("content-length", str(len(ALLOWED))), ("content-length", "1"))),
    second("a header with an underscore", telling(("x_rf_model", "chat"))),
    second(
        "a tunnel",
        replace(H2, content=b"", pseudo=((":method", "CONNECT"), (":authority", "api.first.example:443"))),
        *UNKNOWN,
    ),
    second(
        "a tunnel for web sockets",
        replace(
            with_pseudo(H2, method="CONNECT"),
            content=b"",
            pseudo=(*with_pseudo(H2, method="CONNECT").pseudo, (":protocol", "websocket")),
        ),
    ),
)
ROWS: Final = (*SMUGGLING, *SYNTAX, *HTTP2)
FUTILE: Final = (
    Futile("in chunks", IN_CHUNKS, Request()),
    Futile(
        "in many chunks", framed("transfer-encoding: chunked", content=chunked(*(bytes([each]) for each in ALLOWED)))
    ),
    Futile(
        "chunks that have names",
        framed("transfer-encoding: chunked", content=b"%x;name=value\r\n%b\r\n0\r\n\r\n" % (len(ALLOWED), ALLOWED)),
    ),
    Futile(
        "headers after the chunks",
        framed("transfer-encoding: chunked", content=CHUNKS[:-2] + b"x-rf-model: nope\r\nauthorization: x\r\n\r\n"),
    ),
    Futile("an encoding of any case", framed("Transfer-Encoding: Chunked", content=CHUNKS)),
    Futile("that it waits to be asked for the rest", framed(SIZE, "expect: 100-continue")),
    Futile("an encoding behind a bare return", framed(f"x-a: b\rtransfer-encoding: chunked\r\n{SIZE}")),
    Futile("a header on a folded line", framed(SIZE, "x-a: b\r\n c")),
    Futile("line feeds alone", framed(SIZE, end="\n")),
    Futile("a tab for a blank", framed(SIZE, line=f"POST\t{CHAT}\tHTTP/1.1")),
    Futile("two hosts", framed(SIZE, "host: evil.example")),
    Futile("an empty line first", Raw(b"\r\n" + PLAIN.sent)),
    Futile("HTTP/2", H2),
    Futile("HTTP/2 that says where it comes from", telling(("x-forwarded-for", "10.0.0.1"))),
)
