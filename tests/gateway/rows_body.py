"""Bodies that two readers could read differently, or that name what nobody approved.

Law: the gateway and the provider must see the same model; a body of which that is not certain goes nowhere.
"""

import gzip
import json
import zlib
from typing import Any, Final

from tests.gateway.asking import Headers, Request, body, chunked
from tests.gateway.rows import Futile, Row
from tests.gateway.world import MAX_REQUEST_BYTES, SMALL

UNREAD: Final = (403, "model_not_allowed")
"""A body that can't be read names no model."""
NOT_ALLOWED: Final = (403, "model_not_allowed")
UNCLEAR: Final = (400, "bad_request")
"""A body whose model two readers may see in two ways."""
TOO_LARGE: Final = (413, "request_too_large")
DEPTH: Final = 20_000
_ASKED: Final = '"messages":[{"role":"user","content":"hello"}]'


def sent(content: str | bytes, *, content_type: str = "application/json") -> Request:
    """A request with this body."""
    return Request(content.encode() if isinstance(content, str) else content, content_type=content_type)


def of_model(model: Any) -> Request:
    """A request whose model is any JSON."""
    return sent(json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}]}))


def malformed(title: str, content: str | bytes) -> Row:
    """A body that is no JSON, or one that is read in two ways."""
    return Row(title, sent(content), *UNREAD)


def forbidden(title: str, model: Any) -> Row:
    """A model that nobody approved."""
    return Row(title, of_model(model), *NOT_ALLOWED)


def unclear(title: str, model: Any) -> Row:
    """A model that is no plain text."""
    return Row(title, of_model(model), *UNCLEAR)


def of_size(size: int, model: str = "chat") -> bytes:
    """A body of so many bytes."""
    bare = len(body(model, user=""))
    return body(model, user="x" * (size - bare))


def in_chunks(*parts: bytes) -> Request:
    """A request that does not say beforehand how long it is."""
    return Request(chunked(*parts), headers=(("transfer-encoding", "chunked"),), framed=False)


def encoded(name: str, content: bytes) -> Row:
    """A body that is compressed: what is in it can't be looked at."""
    headers: Headers = (("content-encoding", name),)
    return Row(f"a body compressed as {name}", Request(content, headers=headers), *UNREAD)


TWICE: Final = (
    malformed("a forbidden model, then an allowed one", f'{{"model":"nope",{_ASKED},"model":"chat"}}'),
    malformed("an allowed model, then a forbidden one", f'{{"model":"chat",{_ASKED},"model":"nope"}}'),
    malformed("the same model twice", f'{{"model":"chat",{_ASKED},"model":"chat"}}'),
    malformed("a second model behind an escape", f'{{"model":"nope",{_ASKED},"\\u006dodel":"chat"}}'),
    malformed("a second model behind an escape in capitals", f'{{"\\u006Dodel":"chat",{_ASKED},"model":"nope"}}'),
    malformed("messages twice", f'{{"model":"chat",{_ASKED},{_ASKED}}}'),
    malformed("a key twice deep inside", f'{{"model":"chat",{_ASKED},"logit_bias":{{"1":1,"1":2}}}}'),
    Row("a second model in capitals", sent(f'{{"model":"chat",{_ASKED},"MODEL":"gpt-4"}}'), *UNCLEAR),
    Row("a second model, capitalized", sent(f'{{"Model":"gpt-4","model":"chat",{_ASKED}}}'), *UNCLEAR),
    Row(
        "a second model, capitalized behind an escape",
        sent(f'{{"\\u004dodel":"gpt-4","model":"chat",{_ASKED}}}'),
        *UNCLEAR,
    ),
)
MALFORMED: Final = (
    malformed("a byte order mark", b"\xef\xbb\xbf" + body()),
    malformed("text after the end", body() + b"x"),
    malformed("a second document", body() + body("nope")),
    malformed("a second document in a line of its own", body() + b"\n" + body("nope")),
    malformed("a NUL after the end", body() + b"\0"),
    malformed("an array", b"[" + body() + b"]"),
    malformed("a string", b'"chat"'),
    malformed("a number", b"1"),
    malformed("null", b"null"),
    malformed("nothing", b""),
    malformed("blanks", b"   "),
    malformed("half of a document", body()[:-2]),
    malformed("a comment", b"/* chat */" + body()),
    malformed("a line break in a string", f'{{"model":"chat\n",{_ASKED}}}'),
    malformed("no number", f'{{"model":"chat",{_ASKED},"temperature":NaN}}'),
    malformed("a number without end", f'{{"model":"chat",{_ASKED},"temperature":1e999}}'),
    malformed("bytes that are no UTF-8", f'{{"model":"chat",{_ASKED},"user":"'.encode() + b'\xff"}'),
    malformed("an overlong encoding", f'{{"model":"chat",{_ASKED},"user":"'.encode() + b'\xc0\xaf"}'),
    malformed("half of a surrogate pair", f'{{"model":"chat\\ud800",{_ASKED}}}'),
    malformed("UTF-16", body().decode().encode("utf-16")),
    malformed("UTF-16 without a mark", body().decode().encode("utf-16-le")),
    malformed("UTF-32", body().decode().encode("utf-32-be")),
    malformed("UTF-7", body().decode().encode("utf-7").replace(b"{", b"+AHs-")),
    malformed("a form", b"model=chat&messages=hello"),
    malformed("XML", b"<model>chat</model>"),
    malformed("nested without end", b'{"model":"chat","stop":' + b"[" * DEPTH),
    malformed("nested too deep", b'{"model":"chat","stop":' + b"[" * DEPTH + b"]" * DEPTH + b"}"),
)
MODELS: Final = (
    forbidden("a model that nobody approved", "gpt-5"),
    forbidden("the provider's own name of the model", "gpt-4o"),
    forbidden("the gateway's own name of the target", "first/gpt-4o"),
    forbidden("the gateway's own placeholder", "rf:model"),
    forbidden("the route's revision", "rev-chat"),
    forbidden("a model in capitals", "CHAT"),
    forbidden("a blank before it", " chat"),
    forbidden("a blank after it", "chat "),
    unclear("a NUL after it", "chat\0"),
    unclear("a line break after it", "chat\n"),
    unclear("a header after it", "chat\r\nx-rf-namespace: acme-prod"),
    unclear("a tab after it", "chat\t"),
    unclear("a space of no width in it", "ch\u200bat"),
    unclear("a letter of another alphabet in it", "сhat"),  # noqa: RUF001 -- that is the attack
    unclear("letters of double width", "ｃｈａｔ"),  # noqa: RUF001 -- that is the attack
    unclear("an accent that combines", "chat\u0301"),
    forbidden("percent-encoded", "%63hat"),
    forbidden("a path", "x/../chat"),
    forbidden("a wildcard", "*"),
    forbidden("an expression", "cha."),
    forbidden("two models", "nope,chat"),
    forbidden("nobody's", ""),
    unclear("a list", ["chat"]),
    unclear("an object", {"model": "chat"}),
    unclear("a number for a model", 1),
    unclear("true", True),
    forbidden("null for a model", None),
    forbidden("so long that it fills the headers", "chat" * 4000),
    Row("no model", sent(f"{{{_ASKED}}}"), *NOT_ALLOWED),
    Row("a model deeper inside", sent(f'{{"prediction":{{"model":"chat"}},{_ASKED}}}'), *NOT_ALLOWED),
    Row(
        "a forbidden one, and an allowed one inside",
        sent(f'{{"model":"nope","prediction":{{"model":"chat"}},{_ASKED}}}'),
        *NOT_ALLOWED,
    ),
    Row("a model under another spelling of the key", sent(f'{{"Model":"chat",{_ASKED}}}'), *NOT_ALLOWED),
    Row("a model under a key with a blank", sent(f'{{"model ":"chat",{_ASKED}}}'), *NOT_ALLOWED),
    Row("the key behind an escape", sent(f'{{"\\u006dodel":"chat",{_ASKED}}}'), *UNCLEAR),
    Row("the model behind an escape", sent(f'{{"model":"\\u0063hat",{_ASKED}}}'), *UNCLEAR),
    Row("a key without quotes", sent(f'{{model:"chat",{_ASKED}}}'), *UNCLEAR),
    Row("a key in single quotes", sent(f"{{'model':\"chat\",{_ASKED}}}"), *UNCLEAR),
    Row("a model in single quotes", sent(f"{{\"model\":'chat',{_ASKED}}}"), *UNCLEAR),
    Row("a second key in single quotes", sent(f"{{\"model\":\"chat\",'user':'x',{_ASKED}}}"), *UNCLEAR),
)
CONTENT: Final = (
    encoded("gzip", gzip.compress(body())),
    encoded("deflate", zlib.compress(body())),
    encoded("identity, gzip", gzip.compress(body())),
    Row(
        "a forbidden model, compressed",
        Request(gzip.compress(body("nope")), headers=(("content-encoding", "gzip"),)),
        *UNREAD,
    ),
    *(
        Row(f"a forbidden model as {each or 'nothing'}", sent(body("nope"), content_type=each), *NOT_ALLOWED)
        for each in ("", "text/plain", "application/x-www-form-urlencoded", "application/octet-stream", "*/*")
    ),
    Row(
        "a form of many parts",
        sent(
            b'--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nchat\r\n--x--\r\n',
            content_type="multipart/form-data; boundary=x",
        ),
        *UNREAD,
    ),
    Row(
        "another character set",
        sent(body().decode().encode("utf-16"), content_type="application/json; charset=utf-16"),
        *UNREAD,
    ),
)
SIZES: Final = (
    Row(
        "a byte too many for the gateway",
        Request(of_size(MAX_REQUEST_BYTES + 1)),
        *TOO_LARGE,
        Request(of_size(MAX_REQUEST_BYTES)),
    ),
    Row(
        "a byte too many for the route",
        Request(of_size(SMALL + 1, "small")),
        *TOO_LARGE,
        Request(of_size(SMALL, "small")),
    ),
    Row(
        "a byte too many, in chunks",
        in_chunks(of_size(SMALL + 1, "small")),
        *TOO_LARGE,
        in_chunks(of_size(SMALL, "small")),
    ),
    Row("far too many, in chunks", in_chunks(*[of_size(MAX_REQUEST_BYTES)] * 4), *TOO_LARGE),
    Row("far too many, of a forbidden model", Request(of_size(4 * MAX_REQUEST_BYTES, "nope")), *TOO_LARGE),
)
ROWS: Final = (*TWICE, *MALFORMED, *MODELS, *CONTENT, *SIZES)
FUTILE: Final = (
    *(
        Futile(f"a plain body that is called {each}", Request(headers=(("content-encoding", each),)))
        for each in ("gzip", "deflate", "br", "zstd", "identity")
    ),
    Futile("a plain body that is called UTF-16", sent(body(), content_type="application/json; charset=utf-16")),
)
