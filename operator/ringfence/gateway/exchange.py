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
from ringfence.gateway.typed import HTTP, INTERNAL_PREFIX, Json, from_file, named, set_header, without_prefix

PLACEHOLDER: Final = "rf:model"
"""What stands for the model in the body until the provider is known."""
API_PATH: Final = "/v1"
"""What the gateway's own paths start with."""
_ANTHROPIC_VERSION: Final = "2023-06-01"
_TELLING: Final = ("x-request-id", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "via")


def filters(upstream: Upstream, cluster: str) -> list[Json]:
    """The filters of one cluster, in order."""
    return [
        *([translation.translated()] if upstream.schema is Schema.ANTHROPIC else []),
        _addressed(upstream, cluster),
        *([_key(upstream)] if upstream.has_key else []),
        _nothing_told(upstream),
        named("envoy.filters.http.upstream_codec", f"{HTTP}.upstream_codec.v3.UpstreamCodec"),
    ]


def placeholder() -> Json:
    """A transformation of a body: it is written anew, so that there is one way to find its model."""
    return {"body_format": {"json_format": {"model": PLACEHOLDER}}, "action": "MERGE"}


def _addressed(upstream: Upstream, cluster: str) -> Json:
    """The provider's own name of the model, and its path.

    No filter of Envoy's does that for a cluster: transformations are for routes only, header mutations may not touch
    the path. What stands elsewhere in the body and looks like the placeholder is changed with it, which harms nobody;
    a text cannot look like it, since quotes within a text are escaped.
    """
    script = _RENAME.format(cluster=json.dumps(cluster), placeholder=f'"model":"{PLACEHOLDER}"')
    return named(
        MODEL_NAMES, f"{HTTP}.lua.v3.Lua", default_source_code={"inline_string": f"{script}{_path(upstream)}end"}
    )


def _path(upstream: Upstream) -> str:
    if upstream.schema is Schema.ANTHROPIC:
        return _MESSAGES.format(path=json.dumps(f"{upstream.path}/messages"))
    if upstream.path != API_PATH:
        return _REPATH.format(path=json.dumps(upstream.path), start=len(API_PATH) + 1)
    return ""


_RENAME: Final = """function envoy_on_request(handle)
  local model = handle:metadata():get({cluster})
  local body = handle:body()
  local text = string.gsub(body:getBytes(0, body:length()), '{placeholder}', function()
    return '"model":"' .. model .. '"'
  end)
  handle:headers():replace("content-length", tostring(body:setBytes(text)))
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


def _nothing_told(upstream: Upstream) -> Json:
    mutations = [
        *map(without_prefix, (INTERNAL_PREFIX, "x-envoy-")),
        *({"remove": name} for name in _TELLING),
        set_header("user-agent", "ringfence"),
    ]
    if upstream.schema is Schema.ANTHROPIC:
        mutations.append(set_header("anthropic-version", _ANTHROPIC_VERSION))
    message = f"{HTTP}.header_mutation.v3.HeaderMutation"
    return named("ringfence.told", message, mutations={"request_mutations": mutations})
