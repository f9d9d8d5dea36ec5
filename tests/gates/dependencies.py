"""What the package index knows against the locked releases: advisories, and releases that were taken back.

Laws: an advisory or a withdrawn release is a finding, and so is a release that was skipped. Some indexes tell of the
newest release of a project only. A release that was newest when it was locked is audited then, which is written down;
while that is not too long ago it counts. `make audit` writes it.

`pip-audit` asks the same service. Where only the newest releases are served it skips, and its strict mode never passes.
"""

import datetime
import json
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.gates.findings import Finding

AUDITS: Final = Path(__file__).with_name("audits.json")
"""Releases, and the day on which the index was last asked about each."""
VALID: Final = datetime.timedelta(days=90)
"""So long an audit counts for a release that the index does not tell of any more."""
_SIMPLE: Final = "/simple"
_TIMEOUT: Final = 60.0  # seconds
_AT_ONCE: Final = 8

Fetch = Callable[[str], dict[str, Any] | None]
"""Gets a document by its address; None where there is none."""
Audits = Mapping[str, str]
"""Days, as ISO 8601 has them, by release."""


@dataclass(frozen=True, order=True)
class Package:
    """One locked release."""

    name: str
    version: str
    index: str
    """Address of the index's root."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Answer:
    """What the index says of one release."""

    package: Package
    vulnerabilities: Sequence[dict[str, Any]] | None
    """None where it can't be known now."""
    yanked: bool


def locked(lock: Path) -> list[Package]:
    """Read the releases that come from an index from a `uv.lock`."""
    found = tomllib.loads(lock.read_text(encoding="utf-8"))["package"]
    return sorted(
        Package(each["name"], each["version"], each["source"]["registry"].removesuffix(_SIMPLE))
        for each in found
        if "registry" in each["source"]
    )


def ask(packages: Sequence[Package], fetch: Fetch | None = None) -> list[Answer]:
    """Ask about each. Raises OSError where the index can't be reached."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda package: _ask(package, fetch or _fetch), packages))


def findings(answers: Sequence[Answer], audits: Audits, today: datetime.date) -> Iterator[Finding]:
    """Judge the answers."""
    for answer in answers:
        subject = str(answer.package)
        if answer.yanked:
            yield Finding("dependencies", "yanked", subject, "the release was taken back by its authors")
        for each in answer.vulnerabilities or ():
            yield Finding("dependencies", each["id"], subject, each.get("summary") or each["details"].strip()[:120])
        if answer.vulnerabilities is None and not _counts(audits.get(subject), today):
            message = f"nobody asked about this release within {VALID.days} days; lock the newest one and `make audit`"
            yield Finding("dependencies", "skipped", subject, message)


def _counts(audited: str | None, today: datetime.date) -> bool:
    return audited is not None and today - datetime.date.fromisoformat(audited) <= VALID


def told(answers: Sequence[Answer]) -> str:
    """How much was judged now."""
    earlier = [str(answer.package) for answer in answers if answer.vulnerabilities is None]
    summary = f"{len(answers) - len(earlier)} of {len(answers)} locked releases were audited for advisories now"
    return f"{summary}; this index does not tell of {', '.join(earlier)} any more" if earlier else summary


def audited(answers: Sequence[Answer], audits: Audits, today: datetime.date) -> dict[str, str]:
    """The audits of what is locked, with those of today."""
    asked = {str(answer.package): answer.vulnerabilities is not None for answer in answers}
    days = {name: today.isoformat() if now else audits.get(name) for name, now in asked.items()}
    return {name: day for name, day in sorted(days.items()) if day}


def _ask(package: Package, fetch: Fetch) -> Answer:
    of_project = f"{package.index}/pypi/{package.name}"
    release = fetch(f"{of_project}/{package.version}/json")
    project = release or fetch(f"{of_project}/json") or {}
    newest = project.get("info", {}).get("version") == package.version
    files = release["urls"] if release else project.get("releases", {}).get(package.version, [])
    standing = [each for each in project.get("vulnerabilities", ()) if not each.get("withdrawn")]
    return Answer(
        package,
        vulnerabilities=standing if newest else None,
        yanked=bool(files) and all(file["yanked"] for file in files),
    )


def _fetch(address: str) -> dict[str, Any] | None:
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT) as answer:
            document: dict[str, Any] = json.load(answer)
            return document
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 404:
                return None
            raise
