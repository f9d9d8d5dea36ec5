"""What goes to a provider, and how.

Law: a host is named once and verified by that name; a key goes to one host, and never in plain text; what is sent on
tells nothing of the cluster; and no value of a secret stands in any file.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from ringfence.gateway.lint.encryption import is_strong
from ringfence.gateway.lint.finding import Finding
from ringfence.gateway.lint.parsed import CERTIFICATE, CLUSTERS, KEY, Json, Parsed, type_of

PUBLIC_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
_OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_SERVICE: Final = "ringfence.rate-limit-service"
_FILTERS: Final = (
    "ringfence.told",
    "ringfence.target",
    "ringfence.translated",
    "ringfence.key",
    "envoy.filters.http.upstream_codec",
)
_OPTIONAL: Final = {"ringfence.translated", "ringfence.key"}
_UNTOLD: Final = frozenset(
    """
    x-request-id x-forwarded-for x-forwarded-proto x-forwarded-host forwarded via authorization x-api-key content-length
    """.split()  # noqa: SIM905 -- a page of words is read better than a column
)
_UNTOLD_PREFIXES: Final = {"x-rf-", "x-envoy-"}
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_SERVICE_HOST: Final = re.compile(rf"{_LABEL}\.{_LABEL}\.svc(?:\.cluster\.local)?")
"""A Service, by its name and namespace: nobody outside of the cluster can have such a name."""
_NUMBERS: Final = re.compile(r"[0-9.]+")


def way_out(parsed: Parsed) -> Iterator[Finding]:
    """Clusters, scripts and secrets that are not as they should be."""
    hosts: defaultdict[str, set[Any]] = defaultdict(set)
    for cluster in parsed.clusters:
        where = f"{CLUSTERS}/{str(cluster.get('name'))[:64]}"
        host = _host(cluster)
        yield from _connection(where, cluster, host)
        if cluster.get("name") != _SERVICE:
            yield from _filters(where, cluster)
        for key in _keys(cluster):
            hosts[key].add(host)
    for key, used in hosts.items():
        if len(used) != 1:
            yield Finding("key", f"{KEY}{key}.json", "one key goes to more than one host")
    yield from _secrets(parsed)


def _host(cluster: Json) -> Any:
    """The one host of a cluster; None where it has none or more."""
    localities = cluster.get("load_assignment", {}).get("endpoints", [])
    endpoints = [each.get("endpoint", {}) for locality in localities for each in locality.get("lb_endpoints", [])]
    if len(endpoints) != 1:
        return None
    named = endpoints[0].get("address", {}).get("socket_address", {}).get("address")
    return named if named == endpoints[0].get("hostname") else None


def _connection(where: str, cluster: Json, host: Any) -> Iterator[Finding]:
    if cluster.get("type") != "LOGICAL_DNS" or not host or not _HOST.fullmatch(host) or _NUMBERS.fullmatch(host):
        yield Finding("host", where, "a cluster must lead to one host, by its name")
    elif "transport_socket" in cluster:
        if not _verifies(cluster["transport_socket"].get("typed_config", {}), host):
            yield Finding("tls", where, "the host is not verified by its own name, or by authorities of its own")
    elif not _SERVICE_HOST.fullmatch(host):
        yield Finding("tls", where, "plain text may not leave the cluster")
    elif any(_keys(cluster)):
        yield Finding("tls", where, "no key may be sent in plain text")


def _verifies(context: Json, host: str) -> bool:
    common = context.get("common_tls_context", {})
    validation = common.get("validation_context", {})
    authority = validation.get("trusted_ca", {})
    return (
        type_of(context).endswith(".UpstreamTlsContext")
        and context.get("sni") == host
        and set(common) == {"tls_params", "validation_context"}
        and is_strong(common["tls_params"])
        and validation.get("match_typed_subject_alt_names") == [{"san_type": "DNS", "matcher": {"exact": host}}]
        and (authority == {"filename": PUBLIC_AUTHORITIES} or bool(authority.get("inline_string")))
    )


def _http_filters(cluster: Json) -> list[Json]:
    return list(cluster.get("typed_extension_protocol_options", {}).get(_OPTIONS, {}).get("http_filters", []))


def _filters(where: str, cluster: Json) -> Iterator[Finding]:
    filters = _http_filters(cluster)
    found = {each.get("name"): each.get("typed_config", {}) for each in filters}
    wanted = [name for name in _FILTERS if name in found or name not in _OPTIONAL]
    if list(found) != wanted or len(found) != len(filters):
        yield Finding("provider", where, "the filters are not the ones that must be, in their order")
        return
    mutations = found["ringfence.told"].get("mutations", {}).get("request_mutations", [])
    prefixes = {each.get("remove_on_match", {}).get("key_matcher", {}).get("prefix") for each in mutations}
    if not prefixes >= _UNTOLD_PREFIXES or not {each.get("remove") for each in mutations} >= _UNTOLD:
        yield Finding("provider", where, "headers that tell of the cluster are sent on")


def _keys(cluster: Json) -> Iterator[str]:
    """Whose keys are put into what goes there."""
    for each in _http_filters(cluster):
        injector = each.get("typed_config", {})
        if type_of(injector).endswith(".CredentialInjector"):
            yield str(injector["credential"]["typed_config"]["credential"]["name"])


def _secrets(parsed: Parsed) -> Iterator[Finding]:
    """Each file of secrets names the paths of its own, and no value."""
    for name, content in parsed.files.items():
        if name.startswith("sds-") and content["resources"] != [_pointer(name)]:
            yield Finding("secret", name, "a secret must be named by its path, and by its own")


def _pointer(name: str) -> Json:
    secret = {"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"}
    if name == CERTIFICATE:
        pair = {"certificate_chain": _file("tls", "tls.crt"), "private_key": _file("tls", "tls.key")}
        watched = {"watched_directory": {"path": "/etc/ringfence/tls"}}
        return {**secret, "name": "gateway", "tls_certificate": {**pair, **watched}}
    provider = name.removeprefix(KEY).removesuffix(".json")
    folder = f"/etc/ringfence/keys/{provider}"
    found = {**_file(f"keys/{provider}", "key"), "watched_directory": {"path": folder}}
    return {**secret, "name": provider, "generic_secret": {"secret": found}}


def _file(folder: str, name: str) -> Json:
    return {"filename": f"/etc/ringfence/{folder}/{name}"}
