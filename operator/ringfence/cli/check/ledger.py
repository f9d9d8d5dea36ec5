"""The record: it opens, and ends where its last checkpoint or its own tree says.

Law: it is read, and quickly: `ringfence lineage verify` reads all of it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ringfence.cli.check.finding import Finding, failed, warning, well

if TYPE_CHECKING:
    from ringfence.ports.ledger import LedgerReader


class Log(NamedTuple):
    """One log at its end."""

    name: str
    size: int
    last: int
    """The number of its last row; -1 where it has none."""
    published: int | None
    """How many leaves its published checkpoint speaks of; None where there is none."""
    broken: str = ""
    """Why it can't be read."""


def read(reader: "LedgerReader") -> list[Log]:
    """Look at the end of every log."""
    return [_read(reader, name) for name in reader.logs()]


def _read(reader: "LedgerReader", name: str) -> Log:
    from ringfence.lineage.checkpoint import parse_checkpoint
    from ringfence.lineage.note import NoteError
    from ringfence.ports.ledger import LedgerError

    try:
        with reader.open(name) as view:
            latest = view.latest(1)
            note = view.published()
            size = parse_checkpoint(note).checkpoint.size if note else None
            return Log(name, view.head.size, latest[0].index if latest else -1, size)
    except (LedgerError, NoteError) as error:
        return Log(name, 0, -1, None, str(error))


def judge_ledger(logs: Sequence[Log]) -> Finding:
    """Whether every log ends as it says."""
    step = "ringfence lineage verify"
    if broken := [f"{each.name}: {each.broken}" for each in logs if each.broken]:
        return failed("ledger", "; ".join(broken), step)
    if cut := [each.name for each in logs if each.last != each.size - 1 or (each.published or 0) > each.size]:
        return failed("ledger", f"shorter than it should be: {', '.join(cut)}", step)
    if not logs:
        return warning("ledger", "there is no record yet")
    return well("ledger", f"{len(logs)} logs, {sum(each.size for each in logs)} entries; {step} reads all of it")
