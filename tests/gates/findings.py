"""What scanners find, and the reasons why some of it stands.

Laws: a finding without a reason fails the gate, and so does a reason without a finding; a reason is a sentence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import yaml

EXCEPTIONS: Final = Path(__file__).with_name("exceptions.yaml")


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that a scanner objects to."""

    scanner: str
    rule: str
    subject: str
    """The object as `Kind/namespace/name`, the file, or the package."""
    message: str

    def __str__(self) -> str:
        return f"{self.scanner} {self.rule}: {self.subject}: {self.message}"


@dataclass(frozen=True)
class Accepted:
    """A kind of finding that stands, and why. `*` in the subject stands for anything."""

    scanner: str
    rule: str
    subject: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether the reason is about that finding."""
        same = (self.scanner, self.rule) == (finding.scanner, finding.rule)
        return same and fnmatchcase(finding.subject, self.subject)


def accepted(path: Path = EXCEPTIONS) -> Sequence[Accepted]:
    """Read the checked-in reasons. Raises ValueError for one that gives none."""
    found = [Accepted(**entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8"))]
    if silent := [each for each in found if len(each.reason.split()) < 4]:
        raise ValueError(f"{path}: give a reason in a sentence: {silent}")
    return found


def unexplained(findings: Iterable[Finding], reasons: Sequence[Accepted]) -> list[Finding]:
    """Return the findings that nobody gave a reason for."""
    return sorted(finding for finding in set(findings) if not any(reason.covers(finding) for reason in reasons))


def outdated(findings: Iterable[Finding], reasons: Sequence[Accepted], scanners: Iterable[str]) -> list[Accepted]:
    """Return the reasons, about these scanners, that explain nothing any more."""
    found, ran = list(findings), set(scanners)
    return [each for each in reasons if each.scanner in ran and not any(each.covers(finding) for finding in found)]
