"""Where requests go to: clusters for each provider, with its own key, path, host and authorities.

Law: the host is pinned: asked for by SNI, and verified in the certificate. A key goes to its own provider's host.
"""

from collections.abc import Iterator
from typing import Final

from ringfence.gateway import limits, targets
from ringfence.gateway.exchange import filters
from ringfence.gateway.served import Encryption, Gateway, Upstream
from ringfence.gateway.typed import SOURCE, TLS, TLS_PARAMETERS, Json, named, typed

PUBLIC_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
"""Of the gateway's image."""
_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_CONNECTING: Final = "5s"
_UNLIMITED: Final = 100_000
"""Envoy's own limits of a cluster are 1,024 requests and 3 retries: no limit is enforced that nobody wrote."""


def clusters(gateway: Gateway) -> list[Json]:
    """All clusters, by name."""
    upstreams = {upstream.name: upstream for upstream in gateway.upstreams}
    found = [_cluster(upstreams[cluster.upstream], cluster) for cluster in targets.clusters(gateway)]
    return [*found, *_rate_limit_service(gateway)]


def _cluster(upstream: Upstream, cluster: targets.Cluster) -> Json:
    spoken = typed(
        _OPTIONS, explicit_http_config={"http_protocol_options": {}}, http_filters=filters(upstream, cluster.name)
    )
    noted = {"provider": upstream.key, **({"region": upstream.region} if upstream.region else {})}
    return typed(
        "envoy.config.cluster.v3.Cluster",
        **_reached(cluster.name, upstream.host, upstream.port),
        circuit_breakers={"thresholds": [_threshold(cluster.max_parallel)]},
        metadata={"filter_metadata": {SOURCE: noted}},
        typed_extension_protocol_options={_OPTIONS: spoken},
        **_encryption(upstream),
    )


def _reached(name: str, host: str, port: int) -> Json:
    address = {"socket_address": {"address": host, "port_value": port}}
    endpoint = {"endpoint": {"hostname": host, "address": address}}
    return {
        "name": name,
        # For hosts whose addresses change all the time; connections that are open stay.
        "type": "LOGICAL_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "connect_timeout": _CONNECTING,
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _threshold(max_parallel: int | None) -> Json:
    """Requests are counted when they get a connection. Were connections limited, one too many would wait for one."""
    return {
        "max_connections": _UNLIMITED,
        "max_pending_requests": _UNLIMITED,
        "max_requests": _UNLIMITED if max_parallel is None else max_parallel,
        "max_retries": _UNLIMITED,
    }


def _encryption(upstream: Upstream) -> Json:
    if upstream.encryption is Encryption.NONE:
        return {}
    public = upstream.encryption is Encryption.PUBLIC
    authority = {"filename": PUBLIC_AUTHORITIES} if public else {"inline_string": upstream.authority}
    context = {
        "tls_params": TLS_PARAMETERS,
        "validation_context": {
            "trusted_ca": authority,
            "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": upstream.host}}],
        },
    }
    return {
        "transport_socket": named("tls", f"{TLS}.UpstreamTlsContext", sni=upstream.host, common_tls_context=context)
    }


def _rate_limit_service(gateway: Gateway) -> Iterator[Json]:
    """A service of the cluster: it is told names of routes and numbers of tokens, in plain text."""
    if gateway.rate_limit_service:
        host, _, port = gateway.rate_limit_service.rpartition(":")
        spoken = typed(_OPTIONS, explicit_http_config={"http2_protocol_options": {}})
        yield typed(
            "envoy.config.cluster.v3.Cluster",
            **_reached(limits.SERVICE_CLUSTER, host, int(port)),
            typed_extension_protocol_options={_OPTIONS: spoken},
        )
