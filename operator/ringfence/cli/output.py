"""How results are printed: columns as kubectl has them, JSON, or YAML.

Law: what is printed to a terminal has no control characters, whoever wrote it.
"""

from collections.abc import Sequence
from typing import Any, Literal

Format = Literal["text", "json", "yaml"]


def print_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with aligned columns and no lines."""
    lines = [[printable(cell) for cell in row] for row in (header, *rows)]
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


def printable(text: str) -> str:
    """The text without control characters; a dash where there is none."""
    return "".join(char if char.isprintable() else "�" for char in text) or "-"
