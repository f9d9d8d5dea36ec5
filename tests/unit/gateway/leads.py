"""Edits by which a request would go where it may not."""

from typing import Final

from tests.unit.gateway import parts
from tests.unit.gateway.full import Json
from tests.unit.gateway.mutation import Mutation, dropping, putting


def unconditional(case: Json) -> None:
    case["predicate"] = {"not_matcher": case["predicate"]}


def forward(route: Json, cluster: str) -> None:
    del route["direct_response"]
    route["route"] = {"cluster": cluster}


def cluster_by(files: Json, key: str, value: str) -> None:
    action = parts.chat(files)["route"]
    del action["cluster_specifier_plugin"]
    action[key] = value


def reword(files: Json, old: str, new: str) -> None:
    source = parts.reader(files)
    assert old in source["inline_string"]
    source["inline_string"] = source["inline_string"].replace(old, new)


def unenforced(files: Json) -> None:
    parts.per_filter(files)["ringfence.route-limit"]["filter_enforced"] = {"default_value": {"numerator": 0}}


LEADS: Final = (
    Mutation("everybody's models", putting(parts.group, "regex", ".*"), "routes"),
    Mutation("every namespace's models", putting(parts.group, "regex", "[^/]+/chat-ui"), "routes"),
    Mutation("models by part of a caller", putting(parts.group, "regex", "acme-dev.*"), "routes"),
    Mutation("a tenant's models", putting(parts.group, "regex", "acme\\-.*/[^/]+"), "routes"),
    Mutation("a case for nobody", lambda f: unconditional(parts.groups(f)[0]), "routes"),
    Mutation("what is matched nowhere goes on", lambda f: forward(parts.end(f), "first"), "routes"),
    Mutation(
        "what is matched nowhere is fine", putting(lambda f: parts.end(f)["direct_response"], "status", 200), "routes"
    ),
    Mutation(
        "nothing for what is matched nowhere", dropping(lambda f: parts.host(f)["matcher"], "on_no_match"), "routes"
    ),
    Mutation("a list beside the tree", putting(parts.host, "routes", []), "routes"),
    Mutation("a second host", lambda f: parts.routes(f)["virtual_hosts"].append(parts.host(f)), "routes"),
    Mutation("a cluster by a header", lambda f: cluster_by(f, "cluster_header", "x"), "field"),
    Mutation("a cluster that is not there", lambda f: cluster_by(f, "cluster", "other"), "routes"),
    Mutation("the administration", lambda f: cluster_by(f, "cluster", "ringfence.administration"), "routes"),
    Mutation("a plugin that is not there", lambda f: cluster_by(f, "cluster_specifier_plugin", "x"), "routes"),
    Mutation(
        "a model that nobody named",
        dropping(lambda f: parts.chat(f)["metadata"]["filter_metadata"]["ringfence.target"], "first"),
        "routes",
    ),
    Mutation("a redirect", lambda f: parts.chat(f).update(redirect={"host_redirect": "x"}), "field"),
    Mutation("another host's name", putting(lambda f: parts.chat(f)["route"], "host_rewrite_literal", "x"), "field"),
    Mutation("the client's host", putting(lambda f: parts.chat(f)["route"], "auto_host_rewrite", False), "setting"),
    Mutation(
        "a redirect of the provider's",
        putting(lambda f: parts.chat(f)["route"], "internal_redirect_policy", {}),
        "field",
    ),
    Mutation(
        "always the same cluster again",
        lambda f: parts.host(f)["retry_policy"].update(refresh_cluster_on_retry=False),
        "setting",
    ),
    Mutation("a field of other models", lambda f: reword(f, " modalities ", " modalities models "), "script"),
    Mutation("any field", lambda f: reword(f, "not allowed[key]", "false"), "script"),
    Mutation("answers are stored", lambda f: reword(f, "'^false'", "'^'"), "script"),
    Mutation("any type of tool", lambda f: reword(f, "'custom function'", "'custom function mcp'"), "script"),
    Mutation(
        "fields that are seen, and not refused",
        dropping(lambda f: parts.step(f, "ringfence.agreement")["rules"]["policies"], "field"),
        "chain",
    ),
    Mutation("a limit that is not enforced", unenforced, "setting"),
    Mutation("another filter for a route", lambda f: parts.per_filter(f).update({"envoy.filters.http.x": {}}), "field"),
)
