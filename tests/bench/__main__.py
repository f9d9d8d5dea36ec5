"""`make bench`: both contenders, side by side, at each size; figures as a Markdown table on standard output."""

import argparse
import json
from dataclasses import asdict, fields
from pathlib import Path

from tests.bench.contenders import reference, ringfence
from tests.bench.scenario import Figures, measure

_HEADINGS = {
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
_RATIOS = ("converge", "cpu_each", "requests_each", "rss", "drift_p50", "drift_p95", "restart")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[10, 100, 1000], help="numbers of Namespaces")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    arguments = parser.parse_args()
    figures: list[Figures] = []
    print(_row(list(_HEADINGS.values())))
    print(_row(["---"] * len(_HEADINGS)), flush=True)
    for size in arguments.sizes:
        ours, peer = measure(ringfence, size), measure(reference, size)
        figures += [ours, peer]
        print("\n".join([_figures(ours), _figures(peer), _ratio(ours, peer)]), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(each) for each in figures], indent=2) + "\n")


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


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
