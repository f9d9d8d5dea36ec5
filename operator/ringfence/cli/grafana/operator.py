"""The dashboard of the operator: whether the fence stands, and whether anybody keeps it."""

from typing import Final

from ringfence.cli.grafana.dashboard import Dashboard, Panel, Query, quantiles, rate


def _now(metric: str, legend: str) -> Query:
    return Query(f"max({metric})", legend)


OPERATOR: Final = Dashboard(
    uid="ringfence-operator",
    title="Ringfence / operator",
    description="Whether policies refuse what they should, who leads, what is written and what waits.",
    panels=(
        Panel(
            "In force",
            "Each is 1 while all is well: policies refuse, somebody leads, everything is known.",
            "short",
            (
                _now("ringfence_policies_in_force", "policies refuse"),
                _now("ringfence_leader", "leads"),
                _now("ringfence_synced", "knows everything"),
            ),
            type="stat",
        ),
        Panel(
            "Policies that are not as they should be",
            "Silent ones let through what they should refuse; drifted ones are not as shipped.",
            "short",
            (
                _now("ringfence_policies_silent", "silent"),
                _now("ringfence_policies_drifted", "drifted"),
            ),
            type="stat",
        ),
        Panel(
            "Repairs", "Of what somebody changed by hand.", "ops", (rate("ringfence_drift_repairs_total", "resource"),)
        ),
        Panel("Time to repair", "From noticing to the write.", "s", quantiles("ringfence_drift_repair_seconds")),
        Panel("Looks at objects", "By their result.", "ops", (rate("ringfence_reconciles_total", "result"),)),
        Panel("Time of a look", "From start to end.", "s", quantiles("ringfence_reconcile_seconds")),
        Panel("Writes", "To the API server, by their result.", "ops", (rate("ringfence_writes_total", "result"),)),
        Panel(
            "Waiting",
            "Objects to be looked at, objects being looked at, and calls to the API server.",
            "short",
            (
                _now("ringfence_queue_depth", "queue"),
                _now("ringfence_working", "at work"),
                _now("ringfence_in_flight", "calls"),
            ),
        ),
        Panel(
            "Record",
            "Appends to the ledger: an error stops every change.",
            "ops",
            (rate("ringfence_ledger_appends_total", "result"),),
        ),
        Panel("Looks at gateways", "By what was seen.", "ops", (rate("ringfence_gateway_looks_total", "result"),)),
        Panel(
            "Usage", "Collectors asked for what they counted.", "ops", (rate("ringfence_usage_pulls_total", "result"),)
        ),
        Panel(
            "Memory",
            "Of the operator's process.",
            "bytes",
            (_now("process_resident_memory_bytes and on (instance) ringfence_leader", "resident"),),
        ),
    ),
)
