"""Libraries load what they find, needed or not; a process that runs for months need not hold it.

Law: what is hidden while one library is imported is there again for everybody else.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def absent(module: str) -> Iterator[None]:
    """Let what is imported in this block find that ``module`` is not installed, unless it is loaded already."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]  # the import system's sign for "not there"
    try:
        yield
    finally:
        del sys.modules[module]
