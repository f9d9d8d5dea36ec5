"""`make bench`: each part prints its figures as a Markdown table on standard output.

`python -m tests.bench operator 10 100` is the operator beside a Go controller at these sizes, `admission 500` what
policies add to a request among so many tenants, `fairness` what one tenant's flood costs another, `incident` how soon a
quarantine is closed, and `gateway 2000` what so many requests cost more through a gateway, beside LiteLLM's proxy.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from statistics import median
from typing import Final

from tests.bench import incident
from tests.bench.admission.cost import measure as measure_cost
from tests.bench.contenders import reference, ringfence
from tests.bench.fairness import measure as measure_fairness
from tests.bench.gateway.overhead import measure as measure_overhead
from tests.bench.scenario import Figures, measure

_HEADINGS: Final = {
    "contender": "contender",
    "namespaces": "Namespaces",
    "converge": "converge s",
    "cpu_each": "CPU ms each",
    "requests_each": "requests each",
    "reads": "GETs",
    "rss": "RSS MB",
    "idle": "idle CPU %",
    "drift_p50": "drift p50 ms",
    "drift_p95": "drift p95 ms",
    "restart": "restart s",
    "restart_writes": "restart writes",
}
_RATIOS: Final = ("converge", "cpu_each", "requests_each", "rss", "drift_p50", "drift_p95", "restart")
_REPEATS: Final = 300
"""Of each request, to each of the two servers."""


def main() -> None:
    """Measure what is asked for, or everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=list(_PARTS), help="default: all parts")
    parser.add_argument("sizes", nargs="*", type=int, help="numbers of Namespaces, or of tenants")
    arguments = parser.parse_args()
    for name in [arguments.part] if arguments.part else _PARTS:
        _PARTS[name](arguments.sizes)


def _operator(sizes: Sequence[int]) -> None:
    """Both contenders, side by side, at each size."""
    _head(list(_HEADINGS.values()))
    for size in sizes or (10, 100, 1000):
        ours, peer = measure(ringfence, size), measure(reference, size)
        print("\n".join([_figures(ours), _figures(peer), _ratio(ours, peer)]), flush=True)


def _admission(sizes: Sequence[int]) -> None:
    """What policies add to each kind of request."""
    for size in sizes or (500,):
        _head([f"request ({size} tenants)", "p50 ms without", "with", "added", "p95 ms without", "with"])
        added = []
        for cost in measure_cost(size, _REPEATS):
            figures = (cost.without[0], cost.guarded[0], cost.added, cost.without[1], cost.guarded[1])
            print(_row([cost.title, *map(_cell, figures)]), flush=True)
            added.append(cost.added)
        print(_row(["all of these writes, each as often", "", "", _cell(median(added[1:])), "", ""]), flush=True)


def _fairness(sizes: Sequence[int]) -> None:
    """What a flood of so many writes costs another tenant."""
    _head(["writes", "Ready alone s", "during the flood s", "times longer", "measured", "writes a second", "put off"])
    for size in sizes or (10_000,):
        found = measure_fairness(writes=size)
        figures = (
            found.writes,
            found.alone,
            found.flooded,
            found.ratio,
            found.measured,
            found.per_second,
            found.refused,
        )
        print(_row([_cell(each) for each in figures]), flush=True)


def _incident(sizes: Sequence[int]) -> None:
    """How soon a quarantined tenant is closed, in so many rounds."""
    for size in sizes or (25,):
        incident.show(size)


def _gateway(sizes: Sequence[int]) -> None:
    """What a gateway adds to so many requests, each by turns."""
    _head(["through", "p50 ms", "times bare", "p95 ms", "times bare", "own CPU ms each", "RSS MB"])
    for size in sizes or (2000,):
        bare, *gateways = measure_overhead(size)
        for each in (bare, *gateways):
            p50, p95 = each.p50 / bare.p50, each.p95 / bare.p95
            print(_row([each.name, *map(_cell, (each.p50, p50, each.p95, p95, each.cpu, each.rss))]), flush=True)


_PARTS: Final[Mapping[str, Callable[[Sequence[int]], None]]] = {
    "operator": _operator,
    "admission": _admission,
    "fairness": _fairness,
    "incident": _incident,
    "gateway": _gateway,
}


def _figures(figures: Figures) -> str:
    return _row([_cell(getattr(figures, field.name)) for field in fields(figures)])


def _ratio(ours: Figures, peer: Figures) -> str:
    """Ringfence divided by its peer, where a ratio means something."""
    cells = [_quotient(ours, peer, field.name) if field.name in _RATIOS else "" for field in fields(ours)]
    return _row(["ratio", str(ours.namespaces), *cells[2:]])


def _quotient(ours: Figures, peer: Figures, name: str) -> str:
    divisor = getattr(peer, name)
    return f"{getattr(ours, name) / divisor:.2f}" if divisor else ""


def _cell(value: str | float) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _head(headings: Sequence[str]) -> None:
    print("\n".join([_row(headings), _row(["---"] * len(headings))]), flush=True)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
