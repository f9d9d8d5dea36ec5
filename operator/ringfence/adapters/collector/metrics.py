"""What the collector tells Prometheus: the same sums, without workloads, and how it fares itself.

Law: labels are names that the configuration gave; who called is in the usage, not here.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Gauge, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from ringfence.usage.outcome import Outcome
from ringfence.usage.tally import BOUNDS, NOTHING, Key, Numbers

_Series = tuple[str, str, Outcome]
"""Namespace, route, outcome."""


class Metrics(Collector):
    """Sums since this process began."""

    def __init__(self) -> None:
        self._series: dict[_Series, Numbers] = {}
        self._lines: Counter[str] = Counter()
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self.unread = Gauge("ringfence_collector_unread_bytes", "Of the access log.", registry=self._registry)
        self.occupied = Gauge(
            "ringfence_collector_log_bytes", "That the access log takes of its volume.", registry=self._registry
        )
        self._registry.register(self)

    def took(self, numbers: Mapping[Key, Numbers], *, own: int) -> None:
        """Note what was counted."""
        for key, added in numbers.items():
            series = (key.namespace, key.route, key.outcome)
            self._series[series] = self._series.get(series, NOTHING).plus(added)
            self._lines["unread" if key.outcome is Outcome.UNREAD else "counted"] += added.requests
        self._lines.update(own=own)

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """See `prometheus_client.registry.Collector`."""
        series = sorted(self._series.items())
        yield from (self._line_counts(), _requests(series), _tokens(series), _durations(series))

    def _line_counts(self) -> Metric:
        lines = CounterMetricFamily("ringfence_collector_lines", "Lines of the access log.", labels=["result"])
        for result, count in sorted(self._lines.items()):
            lines.add_metric([result], count)
        return lines


def _requests(series: Iterable[tuple[_Series, Numbers]]) -> Metric:
    family = CounterMetricFamily(
        "ringfence_gateway_requests", "Requests that ended.", labels=["namespace", "route", "outcome"]
    )
    for labels, numbers in series:
        family.add_metric(labels, numbers.requests)
    return family


def _tokens(series: Iterable[tuple[_Series, Numbers]]) -> Metric:
    labels = ["namespace", "route", "outcome", "kind"]
    family = CounterMetricFamily("ringfence_gateway_tokens", "Tokens as providers told them.", labels=labels)
    for names, numbers in series:
        family.add_metric([*names, "prompt"], numbers.prompt_tokens)
        family.add_metric([*names, "completion"], numbers.completion_tokens)
    return family


def _durations(series: Iterable[tuple[_Series, Numbers]]) -> Metric:
    labels = ["namespace", "route", "outcome"]
    family = HistogramMetricFamily("ringfence_gateway_request_seconds", "From first byte to last.", labels=labels)
    for names, numbers in series:
        family.add_metric(names, list(_cumulated(numbers)), numbers.milliseconds / 1000)
    return family


def _cumulated(numbers: Numbers) -> Iterator[tuple[str, int]]:
    """Buckets as Prometheus counts them: each has all that was quicker, too."""
    count = 0
    for bound, more in zip((*BOUNDS, None), numbers.durations, strict=True):
        count += more
        yield ("+Inf" if bound is None else str(bound / 1000), count)
