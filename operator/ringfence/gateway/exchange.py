"""What is changed in a request on its way to a provider: its model, its key, its path, and what it tells.

Law: what reaches a provider is the request and the tenant's key for that provider: no token, no address and no name of
the cluster.
"""

import json
from typing import Final

from ringfence.gateway import translation
from ringfence.gateway.forwarding import MODEL_NAMES
from ringfence.gateway.reading import NOTED
from ringfence.gateway.secrets import key_file
from ringfence.gateway.served import Schema, Upstream
from ringfence.gateway.typed import (
    HTTP,
    INTERNAL_PREFIX,
    Json,
    from_file,
    named,
    set_header,
    without_prefix,
)

API_PATH: Final = "/v1"
"""What the gateway's own paths start with."""
_ANTHROPIC_VERSION: Final = "2023-06-01"
_SAID: Final = {"user-agent": "ringfence", "content-type": "application/json"}
"""What the gateway says itself, not what the client said of its body: that has been read as JSON, and must not be read
as something else."""
_TELLING: Final = ("x-request-id", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "via")
_CREDENTIALS: Final = ("authorization", "x-api-key", "anthropic-version")
"""What an earlier try at another provider has set: tries share their headers."""
_SENT: Final = (":method", ":scheme", ":authority", ":path", "content-length", "anthropic-version", *_SAID)
"""What is left of a request's headers; nothing of what a client would accept: a compressed answer is not counted."""


def filters(upstream: Upstream, cluster: str) -> list[Json]:
    """The filters of one cluster, in order; they run again at each try."""
    return [
        _told(upstream),
        _addressed(upstream, cluster),
        *([translation.translated()] if upstream.schema is Schema.ANTHROPIC else []),
        *([_key(upstream)] if upstream.has_key else []),
        named("envoy.filters.http.upstream_codec", f"{HTTP}.upstream_codec.v3.UpstreamCodec"),
    ]


def _told(upstream: Upstream) -> Json:
    """What the gateway says itself, and nothing of the cluster or of another provider.

    The script that comes next keeps what is listed only. This does not rely on it: a script that fails removes nothing.
    Without a length a body goes out in pieces, so a length that does not fit can't make two requests of one.
    """
    said = {**_SAID, **({"anthropic-version": _ANTHROPIC_VERSION} if upstream.schema is Schema.ANTHROPIC else {})}
    mutations = [
        *map(without_prefix, (INTERNAL_PREFIX, "x-envoy-")),
        *({"remove": name} for name in (*_TELLING, *_CREDENTIALS, "content-length")),
        *(set_header(*each) for each in said.items()),
    ]
    message = f"{HTTP}.header_mutation.v3.HeaderMutation"
    return named("ringfence.told", message, mutations={"request_mutations": mutations})


def _addressed(upstream: Upstream, cluster: str) -> Json:
    """The provider's own name of the model, its path, and no header that it does not need.

    No filter of Envoy's does that for a cluster: transformations are for routes only, header mutations may not touch
    the path, and remove only what they name.
    """
    sent = ", ".join(f"[{json.dumps(name)}] = true" for name in _SENT)
    script = _SCRIPT.format(sent=sent, noted=json.dumps(NOTED), cluster=json.dumps(cluster), path=_path(upstream))
    return named(MODEL_NAMES, f"{HTTP}.lua.v3.Lua", default_source_code={"inline_string": script})


def _path(upstream: Upstream) -> str:
    """An expression for the provider's path."""
    if upstream.schema is Schema.ANTHROPIC:
        return json.dumps(f"{upstream.path}/messages")
    return f"{json.dumps(upstream.path)} .. string.sub(noted.path, {len(API_PATH) + 1})"


_SCRIPT: Final = """local sent = {{{sent}}}
function envoy_on_request(handle)
  local noted = handle:streamInfo():dynamicMetadata():get({noted})
  local first, last = string.match(noted.place, "^(%d+)-(%d+)$")
  local model = handle:metadata():get({cluster})
  local body = handle:body()
  local headers, text = handle:headers(), body:getBytes(0, body:length())
  local length = body:setBytes(string.sub(text, 1, first) .. model .. string.sub(text, last))
  local told = {{}}
  for name in pairs(headers) do
    if not sent[name] then told[#told + 1] = name end
  end
  for _, name in ipairs(told) do headers:remove(name) end
  headers:replace("content-length", tostring(length))
  headers:replace(":path", {path})
end"""


def _key(upstream: Upstream) -> Json:
    """The key comes from a file that the operator never reads."""
    bearer = upstream.schema is Schema.OPENAI
    generic = named(
        "envoy.http.injected_credentials.generic",
        "envoy.extensions.http.injected_credentials.generic.v3.Generic",
        credential={"name": upstream.key, "sds_config": from_file(key_file(upstream))},
        header="Authorization" if bearer else "x-api-key",
        header_value_prefix="Bearer " if bearer else "",
    )
    message = f"{HTTP}.credential_injector.v3.CredentialInjector"
    return named("ringfence.key", message, overwrite=True, credential=generic)
