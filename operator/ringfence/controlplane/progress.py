"""Says on standard error what takes long, and shows that it lives; standard output stays for results."""

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TextIO

_TERMINAL_PERIOD: Final = 1.0  # seconds between repaints of one line
_LOG_PERIOD: Final = 15.0  # seconds between lines where nothing can be repainted: CI logs
_CLEAR: Final = "\r\x1b[K"


@dataclass
class Progress:
    """Reports to people. `quiet` keeps silent."""

    quiet: bool = False
    stream: TextIO = field(default_factory=lambda: sys.stderr)

    def say(self, text: str) -> None:
        """Print one line."""
        if not self.quiet:
            print(text, file=self.stream, flush=True)

    @contextmanager
    def task(self, what: str) -> Iterator[Callable[[str], None]]:
        """Show `what` with its elapsed time until the block ends; call the yielded function with the latest detail."""
        started = time.monotonic()
        latest = [""]
        done = threading.Event()
        painter = threading.Thread(target=self._paint, args=(what, started, latest, done), daemon=True)
        painter.start()
        try:
            yield lambda detail: latest.__setitem__(0, detail)
        finally:
            done.set()
            painter.join()
        self.say(f"{what}: done in {_elapsed(started)}")

    def _paint(self, what: str, started: float, latest: list[str], done: threading.Event) -> None:
        terminal = self.stream.isatty()
        if not terminal:
            self.say(f"{what} ...")
        while not done.wait(_TERMINAL_PERIOD if terminal else _LOG_PERIOD):
            line = f"{what}: {_elapsed(started)}  {latest[0]}"
            if terminal and not self.quiet:
                print(f"{_CLEAR}{line[: shutil.get_terminal_size().columns - 1]}", end="", file=self.stream, flush=True)
            else:
                self.say(line)
        if terminal and not self.quiet:
            print(_CLEAR, end="", file=self.stream, flush=True)


def _elapsed(started: float) -> str:
    minutes, seconds = divmod(int(time.monotonic() - started), 60)
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
