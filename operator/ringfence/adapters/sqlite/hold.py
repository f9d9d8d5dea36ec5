"""One operator a ledger directory: a lock for as long as the process lives, and the name under which it is elected.

Law: whoever holds the directory is the same operator as before, on whatever machine; so a restart need not wait for
a lease that its own predecessor left behind.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

_FILE: Final = "operator.lock"


class HeldError(Exception):
    """Another process uses the ledger; the message names it."""


@contextmanager
def hold(directory: Path) -> Iterator[str]:
    """Hold the directory while the block runs; yields the name that belongs to it.

    Raises:
        HeldError: another process holds it.
        OSError: nothing can be written there.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / _FILE
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise HeldError(f"{directory} is in use by another operator; end that one first") from error
        name = file.read().strip()
        if not name:
            name = str(uuid4())
            file.write(name)
            file.flush()
        yield name
