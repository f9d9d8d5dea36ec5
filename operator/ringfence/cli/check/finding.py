"""What a check says: a line with a sign, words and the next step.

Law: what could not be known is never said to be well.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class Grade(Enum):
    """How it is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"

    @property
    def sign(self) -> str:
        """One character for the table."""
        return {"ok": "✓", "warning": "!", "failed": "✗"}[self.value]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line."""

    check: str
    grade: Grade
    words: str
    step: str = ""
    """What to do next; empty where nothing is."""

    @property
    def value(self) -> dict[str, Any]:
        """The line for scripts."""
        return {**asdict(self), "grade": self.grade.value}


def well(check: str, words: str) -> Finding:
    """All is as it should be."""
    return Finding(check, Grade.OK, words)


def warning(check: str, words: str, step: str = "") -> Finding:
    """It works, but somebody should know."""
    return Finding(check, Grade.WARNING, words, step)


def failed(check: str, words: str, step: str = "") -> Finding:
    """It does not hold."""
    return Finding(check, Grade.FAILED, words, step)


def is_bad(findings: Iterable[Finding], *, strict: bool) -> bool:
    """Whether a script should stop."""
    bad = {Grade.FAILED, Grade.WARNING} if strict else {Grade.FAILED}
    return any(each.grade in bad for each in findings)
