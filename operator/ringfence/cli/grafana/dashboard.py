"""One dashboard, in Grafana's classic JSON model.

Law: what is drawn is a table of queries; how it is drawn is one template for all of them.
Source: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/, classic model,
`schemaVersion` 39 (Grafana 10.4), which later releases read.
"""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from ringfence.text import JSON, template

_TEMPLATE: Final = template(__package__, "dashboard.json.jinja", JSON)
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}

Unit = Literal["Bps", "bytes", "cps", "ops", "reqps", "s", "short"]
"""Of Grafana: https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts."""


class Query(NamedTuple):
    """Series, and what each is called."""

    expression: str
    """PromQL."""
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture."""

    title: str
    description: str
    unit: Unit
    queries: tuple[Query, ...]
    type: Literal["timeseries", "stat"] = "timeseries"


@dataclass(frozen=True, slots=True)
class Variable:
    """Something that people choose; all of it where they don't."""

    name: str
    title: str
    query: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """All panels, two beside each other."""

    uid: str
    title: str
    description: str
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...] = ()

    @property
    def text(self) -> str:
        """The file for Grafana."""
        return _TEMPLATE.render(dashboard=self, source=_SOURCE)


def rate(metric: str, by: str, chosen: str = "") -> Query:
    """How quickly a counter grows, in a second, by one of its labels."""
    return Query(f"sum by ({by}) (rate({metric}{chosen}[$__rate_interval]))", f"{{{{{by}}}}}")


def quantiles(histogram: str, chosen: str = "") -> tuple[Query, ...]:
    """The median of a histogram, and what 95 and 99 of a hundred stay below."""
    buckets = f"sum by (le) (rate({histogram}_bucket{chosen}[$__rate_interval]))"
    return tuple(Query(f"histogram_quantile({each}, {buckets})", f"p{round(100 * each)}") for each in (0.5, 0.95, 0.99))
