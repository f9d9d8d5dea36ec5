"""Edits by which somebody would come in who may not."""

from typing import Final

from tests.unit.gateway import parts
from tests.unit.gateway.full import Json
from tests.unit.gateway.mutation import Mutation, adding, dropping, header, putting, removing


def loosen(principal: Json, match: Json) -> None:
    principal["sourced_metadata"]["metadata_matcher"]["value"] = {"string_match": match}


STRANGERS: Final = (
    *(
        Mutation(f"without the filter {name}", removing(parts.filters, name), "chain")
        for name in (
            *("ringfence.numbered", "envoy.filters.http.jwt_authn", "ringfence.caller", "ringfence.admitted"),
            *("ringfence.size", "ringfence.wanted", "ringfence.reading", "ringfence.agreement"),
            *("ringfence.route-size", "ringfence.route-limit"),
        )
    ),
    Mutation("tokens are looked at last", lambda f: parts.filters(f).append(parts.filters(f).pop(1)), "chain"),
    Mutation("a filter twice", lambda f: parts.filters(f).append(parts.filters(f)[0]), "chain"),
    Mutation("everybody is admitted", putting(lambda f: parts.step(f, "ringfence.admitted"), "rules", {}), "chain"),
    Mutation("a token goes on", putting(lambda f: parts.jwt(f)["providers"]["workload"], "forward", True), "setting"),
    Mutation(
        "old tokens", putting(lambda f: parts.jwt(f)["providers"]["live"], "require_expiration", False), "setting"
    ),
    Mutation("no audience", dropping(lambda f: parts.jwt(f)["providers"]["live"], "audiences"), "identity"),
    Mutation("another audience", adding(lambda f: parts.jwt(f)["providers"]["test"]["audiences"], "other"), "identity"),
    Mutation("any issuer", putting(lambda f: parts.jwt(f)["providers"]["workload"], "issuer", ""), "identity"),
    Mutation("much skew", putting(lambda f: parts.jwt(f)["providers"]["live"], "clock_skew_seconds", 3600), "identity"),
    Mutation(
        "keys from elsewhere",
        putting(lambda f: parts.jwt(f)["providers"]["live"], "remote_jwks", {"http_uri": {"uri": "https://x"}}),
        "field",
    ),
    Mutation("tokens in the path", putting(lambda f: parts.jwt(f)["providers"]["live"], "from_params", ["t"]), "field"),
    Mutation("a path without a token", lambda f: parts.jwt(f)["rules"][2]["match"].update(prefix="/v1"), "identity"),
    Mutation("a rule before all", lambda f: parts.jwt(f)["rules"].insert(0, {"match": {"prefix": "/"}}), "identity"),
    Mutation("no rule for the rest", dropping(lambda f: parts.jwt(f)["rules"], 2), "identity"),
    Mutation("a token is optional", lambda f: parts.jwt(f)["rules"][2].update(requires={"allow_missing": {}}), "field"),
    Mutation("no token is required", lambda f: parts.jwt(f)["rules"][2].pop("requires"), "identity"),
    Mutation("a bypass", putting(parts.jwt, "bypass_cors_preflight", True), "field"),
    Mutation("keys of another kind", putting(lambda f: parts.jwt(f)["providers"], "other", {}), "identity"),
    Mutation("any namespace's workloads", dropping(parts.principals, 0), "identity"),
    Mutation("a namespace by its beginning", lambda f: loosen(parts.principals(f)[0], {"prefix": "acme"}), "identity"),
    Mutation("another namespace's workloads", lambda f: loosen(parts.principals(f)[0], {"exact": "x"}), "identity"),
    Mutation("whoever came by any token", dropping(parts.principals, 2), "identity"),
    Mutation("anybody", putting(parts.workloads, "principals", [{"any": True}]), "identity"),
    Mutation("two rules in one", lambda f: parts.workloads(f)["principals"].append({"any": True}), "identity"),
    Mutation("whatever was noted", putting(parts.workloads, "permissions", [{"any": True}]), "identity"),
    Mutation("all but these", putting(parts.rules, "action", "DENY"), "identity"),
    Mutation(
        "no rules at all",
        dropping(lambda f: parts.host(f)["typed_per_filter_config"], "ringfence.admitted"),
        "identity",
    ),
    Mutation("a caller by a header", lambda f: parts.caller(f).update(value="%REQ(x-tenant)%"), "identity"),
    Mutation("a caller twice", adding(parts.told, header("x-rf-caller", "acme-dev/x")), "identity"),
    Mutation(
        "a client may say who he is",
        dropping(lambda f: parts.manager(f)["early_header_mutation_extensions"][0]["typed_config"]["mutations"], 0),
        "chain",
    ),
    Mutation("nothing is taken off", dropping(parts.manager, "early_header_mutation_extensions"), "chain"),
    Mutation("a client names its request", putting(parts.manager, "preserve_external_request_id", True), "setting"),
    Mutation("a path as it came", putting(parts.manager, "normalize_path", False), "setting"),
    Mutation("no word on paths", dropping(parts.manager, "normalize_path"), "chain"),
    Mutation(
        "escaped slashes pass", putting(parts.manager, "path_with_escaped_slashes_action", "KEEP_UNCHANGED"), "setting"
    ),
    Mutation(
        "underscores pass",
        putting(lambda f: parts.manager(f)["common_http_protocol_options"], "headers_with_underscores_action", "ALLOW"),
        "setting",
    ),
    Mutation("slow senders", dropping(parts.manager, "request_timeout"), "chain"),
    Mutation("upgrades", putting(parts.manager, "upgrade_configs", [{"upgrade_type": "CONNECT"}]), "field"),
    Mutation("errors as they are", dropping(parts.manager, "local_reply_config"), "chain"),
    Mutation(
        "readers that need not agree",
        lambda f: parts.step(f, "ringfence.agreement")["rules"]["policies"].clear(),
        "chain",
    ),
    Mutation("a model by a header", lambda f: parts.told(f)[0].update(header("x-rf-model", "%REQ(x-model)%")), "chain"),
    Mutation(
        "a route that was chosen before",
        dropping(lambda f: parts.step(f, "ringfence.wanted"), "clear_route_cache"),
        "chain",
    ),
)
