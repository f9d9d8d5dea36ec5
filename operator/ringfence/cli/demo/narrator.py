"""The demo's voice: a line a step, with the time it took; while a step runs, a spinner where there is a terminal."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDTH: Final = 100  # columns, where no terminal says how many it has


@dataclass
class Step:
    """One step of the story. Its result is told when it has come true."""

    what: str
    result: str = ""


@dataclass
class Narrator:
    """Prints to standard output."""

    console: Console = field(
        default_factory=lambda: Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    )

    def title(self, text: str) -> None:
        """Open a chapter."""
        self.console.print(f"\n{text}", style="bold")

    @contextmanager
    def step(self, what: str) -> Iterator[Step]:
        """Do something; once the block ends well, print it with its result."""
        step = Step(what)
        started = time.monotonic()
        with self.console.status(what):
            yield step
        seconds = f"{time.monotonic() - started:5.1f} s  "
        self.console.print(Text.assemble(("✓ ", "green"), (seconds, "dim"), step.what), soft_wrap=True)
        for line in step.result.splitlines():
            self.console.print(Text(f"            {line}", style="cyan"), soft_wrap=True)

    def show(self, table: Table) -> None:
        """Print a table."""
        self.console.print()
        self.console.print(table)

    def say(self, text: str) -> None:
        """Print a line."""
        self.console.print(text, markup=False, soft_wrap=True)

    def broken(self, text: str) -> None:
        """Say that a claim does not hold."""
        self.console.print(Text.assemble(("✗ ", "bold red"), text), soft_wrap=True)
