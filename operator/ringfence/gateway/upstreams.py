"""Where requests go to: a cluster for each model of each provider, with the provider's own key, path and model.

Law: what reaches a provider is the request and the tenant's key for that provider: no token, no address and no name of
the cluster. The host is pinned: asked for by SNI and verified in the certificate.
"""

from typing import Final

from ringfence.gateway.served import Encryption, Gateway, Target, Upstream
from ringfence.gateway.typed import AUTHORITIES, HTTP, INTERNAL_PREFIX, Json, from_file, named, set_header, typed

PUBLIC_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
"""Of the gateway's image."""
API_PATH: Final = "/v1"
"""What the gateway's own paths start with."""
_TLS: Final = "envoy.extensions.transport_sockets.tls.v3"
_TELLING: Final = ("x-request-id", "x-forwarded-for", "x-forwarded-proto")
# The body is JSON of the gateway's own writing, whatever the client said of it: nobody is to read it as something else.
_MISLEADING: Final = ("content-encoding", "content-language")
_CONNECTING: Final = "5s"


def clusters(gateway: Gateway) -> list[Json]:
    """One for each target that some route leads to, each once."""
    upstreams = {upstream.name: upstream for upstream in gateway.upstreams}
    targets = {target.cluster: target for route in gateway.routes for target in route.targets}
    return [_cluster(upstreams[target.upstream], target) for _, target in sorted(targets.items())]


def key_file(upstream: Upstream) -> str:
    """The file of configuration that says where an upstream's key is."""
    return f"sds-{upstream.name}.json"


def _cluster(upstream: Upstream, target: Target) -> Json:
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    spoken = typed(options, explicit_http_config={"http_protocol_options": {}}, http_filters=_filters(upstream, target))
    return typed(
        "envoy.config.cluster.v3.Cluster",
        name=target.cluster,
        type="STRICT_DNS",
        connect_timeout=_CONNECTING,
        load_assignment={"cluster_name": target.cluster, "endpoints": [{"lb_endpoints": [_endpoint(upstream)]}]},
        typed_extension_protocol_options={options: spoken},
        **_encryption(upstream),
    )


def _endpoint(upstream: Upstream) -> Json:
    address = {"socket_address": {"address": upstream.host, "port_value": upstream.port}}
    return {"endpoint": {"hostname": upstream.host, "address": address}}


def _encryption(upstream: Upstream) -> Json:
    if upstream.encryption is Encryption.NONE:
        return {}
    public = upstream.encryption is Encryption.PUBLIC
    authority = PUBLIC_AUTHORITIES if public else f"{AUTHORITIES}/{upstream.name}/ca.crt"
    context = {
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "validation_context": {
            "trusted_ca": {"filename": authority},
            "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": upstream.host}}],
        },
    }
    return {
        "transport_socket": named("tls", f"{_TLS}.UpstreamTlsContext", sni=upstream.host, common_tls_context=context)
    }


# --- what is done to a request that goes there


def _filters(upstream: Upstream, target: Target) -> list[Json]:
    found = [_renamed(target)]
    if upstream.has_key:
        found.append(_key(upstream))
    if upstream.path != API_PATH:
        found.append(_path(upstream))
    return [
        *found,
        _nothing_told(),
        named("envoy.filters.http.upstream_codec", f"{HTTP}.upstream_codec.v3.UpstreamCodec"),
    ]


def _renamed(target: Target) -> Json:
    """The provider's own name of the model, in the body."""
    script = (
        "function envoy_on_request(handle)\n"
        "  local body = handle:body()\n"
        "  if body then\n"
        "    local text = body:getBytes(0, body:length())\n"
        f'    local changed = string.gsub(text, \'"model":"rf:model"\', \'"model":"{target.model}"\')\n'
        "    local size = body:setBytes(changed)\n"
        '    handle:headers():replace("content-length", tostring(size))\n'
        "  end\n"
        "end"
    )
    return named("ringfence.model", f"{HTTP}.lua.v3.Lua", default_source_code={"inline_string": script})


def _key(upstream: Upstream) -> Json:
    """The key comes from a file that the operator never reads; whatever the client sent in its place is overwritten."""
    generic = named(
        "envoy.http.injected_credentials.generic",
        "envoy.extensions.http.injected_credentials.generic.v3.Generic",
        credential={"name": upstream.name, "sds_config": from_file(key_file(upstream))},
        header="Authorization",
        header_value_prefix="Bearer ",
    )
    return named(
        "ringfence.key", f"{HTTP}.credential_injector.v3.CredentialInjector", overwrite=True, credential=generic
    )


def _path(upstream: Upstream) -> Json:
    """Header mutations of an upstream may not touch the path, a script may."""
    script = (
        "function envoy_on_request(handle)\n"
        '  local path = handle:headers():get(":path")\n'
        f'  handle:headers():replace(":path", "{upstream.path}" .. string.sub(path, {len(API_PATH) + 1}))\n'
        "end"
    )
    return named("ringfence.path", f"{HTTP}.lua.v3.Lua", default_source_code={"inline_string": script})


def _nothing_told() -> Json:
    prefixes = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in (INTERNAL_PREFIX, "x-envoy-")]
    removed = [{"remove": name} for name in (*_TELLING, *_MISLEADING)]
    said = [set_header("user-agent", "ringfence"), set_header("content-type", "application/json")]
    mutations = [*prefixes, *removed, *said]
    message = f"{HTTP}.header_mutation.v3.HeaderMutation"
    return named("ringfence.told", message, mutations={"request_mutations": mutations})
