"""What the two data planes promise, side by side.

Law: what is not the same is written here: kept in another way, weaker, or refused; a refusal names its reason.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from ringfence.gateway.envoy_ai.refusals import Refusal


class Verdict(Enum):
    """How a promise of data plane `Envoy` fares with `EnvoyAIGateway`."""

    KEPT = "kept"
    BETTER = "better"
    WEAKER = "weaker"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Difference:
    """One promise."""

    promise: str
    envoy: str
    """How data plane `Envoy` keeps it."""
    engine: str
    """What the engine does."""
    verdict: Verdict
    refusal: Refusal | None = None
    """By which it is refused."""


DIFFERENCES: Final = (
    Difference(
        "Nobody calls without a token of the API server's",
        "verified by Envoy; 401 in JSON",
        "verified by Envoy (`SecurityPolicy`)",
        Verdict.KEPT,
    ),
    Difference(
        "A namespace and its accounts call their own routes only",
        "by the claims for namespace and account",
        "by the claim `sub`, which has both; the route matches it together with the model",
        Verdict.KEPT,
    ),
    Difference(
        "What is not allowed is denied",
        "403 `model_not_allowed` in JSON",
        "404",
        Verdict.KEPT,
    ),
    Difference(
        "Refusals are JSON as OpenAI's clients expect it",
        "each of them, with a request id",
        "in the engine's own words",
        Verdict.WEAKER,
    ),
    Difference(
        "New signing keys of the API server count within a minute",
        "read each minute; old and new are kept",
        "those of the moment stand in the `SecurityPolicy`: print and apply it anew, or callers are shut out",
        Verdict.WEAKER,
    ),
    Difference(
        "What is taken away is refused from the next configuration on",
        "the operator writes it",
        "whoever applies what is printed has to print it anew",
        Verdict.WEAKER,
    ),
    Difference(
        "Tricks with paths, headers and framing fail",
        "a suite of attempts runs against it",
        "what the engine does by itself; the suite does not run against it",
        Verdict.WEAKER,
    ),
    Difference(
        "One body has one model",
        "duplicate keys, BOM, arrays and trailing data are refused",
        "read by the engine's own parser; which of two keys counts is not promised",
        Verdict.WEAKER,
    ),
    Difference(
        "No field of a body names another model or destination, or has it kept",
        "[listed fields](request-fields.md) only; 400 `field_not_allowed` in JSON",
        "whatever a client writes goes on",
        Verdict.WEAKER,
    ),
    Difference(
        "A provider's key is seen by the tenant's own pods only",
        "mounted from the Secret; the operator can't read it",
        "read by the engine's controller, which serves every tenant and may read Secrets",
        Verdict.WEAKER,
    ),
    Difference(
        "A provider's key goes to its host only, the client's token to none",
        "in the filters of the upstream",
        "one `BackendSecurityPolicy` for each host, and the token taken off",
        Verdict.KEPT,
    ),
    Difference(
        "Hosts are asked for by name and verified, TLS 1.2 at least",
        "SNI and subject alternative name",
        "`BackendTLSPolicy` with the host's name, `minVersion` 1.2",
        Verdict.KEPT,
    ),
    Difference(
        "No prompt is logged, provably",
        "a linter passes every file; no filter could",
        "Envoy's own log has metadata only; the engine's processor sees each body, and what it logs is its own",
        Verdict.WEAKER,
    ),
    Difference(
        "A namespace is told its own models",
        "`/v1/models` by namespace",
        "the engine lists the models of all the tenant's routes to each of its callers",
        Verdict.WEAKER,
    ),
    Difference(
        "Requests of a route are limited", "each replica has its part", "the same, or by a service", Verdict.KEPT
    ),
    Difference(
        "Requests of the whole tenant are limited",
        "one filter before all routes",
        "not served",
        Verdict.REFUSED,
        Refusal.TENANT_LIMIT,
    ),
    Difference(
        "Tokens are limited",
        "estimated by each replica, or exactly by a service",
        "exactly where Envoy Gateway has a rate limit service; else the route is not served",
        Verdict.REFUSED,
        Refusal.TOKEN_LIMIT,
    ),
    Difference(
        "Gateway keys, each from its networks, revoked for good",
        "by prefix, uid and address",
        "not served",
        Verdict.REFUSED,
        Refusal.GATEWAY_KEYS,
    ),
    Difference(
        "Any Secret holds a provider's key",
        "whatever its key is called",
        "the Secret's key is `apiKey`; else the route is not served",
        Verdict.REFUSED,
        Refusal.SECRET_KEY,
    ),
    Difference(
        "Many namespaces and accounts call one route",
        "as many as fit into the configuration",
        "as many as fit into one expression; else it is not served",
        Verdict.REFUSED,
        Refusal.TOO_MANY_CALLERS,
    ),
    Difference(
        "A provider that speaks Anthropic's format",
        "translated; streaming is refused",
        "translated, streaming too",
        Verdict.BETTER,
    ),
    Difference(
        "Fallback by priority and weight, before the first byte",
        "each pool once",
        "each priority once",
        Verdict.KEPT,
    ),
    Difference(
        "Ready means served",
        "probed for the revision of the configuration, and updates that Envoy refused are seen",
        "what the engine says of its resources; its own filter may be missing all the same",
        Verdict.WEAKER,
    ),
    Difference(
        "A revision is promoted after it served in the environment before",
        "the gateway is seen to serve it",
        "nobody sees what the engine serves: the first environment follows the spec, others keep what they had",
        Verdict.WEAKER,
    ),
    Difference(
        "A request leads to the configuration that served it",
        "`config_rev` in each line of the log",
        "the line names the route's revision, by its cluster",
        Verdict.WEAKER,
    ),
    Difference("Usage by namespace, workload and hour", "collected beside Envoy", "not collected", Verdict.WEAKER),
)


def reference_data_planes() -> str:
    """The page of all differences, Markdown."""
    rows = "".join(
        f"| {each.promise} | {each.envoy} | {each.engine} | {each.verdict.value} |\n" for each in DIFFERENCES
    )
    refusals = "".join(f"- **{each.promise}**: {each.refusal.value}.\n" for each in DIFFERENCES if each.refusal)
    return f"""# The two data planes

Generated from `operator/ringfence/gateway/envoy_ai/differences.py` by `ringfence generate`. Do not edit.

`spec.gateway.dataPlane: Envoy` runs an Envoy of the tenant's own. `EnvoyAIGateway` is the same ModelRoutes for clusters
that have [Envoy AI Gateway](https://aigateway.envoyproxy.io) already, as resources of it. What it can't promise
is refused with a reason. What it promises less of is in this table and named by the command, which prints nothing until
somebody accepts that (`--accept-weaker`).

The operator writes none of that engine's resources and opens no way to its pods. `ringfence envoy-ai TENANT` prints
them, from what the operator's own planner makes of the cluster, for whoever runs the engine to apply. It says what is
refused, and ends with exit code 1 then.

| Promise | `Envoy` | `EnvoyAIGateway` | |
|---|---|---|---|
{rows}
## Why it refuses

{refusals}"""
