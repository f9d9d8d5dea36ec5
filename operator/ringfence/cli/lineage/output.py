"""How results are printed: columns as kubectl has them, JSON, or YAML.

Law: what is printed to a terminal has no control characters, whoever wrote the record.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ringfence.cli.lineage.options import Format


def print_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with aligned columns and no lines."""
    lines = [[_printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_structured(value: Any, output: Format) -> None:
    """Print JSON or YAML."""
    if output == "json":
        import json

        print(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False))
    else:
        import yaml

        print(yaml.safe_dump(value, sort_keys=True, allow_unicode=True), end="")


def utc_time(time_ms: int | None) -> str:
    """The time in UTC to the second; a dash where it is not known."""
    if time_ms is None:
        return "-"
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "�" for char in text) or "-"
