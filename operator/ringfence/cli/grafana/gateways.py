"""The dashboard of the gateways: what their collectors and their Envoys tell."""

from typing import Final

from ringfence.cli.grafana.dashboard import Dashboard, Panel, Query, Variable, quantiles, rate
from ringfence.usage.outcome import Outcome

_REQUESTS: Final = "ringfence_gateway_requests_total"
_CHOSEN: Final = '{namespace=~"$namespace",route=~"$route"}'
_SERVED: Final = f'{_CHOSEN[:-1]},outcome="{Outcome.SERVED.value}"}}'
_ENTRANCE: Final = '{envoy_http_conn_manager_prefix="gateway"}'
_REJECTED: Final = (
    ("envoy_listener_manager_lds_update_rejected", "listeners"),
    ("envoy_cluster_manager_cds_update_rejected", "providers"),
    ("envoy_http_rds_update_rejected", "routes"),
    ("envoy_sds_update_rejected", "keys and certificates"),
)

GATEWAYS: Final = Dashboard(
    uid="ringfence-gateways",
    title="Ringfence / gateways",
    description="Requests to models by namespace and route, and how the gateways fare.",
    variables=(
        Variable("namespace", "Caller's namespace", f"label_values({_REQUESTS}, namespace)"),
        Variable("route", "Route", f'label_values({_REQUESTS}{{namespace=~"$namespace"}}, route)'),
    ),
    panels=(
        Panel("Requests by outcome", "What came of them.", "reqps", (rate(_REQUESTS, "outcome", _CHOSEN),)),
        Panel("Requests by route", "Whatever came of them.", "reqps", (rate(_REQUESTS, "route", _CHOSEN),)),
        Panel(
            "Time of served requests",
            "From the first byte of a request to the last of its answer.",
            "s",
            quantiles("ringfence_gateway_request_seconds", _SERVED),
        ),
        Panel(
            "Tokens",
            "In a second, as providers told them.",
            "cps",
            (rate("ringfence_gateway_tokens_total", "kind", _CHOSEN),),
        ),
        Panel(
            "Answers of providers",
            "By class of their status, each attempt by itself.",
            "reqps",
            (
                Query(
                    "sum by (envoy_cluster_name, envoy_response_code_class) "
                    "(rate(envoy_cluster_upstream_rq_xx[$__rate_interval]))",
                    "{{envoy_cluster_name}} {{envoy_response_code_class}}xx",
                ),
            ),
        ),
        Panel(
            "Connections of callers",
            "That are open, by replica.",
            "short",
            (Query(f"sum by (instance) (envoy_http_downstream_cx_active{_ENTRANCE})", "{{instance}}"),),
        ),
        Panel(
            "Configurations that Envoy refused",
            "It goes on with what it had: GatewayReady of the Tenant says what is wrong.",
            "short",
            tuple(Query(f"sum(increase({metric}[$__rate_interval]))", kind) for metric, kind in _REJECTED),
        ),
        Panel(
            "Access log that waits to be counted",
            "What grows here is usage that nobody knows yet.",
            "bytes",
            (Query("sum by (instance) (ringfence_collector_unread_bytes)", "{{instance}}"),),
        ),
    ),
)
