"""Edits by which a key or a request would leave for somebody else, or in plain text."""

from collections.abc import Callable
from typing import Final

from tests.unit.gateway import parts
from tests.unit.gateway.full import Json
from tests.unit.gateway.mutation import Mutation, adding, dropping, extension, putting, remove
from tests.unit.gateway.overloads import OVERLOADS


def rename(files: Json, host: str) -> None:
    """Make a cluster lead elsewhere, and be consistent in it."""
    parts.endpoint(files)["hostname"] = parts.endpoint(files)["address"]["socket_address"]["address"] = host
    parts.upstream_tls(files)["sni"] = host
    parts.validation(files)["match_typed_subject_alt_names"][0]["matcher"] = {"exact": host}


def plain_text_to(host: str) -> Callable[[Json], None]:
    """Make the cluster without TLS lead elsewhere."""

    def change(files: Json) -> None:
        (locality,) = parts.cluster(files, "plain")["load_assignment"]["endpoints"]
        (found,) = locality["lb_endpoints"]
        found["endpoint"]["hostname"] = found["endpoint"]["address"]["socket_address"]["address"] = host

    return change


def give_key_to_the_plain_one(files: Json) -> None:
    """Another provider's, where keys belong."""
    injected = {"name": "ringfence.key", "typed_config": parts.provider_step(files, "first", "ringfence.key")}
    parts.provider_filters(files, "plain").insert(-1, injected)


def keep(files: Json, name: str) -> None:
    parts.told_there(files)[:] = [each for each in parts.told_there(files) if each.get("remove") != name]


def take_key(files: Json, name: str, key: str) -> None:
    injected = parts.provider_step(files, name, "ringfence.key")["credential"]["typed_config"]["credential"]
    injected["name"] = key


def inline(source: Json) -> None:
    source["inline_string"] = source.pop("filename") and CANARY


def page(path: str) -> Json:
    method = {"name": ":method", "string_match": {"exact": "GET"}}
    return {"match": {"path": path, "headers": [method]}, "route": {"cluster": "ringfence.administration"}}


CANARY: Final = "sk-canary-7f3a"
WAYS_OUT: Final = (
    Mutation(
        "TLS 1.0 for callers",
        putting(lambda f: parts.downstream_tls(f)["tls_params"], "tls_minimum_protocol_version", "TLSv1_0"),
        "tls",
    ),
    Mutation(
        "TLS 1.1 for providers",
        putting(
            lambda f: parts.upstream_tls(f)["common_tls_context"]["tls_params"],
            "tls_minimum_protocol_version",
            "TLSv1_1",
        ),
        "tls",
    ),
    Mutation(
        "a weak cipher for callers",
        adding(lambda f: parts.downstream_tls(f)["tls_params"]["cipher_suites"], "AES128-SHA"),
        "tls",
    ),
    Mutation(
        "a weak cipher for providers",
        adding(lambda f: parts.upstream_tls(f)["common_tls_context"]["tls_params"]["cipher_suites"], "AES128-SHA"),
        "tls",
    ),
    Mutation(
        "whatever ciphers there are for callers",
        dropping(lambda f: parts.downstream_tls(f)["tls_params"], "cipher_suites"),
        "tls",
    ),
    Mutation("any TLS for callers", dropping(parts.downstream_tls, "tls_params"), "tls"),
    Mutation(
        "any TLS for providers", dropping(lambda f: parts.upstream_tls(f)["common_tls_context"], "tls_params"), "tls"
    ),
    Mutation(
        "no certificate is needed",
        dropping(lambda f: parts.upstream_tls(f)["common_tls_context"], "validation_context"),
        "tls",
    ),
    Mutation("any authority", dropping(parts.validation, "trusted_ca"), "tls"),
    Mutation("another authority", putting(parts.validation, "trusted_ca", {"filename": "/tmp/ca.crt"}), "tls"),
    Mutation("any name", dropping(parts.validation, "match_typed_subject_alt_names"), "tls"),
    Mutation(
        "a name by its end",
        lambda f: parts.validation(f)["match_typed_subject_alt_names"][0].update(matcher={"suffix": "example"}),
        "field",
    ),
    Mutation(
        "two names",
        lambda f: parts.validation(f)["match_typed_subject_alt_names"].append(
            {"san_type": "DNS", "matcher": {"exact": "x.example"}}
        ),
        "tls",
    ),
    Mutation(
        "an address for a name",
        lambda f: parts.validation(f)["match_typed_subject_alt_names"][0].update(san_type="URI"),
        "setting",
    ),
    Mutation("unverified", putting(parts.validation, "trust_chain_verification", "ACCEPT_UNTRUSTED"), "field"),
    Mutation("expired", putting(parts.validation, "allow_expired_certificate", True), "field"),
    Mutation("another name is asked for", putting(parts.upstream_tls, "sni", "api.other.example"), "tls"),
    Mutation("renegotiation", putting(parts.upstream_tls, "allow_renegotiation", True), "field"),
    Mutation(
        "keys of sessions are written",
        lambda f: parts.upstream_tls(f)["common_tls_context"].update(key_log={"path": "/tmp/x"}),
        "field",
    ),
    Mutation(
        "plain text for callers", dropping(lambda f: parts.listener(f)["filter_chains"][0], "transport_socket"), "chain"
    ),
    Mutation("plain text to the world", dropping(parts.first, "transport_socket"), "tls"),
    Mutation("a key in plain text", give_key_to_the_plain_one, "tls"),
    *(
        Mutation(f"plain text to {host}", plain_text_to(host), "tls")
        for host in ("svc.example", "plain.acme-models.svc.example", "x.plain.acme-models.svc", "plain.svc")
    ),
    Mutation(
        "another host",
        lambda f: parts.endpoint(f)["address"]["socket_address"].update(address="api.other.example"),
        "host",
    ),
    Mutation("an address", lambda f: rename(f, "10.0.0.1"), "host"),
    Mutation("metadata of the cloud", lambda f: rename(f, "169.254.169.254"), "host"),
    Mutation("a wildcard", lambda f: rename(f, "*.example"), "host"),
    Mutation("a bare name", lambda f: rename(f, "localhost"), "host"),
    Mutation(
        "two hosts",
        lambda f: parts.first(f)["load_assignment"]["endpoints"].append(
            parts.first(f)["load_assignment"]["endpoints"][0]
        ),
        "host",
    ),
    Mutation("wherever the client was going", putting(parts.first, "type", "ORIGINAL_DST"), "host"),
    Mutation("hosts from elsewhere", putting(parts.first, "eds_cluster_config", {}), "field"),
    Mutation("by way of a proxy", putting(parts.first, "cluster_type", {"name": "x"}), "field"),
    Mutation("health checks", putting(parts.first, "health_checks", []), "field"),
    Mutation("a key to another host", lambda f: take_key(f, "second", "first"), "key"),
    Mutation("a key that is added to the client's", lambda f: parts.key_step(f).update(overwrite=False), "setting"),
    Mutation("no key is needed", lambda f: parts.key_step(f).update(allow_request_without_credential=True), "field"),
    Mutation(
        "without the filter that takes off what tells",
        lambda f: remove(parts.provider_filters(f, "first"), "ringfence.told"),
        "provider",
    ),
    Mutation(
        "without the filter that names the model",
        lambda f: remove(parts.provider_filters(f, "first"), "ringfence.target"),
        "provider",
    ),
    Mutation("another provider's key goes on", lambda f: keep(f, "x-api-key"), "provider"),
    Mutation("a length that need not fit", lambda f: keep(f, "content-length"), "provider"),
    Mutation("the caller's name goes on", lambda f: parts.told_there(f).pop(0), "provider"),
    Mutation(
        "another filter for a provider",
        lambda f: parts.provider_filters(f, "first").insert(0, extension("extensions.filters.http.tap.v3.Tap")),
        "type",
    ),
    Mutation("a key in the file", lambda f: inline(parts.key_file(f)), "secret"),
    Mutation("a key from the environment", putting(parts.key_file, "environment_variable", "KEY"), "field"),
    Mutation("another provider's key", putting(parts.key_file, "filename", "/etc/ringfence/keys/second/key"), "secret"),
    Mutation(
        "a token of the cluster for a key",
        putting(parts.key_file, "filename", "/var/run/secrets/kubernetes.io/serviceaccount/token"),
        "secret",
    ),
    Mutation(
        "a certificate's key in the file",
        lambda f: inline(f["sds-certificate.json"]["resources"][0]["tls_certificate"]["private_key"]),
        "secret",
    ),
    Mutation(
        "a third page of the administration", lambda f: parts.pages(f).append(page("/config_dump")), "administration"
    ),
    Mutation(
        "every page of the administration", lambda f: parts.pages(f)[0].update(match={"prefix": "/"}), "administration"
    ),
    Mutation("a page by any method", lambda f: parts.pages(f)[0]["match"].pop("headers"), "administration"),
    Mutation("a pod that is ready without a configuration", lambda f: parts.page_filters(f).pop(0), "administration"),
    Mutation(
        "another script before the pages",
        lambda f: parts.page_filters(f)[0]["typed_config"]["default_source_code"].update(inline_string=""),
        "script",
    ),
    Mutation(
        "an administration on a port",
        lambda f: f["bootstrap.json"]["admin"].update(
            address={"socket_address": {"address": "0.0.0.0", "port_value": 9}}
        ),
        "administration",
    ),
    Mutation(
        "an administration for all users",
        lambda f: f["bootstrap.json"]["admin"]["address"]["pipe"].update(mode=0o666),
        "setting",
    ),
    *OVERLOADS,
    Mutation(
        "a log of the administration",
        putting(lambda f: f["bootstrap.json"]["admin"], "access_log_path", "/dev/stdout"),
        "field",
    ),
    Mutation(
        "configuration from elsewhere",
        putting(lambda f: f["bootstrap.json"]["dynamic_resources"], "ads_config", {}),
        "field",
    ),
    Mutation("no file of listeners", lambda f: f.pop("lds.json"), "files"),
    Mutation("another file", putting(lambda f: f, "other.json", {"resources": []}), "files"),
    Mutation("a second listener", lambda f: f["lds.json"]["resources"].append(parts.listener(f)), "files"),
    Mutation(
        "routes that are a listener", lambda f: f["rds.json"].update(resources=f["lds.json"]["resources"]), "files"
    ),
)
