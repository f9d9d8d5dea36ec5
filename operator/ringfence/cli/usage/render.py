"""Usage as columns, JSON, YAML or CSV.

Law: every form has the same numbers; JSON and YAML have all of them.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ringfence.cli.lineage.output import utc_time
from ringfence.cli.output import print_columns, print_structured, printable
from ringfence.usage.outcome import Outcome
from ringfence.usage.report import Dimension, Group
from ringfence.usage.tally import BOUNDS, Numbers

_NUMBERS: Final = (
    *("requests", "served", "refused", "limited", "failed", "abandoned"),
    *("promptTokens", "completionTokens", "totalTokens", "unmetered"),
)
_SHORT: Final = ("requests", "served", "refused", "failed", "totalTokens")
_HEADERS: Final = {name: name.upper() for name in _NUMBERS} | {
    "promptTokens": "PROMPT",
    "completionTokens": "COMPLETION",
    "totalTokens": "TOKENS",
}
_SHARES: Final = {"P50": 0.5, "P95": 0.95}


@dataclass(frozen=True, slots=True)
class Line:
    """One group of one tenant."""

    tenant: str
    group: Group

    def numbers(self) -> dict[str, int]:
        """What every form shows."""
        group, everything = self.group, self.group.numbers
        counts = (
            everything.requests,
            group.requests(Outcome.SERVED),
            group.refused,
            group.requests(Outcome.LIMITED),
            group.requests(Outcome.FAILED, Outcome.REJECTED),
            group.requests(Outcome.ABANDONED),
            everything.prompt_tokens,
            everything.completion_tokens,
            everything.total_tokens,
            everything.unmetered,
        )
        return dict(zip(_NUMBERS, counts, strict=True))


def _columns(shown: Sequence[str]) -> "Renderer":
    def render(dimensions: Sequence[Dimension], lines: Sequence[Line]) -> None:
        header = ("TENANT", *(each.name for each in dimensions), *(_HEADERS[name] for name in shown), *_SHARES)
        print_columns(header, [_cells(dimensions, line, shown) for line in lines])

    return render


def _cells(dimensions: Sequence[Dimension], line: Line, shown: Sequence[str]) -> tuple[str, ...]:
    numbers, served = line.numbers(), line.group.served
    counts = (str(numbers[name]) for name in shown)
    return (line.tenant, *_values(dimensions, line.group), *counts, *(_within(served, name) for name in _SHARES))


def _values(dimensions: Sequence[Dimension], group: Group) -> list[str]:
    return [
        utc_time(int(value) * 1000) if dimension is Dimension.HOUR else str(value)
        for dimension, value in zip(dimensions, group.values, strict=True)
    ]


def _within(served: Numbers, name: str) -> str:
    """In what time this share of the answers had ended: one of the bounds by which durations are counted."""
    if not served.requests:
        return "-"
    bound = served.within(_SHARES[name])
    return f">{BOUNDS[-1]}ms" if bound is None else f"{bound}ms"


def _structured(form: str) -> "Renderer":
    def render(dimensions: Sequence[Dimension], lines: Sequence[Line]) -> None:
        usage = [_value(dimensions, line) for line in lines]
        print_structured({"version": 1, "usage": usage}, "json" if form == "json" else "yaml")

    return render


def _value(dimensions: Sequence[Dimension], line: Line) -> dict[str, Any]:
    numbers, served = line.group.numbers, line.group.served
    return {
        "tenant": line.tenant,
        **{each.value: value for each, value in zip(dimensions, _values(dimensions, line.group), strict=True)},
        **line.numbers(),
        "outcomes": {outcome.value: each.requests for outcome, each in line.group.outcomes.items()},
        "bytesIn": numbers.bytes_in,
        "bytesOut": numbers.bytes_out,
        "servedMilliseconds": served.milliseconds,
        "servedWithinMilliseconds": dict(zip((*map(str, BOUNDS), "longer"), served.durations, strict=True)),
    }


def _csv(dimensions: Sequence[Dimension], lines: Sequence[Line]) -> None:
    """As RFC 4180, with a header."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["tenant", *(each.value for each in dimensions), *_NUMBERS])
    for line in lines:
        values = [printable(value) if value else "" for value in _values(dimensions, line.group)]
        writer.writerow([line.tenant, *values, *line.numbers().values()])
    print(text.getvalue(), end="")


Renderer = Callable[[Sequence[Dimension], Sequence[Line]], None]
RENDERERS: Final[Mapping[str, Renderer]] = {
    "text": _columns(_SHORT),
    "wide": _columns(_NUMBERS),
    "json": _structured("json"),
    "yaml": _structured("yaml"),
    "csv": _csv,
}
