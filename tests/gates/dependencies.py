"""What the package index knows against the locked releases: advisories, and releases that were taken back.

Laws: an advisory or a withdrawn release is a finding; a release that the index could not be asked about is skipped, and
skipping one is a finding too, unless this index tells of no past release at all. Then it can only say whether the
newest ones are known to be vulnerable; how many could not be judged is told, and `--strict` fails for each of them.

`pip-audit` asks the same service. Where only the newest releases are served it skips, and its strict mode never passes.
"""

import json
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.gates.findings import Finding

_SIMPLE: Final = "/simple"
_TIMEOUT: Final = 60.0  # seconds
_AT_ONCE: Final = 8

Fetch = Callable[[str], dict[str, Any] | None]
"""Gets a document by its address; None where there is none."""


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
    by_release: bool
    """Whether the index tells of this very release, and not only of the newest one."""
    vulnerabilities: Sequence[dict[str, Any]] | None
    """None where it can't be known."""
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


def findings(answers: Sequence[Answer], *, strict: bool) -> Iterator[Finding]:
    """Judge the answers."""
    knows_releases = any(answer.by_release for answer in answers)
    for answer in answers:
        subject = str(answer.package)
        if answer.yanked:
            yield Finding("dependencies", "yanked", subject, "the release was taken back by its authors")
        for each in answer.vulnerabilities or ():
            yield Finding("dependencies", each["id"], subject, each.get("summary") or each["details"].strip()[:120])
        if answer.vulnerabilities is None and (strict or knows_releases):
            yield Finding("dependencies", "skipped", subject, "the index could not be asked about this release")


def told(answers: Sequence[Answer]) -> str:
    """How much was judged."""
    unknown = [str(answer.package) for answer in answers if answer.vulnerabilities is None]
    summary = f"{len(answers) - len(unknown)} of {len(answers)} locked releases were audited for advisories"
    if not unknown:
        return summary
    return f"{summary}; NOT AUDITED, because this index tells of newest releases only: {', '.join(unknown)}"


def _ask(package: Package, fetch: Fetch) -> Answer:
    of_project = f"{package.index}/pypi/{package.name}"
    release = fetch(f"{of_project}/{package.version}/json")
    project = release or fetch(f"{of_project}/json") or {}
    newest = project.get("info", {}).get("version") == package.version
    files = release["urls"] if release else project.get("releases", {}).get(package.version, [])
    standing = [each for each in project.get("vulnerabilities", ()) if not each.get("withdrawn")]
    return Answer(
        package,
        by_release=release is not None,
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
