"""What the panels of a dashboard ask of Prometheus, against what somebody exposes."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from ringfence.cli.grafana.dashboard import Dashboard

_METRIC: Final = re.compile(r"\b(?:envoy|process|ringfence)_\w+")
_LABELS: Final = re.compile(r"by \(([^)]*)\)|[{,](\w+)=")
_NO_METRIC: Final = re.compile(r"by \([^)]*\)|\{[^}]*\}")
_SAMPLE: Final = re.compile(r"^(\w+)(?:\{(.*)\})? ", re.MULTILINE)
_LABEL: Final = re.compile(r'(\w+)="')
_BY_PROMETHEUS: Final = {"instance"}
"""Labels that come with the target."""


def parsed(dashboard: Dashboard) -> Any:
    """What Grafana reads."""
    return json.loads(dashboard.text)


def told(exposition: str) -> dict[str, set[str]]:
    """Labels by metric, under the very names: prometheus_client's parser adds a `_total` to counters without one."""
    found: dict[str, set[str]] = {}
    for name, labels in _SAMPLE.findall(exposition):
        found.setdefault(name, set()).update(_LABEL.findall(labels))
    return found


def asked(dashboard: Dashboard, *prefixes: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric that begins so, with the labels that are asked of it, by panels and by variables."""
    for expression in _expressions(dashboard):
        groups = (by or label for by, label in _LABELS.findall(expression))
        labels = {label for group in groups for label in group.split(", ")}
        metrics: list[str] = _METRIC.findall(_NO_METRIC.sub("", expression))
        assert metrics, expression
        yield from ((metric, labels) for metric in metrics if metric.startswith(prefixes))


def lacking(dashboard: Dashboard, exposition: str, *prefixes: str) -> set[str]:
    """Metrics of a dashboard that nobody tells, or not with these labels."""
    found = told(exposition)
    return {
        f"{metric} {labels}"
        for metric, labels in asked(dashboard, *prefixes)
        if metric not in found or not labels <= found[metric] | _BY_PROMETHEUS
    }


def _expressions(dashboard: Dashboard) -> list[str]:
    panels = [query["expr"] for panel in parsed(dashboard)["panels"] for query in panel["targets"]]
    return panels + [each["query"]["query"] for each in parsed(dashboard)["templating"]["list"][1:]]
