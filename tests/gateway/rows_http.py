"""Paths, methods and headers that say more than a request should.

Law: three endpoints and the list of models, each by its one spelling; what clients say of themselves in headers is
taken off before anything looks at it, and goes to no provider.
"""

from dataclasses import replace
from typing import Final

from tests.gateway.asking import CHAT, MODELS, Request, body
from tests.gateway.rows import Futile, Row

BAD: Final = (400, "bad_request")
ENDPOINT: Final = (404, "endpoint_unknown")
NOT_ALLOWED: Final = (403, "model_not_allowed")
NOBODY: Final = (401, "invalid_identity")
LISTED: Final = Request(b"", MODELS, "GET")


def at(path: str, method: str = "POST") -> Request:
    """A request to this path."""
    return Request(path=path, method=method)


def unknown(title: str, path: str, method: str = "POST") -> Row:
    """An endpoint that the gateway does not have."""
    return Row(title, at(path, method), *ENDPOINT)


def unread(title: str, path: str) -> Row:
    """A path that two readers read differently."""
    return Row(title, at(path), *BAD)


def headed(*headers: tuple[str, str], model: str = "chat") -> Request:
    """A request with more headers."""
    return Request(body(model), headers=headers)


def spoofed(title: str, model: str, *headers: tuple[str, str]) -> Row:
    """A forbidden model, and headers that say who calls or what is wanted."""
    return Row(title, headed(*headers, model=model), *NOT_ALLOWED, headed(*headers))


PATHS: Final = (
    *(
        unknown(f"the API's {each.removeprefix('/v1/')}", each)
        for each in (
            "/v1/responses",
            "/v1/files",
            "/v1/fine_tuning/jobs",
            "/v1/assistants",
            "/v1/threads",
            "/v1/batches",
            "/v1/images/generations",
            "/v1/audio/speech",
            "/v1/moderations",
            "/v1/realtime",
            "/v1/organization/admin_api_keys",
            "/v1/messages",
        )
    ),
    *(
        unknown(f"Envoy's own {each}", each, "GET")
        for each in ("/config_dump", "/stats", "/stats/prometheus", "/ready", "/server_info", "/clusters", "/certs")
    ),
    *(unknown(f"Envoy's own {each}", each) for each in ("/quitquitquitquit", "/logging?level=trace", "/tap")),
    unknown("the root", "/"),
    unknown("the version alone", "/v1"),
    unknown("another version", "/v2/chat/completions"),
    unknown("no version of the API", "/chat/completions"),
    unknown("the path of the provider", "/openai/v1/chat/completions"),
    unknown("a slash more", f"{CHAT}/"),
    unknown("a part more", f"{CHAT}/x"),
    unknown("a path in capitals", CHAT.upper()),
    unknown("a parameter of the path", f"{CHAT};a=b"),
    unknown("a blank, encoded", f"{CHAT}%20"),
    unknown("a line break, encoded", f"{CHAT}%0d%0ax-rf-model:%20chat"),
    unknown("out of the endpoint", f"{CHAT}/../../files"),
    unknown("out of the endpoint, encoded", f"{CHAT}/%2e%2e/%2e%2e/files"),
    unknown("above the root", "/../../config_dump"),
    unread("a slash, encoded", "/v1/chat%2fcompletions"),
    unread("a slash, encoded in capitals", "/v1/chat%2Fcompletions"),
    unread("a backslash, encoded", "/v1/chat%5ccompletions"),
    unread("a NUL, encoded", f"{CHAT}%00"),
    unread("a fragment", f"{CHAT}#x"),
)
METHODS: Final = (
    *(
        unknown(f"{method} of the endpoint", CHAT, method)
        for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
    ),
    *(unknown(f"{method} of the list", MODELS, method) for method in ("POST", "PUT", "DELETE")),
    Row("a method in lower case", at(CHAT, "post"), *BAD),
    Row("a tunnel", at("api.first.example:443", "CONNECT"), *BAD),
    Row("GET that says it is POST", replace(at(CHAT, "GET"), headers=(("x-http-method-override", "POST"),)), *ENDPOINT),
    Row(
        "an upgrade to a web socket",
        replace(at(CHAT, "GET"), headers=(("connection", "upgrade"), ("upgrade", "websocket"))),
        *ENDPOINT,
    ),
)
SPOOFS: Final = (
    spoofed("the model in a header", "nope", ("x-rf-model", "chat")),
    spoofed("the model in a header of another case", "nope", ("X-RF-Model", "chat")),
    spoofed("the namespace in a header", "reports", ("x-rf-namespace", "acme-prod")),
    spoofed("the caller in a header", "reports", ("x-rf-caller", "acme-prod/default")),
    spoofed("the account in a header", "guarded", ("x-rf-account", "chat-ui")),
    spoofed("the account as caller", "guarded", ("x-rf-caller", "acme-dev/chat-ui")),
    spoofed("the path in a header", "nope", ("x-envoy-original-path", "/v1/models")),
    spoofed("the path in a header of another proxy", "nope", ("x-original-url", "/v1/models"), ("x-rewrite-url", "/")),
    spoofed("the namespace, twice", "reports", ("x-rf-namespace", "acme-prod"), ("x-rf-namespace", "acme-prod")),
    Row(
        "the model in a header alone, and where it stands",
        Request(b'{"messages":[]}', headers=(("x-rf-model", "chat"), ("x-rf-place", "2-11"))),
        *NOT_ALLOWED,
    ),
    Row("a header with an underscore", headed(("x_rf_model", "chat")), *BAD),
    Row("a model in the query", Request(body("nope"), f"{CHAT}?model=chat"), *ENDPOINT),
    Row("that its token is for the next hop only", headed(("connection", "authorization, x-rf-model")), *NOBODY),
    Row("a token in the query", Request(path=f"{CHAT}?access_token=x", bearer=None), *NOBODY),
    Row("a list that somebody else sees", replace(LISTED, path=f"{MODELS}?namespace=acme-prod"), *ENDPOINT, Request()),
)
ROWS: Final = (*PATHS, *METHODS, *SPOOFS)


def futile(title: str, *headers: tuple[str, str]) -> Futile:
    """Headers that change nothing."""
    return Futile(title, Request(headers=headers))


FUTILE: Final = (
    futile("whether it is tried again", ("x-envoy-retry-on", "5xx"), ("x-envoy-max-retries", "9")),
    futile("how long it may take", ("x-envoy-upstream-rq-timeout-ms", "1")),
    futile("how long each try may take", ("x-envoy-upstream-rq-per-try-timeout-ms", "1")),
    futile("how long is expected", ("x-envoy-expected-rq-timeout-ms", "1")),
    futile(
        "what it is counted as", ("x-envoy-upstream-alt-stat-name", "mine"), ("x-envoy-decorator-operation", "mine")
    ),
    futile("that it is to be traced", ("x-envoy-force-trace", "1"), ("x-client-trace-id", "1")),
    futile("that it comes from inside", ("x-envoy-internal", "true")),
    futile("where it comes from", ("x-forwarded-for", "10.0.0.1"), ("x-real-ip", "10.0.0.1")),
    futile("which host it was for", ("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "http")),
    futile("which host it was for, in the standard's way", ("forwarded", "for=10.0.0.1;host=evil.example")),
    futile("a key of another customer of the provider", ("api-key", "mine"), ("x-api-key", "mine")),
    futile("another organization at the provider", ("openai-organization", "mine"), ("openai-project", "mine")),
    futile("a beta of the provider", ("openai-beta", "assistants=v2"), ("anthropic-beta", "files-api")),
    futile("a cookie", ("cookie", "session=mine")),
    futile("a proxy's credentials", ("proxy-authorization", "Basic bWluZQ==")),
    futile("an id of its own choosing", ("x-request-id", "0")),
    futile("an answer that can't be counted", ("accept-encoding", "gzip, br")),
    futile("a trace of its own", ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")),
    futile("what it would be told of the cluster", ("x-rf-anything", "1"), ("x-envoy-anything", "1")),
    Futile("another host", Request(host="evil.example")),
    Futile("a host with a port", Request(host="localhost:1")),
    Futile("a slash twice", at("//v1//chat/completions")),
    Futile("a part that is none", at("/v1/./chat/completions")),
    Futile("a way that leads back", at("/v1/models/../chat/completions")),
    Futile("an absolute form", at(f"https://evil.example{CHAT}")),
    Futile("a letter, encoded", at("/v1/chat/completion%73")),
)
