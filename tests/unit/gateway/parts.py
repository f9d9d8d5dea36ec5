"""Where things are in a rendered configuration."""

from typing import Any

from tests.unit.gateway.full import Json


def manager(files: Json) -> Json:
    """What handles connections."""
    found: Json = files["lds.json"]["resources"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def step(files: Json, name: str) -> Json:
    """A filter of the listener."""
    return _named(manager(files)["http_filters"], name)


def cluster(files: Json, name: str) -> Json:
    """A cluster."""
    found: Json = next(each for each in files["cds.json"]["resources"] if each["name"] == name)
    return found


def provider_filters(files: Json, name: str) -> list[Json]:
    """The filters of a cluster."""
    (options,) = cluster(files, name)["typed_extension_protocol_options"].values()
    found: list[Json] = options["http_filters"]
    return found


def provider_step(files: Json, name: str, step_name: str) -> Json:
    """A filter of a cluster."""
    return _named(provider_filters(files, name), step_name)


def routes(files: Json) -> Json:
    """All routes."""
    found: Json = files["rds.json"]["resources"][0]
    return found


def host(files: Json) -> Json:
    """The one virtual host."""
    found: Json = routes(files)["virtual_hosts"][0]
    return found


def groups(files: Json) -> list[Json]:
    """The callers with the same routes: each has a predicate, and the routes."""
    tree = next(each for each in host(files)["matcher"]["matcher_list"]["matchers"] if "x-rf-caller" in str(each))
    found: list[Json] = tree["on_match"]["matcher"]["matcher_list"]["matchers"]
    return found


def route(files: Json, model: str, revision: str) -> Json:
    """The route of a model in a revision."""
    for each in _routes(host(files)["matcher"]):
        noted = each.get("metadata", {}).get("filter_metadata", {}).get("ringfence", {})
        if (noted.get("model"), noted.get("revision")) == (model, revision):
            return each
    raise LookupError(model)


def _routes(value: Any) -> list[Json]:
    if isinstance(value, list):
        return [found for each in value for found in _routes(each)]
    if not isinstance(value, dict):
        return []
    own = [value] if str(value.get("@type", "")).endswith("v3.Route") else []
    return own + [found for each in value.values() for found in _routes(each)]


def _named(filters: list[Json], name: str) -> Json:
    found: Json = next(each["typed_config"] for each in filters if each["name"] == name)
    return found


def filters(files: Json) -> Any:
    return manager(files)["http_filters"]


def jwt(files: Json) -> Json:
    return step(files, "envoy.filters.http.jwt_authn")


def log(files: Json) -> Json:
    found: Json = manager(files)["access_log"][0]["typed_config"]
    return found


def fields(files: Json) -> Json:
    found: Json = log(files)["log_format"]["json_format"]
    return found


def told(files: Json) -> Any:
    return step(files, "ringfence.wanted")["request_transformation"]["headers_mutations"]


def listener(files: Json) -> Json:
    found: Json = files["lds.json"]["resources"][0]
    return found


def downstream_tls(files: Json) -> Json:
    found: Json = listener(files)["filter_chains"][0]["transport_socket"]["typed_config"]["common_tls_context"]
    return found


def first(files: Json) -> Json:
    return cluster(files, "first")


def upstream_tls(files: Json) -> Json:
    found: Json = first(files)["transport_socket"]["typed_config"]
    return found


def validation(files: Json) -> Json:
    found: Json = upstream_tls(files)["common_tls_context"]["validation_context"]
    return found


def endpoint(files: Json) -> Json:
    found: Json = first(files)["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    return found


def credential(files: Json) -> Json:
    found: Json = provider_step(files, "first", "ringfence.key")["credential"]["typed_config"]
    return found


def script(files: Json) -> Json:
    found: Json = provider_step(files, "first", "ringfence.target")["default_source_code"]
    return found


def chat(files: Json) -> Json:
    return route(files, "chat", "rev-1")


def rules(files: Json) -> Json:
    found: Json = host(files)["typed_per_filter_config"]["ringfence.admitted"]["rbac"]["rules"]
    return found


def key_places(files: Json) -> list[Json]:
    """What must be true of the caller of the one key that has networks."""
    found: list[Json] = rules(files)["policies"]["key ci of acme-dev"]["principals"][0]["and_ids"]["ids"]
    return found


def proxies(files: Json) -> Json:
    """Who is trusted to say where a caller is."""
    found: Json = manager(files)["original_ip_detection_extensions"][0]["typed_config"]
    return found


def workloads(files: Json) -> Json:
    found: Json = rules(files)["policies"]["workloads of acme-dev"]
    return found


def principals(files: Json) -> Any:
    return workloads(files)["principals"][0]["and_ids"]["ids"]


def group(files: Json) -> Json:
    found: Json = groups(files)[0]["predicate"]["single_predicate"]["value_match"]["safe_regex"]
    return found


def key_file(files: Json) -> Json:
    found: Json = files["sds-key-first.json"]["resources"][0]["generic_secret"]["secret"]
    return found


def pages(files: Json) -> Any:
    return _of_pages(files)["route_config"]["virtual_hosts"][0]["routes"]


def page_filters(files: Json) -> Any:
    return _of_pages(files)["http_filters"]


def _of_pages(files: Json) -> Json:
    manager = files["bootstrap.json"]["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
    found: Json = manager["typed_config"]
    return found


def runtime(files: Json) -> Json:
    found: Json = files["bootstrap.json"]["layered_runtime"]["layers"][0]["static_layer"]
    return found


def reader(files: Json) -> Json:
    found: Json = step(files, "ringfence.reading")["default_source_code"]
    return found


def caller(files: Json) -> Json:
    found: Json = step(files, "ringfence.caller")["mutations"]["request_mutations"][0]["append"]["header"]
    return found


def end(files: Json) -> Json:
    found: Json = host(files)["matcher"]["on_no_match"]["action"]["typed_config"]
    return found


def per_filter(files: Json) -> Json:
    found: Json = host(files)["typed_per_filter_config"]
    return found


def key_step(files: Json) -> Json:
    return provider_step(files, "first", "ringfence.key")


def told_there(files: Json) -> list[Json]:
    found: list[Json] = provider_step(files, "first", "ringfence.told")["mutations"]["request_mutations"]
    return found


def forwarding(files: Json) -> list[Json]:
    """Every route that sends a request on."""
    return [each for each in _routes(host(files)["matcher"]) if "route" in each]


def names_of(route: Json) -> tuple[str, str]:
    """A route's name and revision."""
    noted = route["metadata"]["filter_metadata"]["ringfence"]
    return noted["route"], noted["revision"]


def providers(files: Json, route: Json) -> set[str]:
    """Where a route leads to."""
    action = route["route"]
    plugins = {each["extension"]["name"]: each for each in routes(files).get("cluster_specifier_plugins", [])}
    if "cluster" in action:
        names = [action["cluster"]]
    else:
        chosen = plugins[action["cluster_specifier_plugin"]]["extension"]["typed_config"]
        names = [each["cluster_name"] for pool in chosen["priority_groups"] for each in pool["clusters"]]
    return {cluster(files, name)["metadata"]["filter_metadata"]["ringfence"]["provider"] for name in names}
