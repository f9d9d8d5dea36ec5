"""What is changed in a request on its way to a provider: its model, its key, its path, and what it tells.

Law: what reaches a provider is the request and the tenant's key for that provider: no token, no address and no name of
the cluster.
"""

import json
from typing import Final

from ringfence.gateway import translation
from ringfence.gateway.forwarding import MODEL_NAMES
from ringfence.gateway.secrets import key_file
from ringfence.gateway.served import Schema, Upstream
from ringfence.gateway.typed import (
    HTTP,
    INTERNAL_PREFIX,
    PLACE_HEADER,
    Json,
    from_file,
    named,
    set_header,
    without_prefix,
)

API_PATH: Final = "/v1"
"""What the gateway's own paths start with."""
_ANTHROPIC_VERSION: Final = "2023-06-01"
_TELLING: Final = ("x-request-id", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "via")
_SENT: Final = (":method", ":scheme", ":authority", ":path", "content-length")
"""What is left of a request's headers. What the client said of its body is not: it has been read as JSON, and must not
be read as something else; nor what it would accept: an answer that is compressed is not counted."""


def filters(upstream: Upstream, cluster: str) -> list[Json]:
    """The filters of one cluster, in order."""
    return [
        _addressed(upstream, cluster),
        *([translation.translated()] if upstream.schema is Schema.ANTHROPIC else []),
        *([_key(upstream)] if upstream.has_key else []),
        _told(upstream),
        named("envoy.filters.http.upstream_codec", f"{HTTP}.upstream_codec.v3.UpstreamCodec"),
    ]


def _addressed(upstream: Upstream, cluster: str) -> Json:
    """The provider's own name of the model, its path, and no header that it does not need.

    No filter of Envoy's does that for a cluster: transformations are for routes only, header mutations may not touch
    the path, and remove only what they name.
    """
    sent = ", ".join(f"[{json.dumps(name)}] = true" for name in _SENT)
    script = _RENAME.format(cluster=json.dumps(cluster), place=json.dumps(PLACE_HEADER), sent=sent)
    return named(
        MODEL_NAMES, f"{HTTP}.lua.v3.Lua", default_source_code={"inline_string": f"{script}{_path(upstream)}end"}
    )


def _path(upstream: Upstream) -> str:
    if upstream.schema is Schema.ANTHROPIC:
        return _MESSAGES.format(path=json.dumps(f"{upstream.path}/messages"))
    if upstream.path != API_PATH:
        return _REPATH.format(path=json.dumps(upstream.path), start=len(API_PATH) + 1)
    return ""


_RENAME: Final = """local sent = {{{sent}}}
function envoy_on_request(handle)
  local body = handle:body()
  local headers, text = handle:headers(), body:getBytes(0, body:length())
  local first, last = string.match(headers:get({place}), "^(%d+)-(%d+)$")
  local model = handle:metadata():get({cluster})
  local length = body:setBytes(string.sub(text, 1, first) .. model .. string.sub(text, last))
  local told = {{}}
  for name in pairs(headers) do
    if not sent[name] then told[#told + 1] = name end
  end
  for _, name in ipairs(told) do headers:remove(name) end
  headers:replace("content-length", tostring(length))
"""
_MESSAGES: Final = """  handle:headers():replace(":path", {path})
"""
_REPATH: Final = """  local path = handle:headers():get(":path")
  handle:headers():replace(":path", {path} .. string.sub(path, {start}))
"""


def _key(upstream: Upstream) -> Json:
    """The key comes from a file that the operator never reads; whatever the client sent in its place is overwritten."""
    bearer = upstream.schema is Schema.OPENAI
    generic = named(
        "envoy.http.injected_credentials.generic",
        "envoy.extensions.http.injected_credentials.generic.v3.Generic",
        credential={"name": upstream.name, "sds_config": from_file(key_file(upstream))},
        header="Authorization" if bearer else "x-api-key",
        header_value_prefix="Bearer " if bearer else "",
    )
    message = f"{HTTP}.credential_injector.v3.CredentialInjector"
    return named("ringfence.key", message, overwrite=True, credential=generic)


def _told(upstream: Upstream) -> Json:
    """What the gateway says itself; and once more nothing of the cluster, since a script that fails removes nothing."""
    said = {"user-agent": "ringfence", "content-type": "application/json"}
    if upstream.schema is Schema.ANTHROPIC:
        said["anthropic-version"] = _ANTHROPIC_VERSION
    mutations = [
        *map(without_prefix, (INTERNAL_PREFIX, "x-envoy-")),
        *({"remove": name} for name in _TELLING),
        *(set_header(*each) for each in said.items()),
    ]
    message = f"{HTTP}.header_mutation.v3.HeaderMutation"
    return named("ringfence.told", message, mutations={"request_mutations": mutations})
