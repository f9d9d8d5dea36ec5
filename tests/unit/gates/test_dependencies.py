"""The audit of locked releases, with an index of our own making."""

import datetime
from pathlib import Path
from typing import Any

from tests.gates.dependencies import VALID, Audits, Package, ask, audited, findings, locked, told

INDEX = "https://index.example"
SAFE = Package("safe", "2.0", INDEX)
OLD = Package("old", "1.0", INDEX)
ADVISORY = {"id": "PYSEC-2026-1", "summary": "reads files", "details": "It reads any file.", "withdrawn": None}
TODAY = datetime.date(2026, 11, 22)
Documents = dict[str, Any]


def project(newest: str, *advisories: dict[str, Any], yanked: tuple[str, ...] = ()) -> dict[str, Any]:
    releases = {version: [{"yanked": version in yanked}] for version in ("1.0", "2.0")}
    known = {"info": {"version": newest}, "releases": releases, "urls": releases[newest]}
    return {**known, "vulnerabilities": list(advisories)}


def judged(packages: list[Package], documents: Documents, audits: Audits | None = None) -> list[tuple[str, str]]:
    answers = ask(packages, lambda address: documents.get(address.removeprefix(f"{INDEX}/pypi/")))
    return [(finding.rule, finding.subject) for finding in findings(answers, audits or {}, TODAY)]


def test_an_advisory_against_a_locked_release_is_a_finding() -> None:
    """Asked of the release itself, or of its project while it is the newest; one taken back counts no more."""
    assert judged([OLD], {"old/1.0/json": project("1.0", ADVISORY)}) == [("PYSEC-2026-1", "old 1.0")]
    assert judged([SAFE], {"safe/json": project("2.0", ADVISORY)}) == [("PYSEC-2026-1", "safe 2.0")]
    assert judged([SAFE], {"safe/json": project("2.0", {**ADVISORY, "withdrawn": "2026-10-01"})}) == []


def test_advisories_of_the_newest_release_say_nothing_about_an_older_one() -> None:
    """Neither that it is vulnerable nor that it is not: it was skipped, and that fails."""
    assert judged([SAFE], {"safe/json": project("2.0")}) == []
    assert judged([OLD], {"old/json": project("2.0", ADVISORY)}) == [("skipped", "old 1.0")]
    assert judged([OLD], {}) == [("skipped", "old 1.0")]
    answers = ask([OLD, SAFE], {f"{INDEX}/pypi/safe/json": project("2.0")}.get)
    assert told(answers).startswith("1 of 2 locked releases were audited")
    assert "old 1.0" in told(answers)


def test_an_audit_counts_for_a_while_after_a_newer_release_came() -> None:
    """For this very release, and not for ever."""
    newer = {"old/json": project("2.0")}
    last = TODAY - VALID
    assert judged([OLD], newer, {"old 1.0": last.isoformat()}) == []
    assert judged([OLD], newer, {"old 0.9": last.isoformat()}) == [("skipped", "old 1.0")]
    too_old = last - datetime.timedelta(days=1)
    assert judged([OLD], newer, {"old 1.0": too_old.isoformat()}) == [("skipped", "old 1.0")]


def test_an_earlier_audit_hides_no_advisory_of_today() -> None:
    """What the index tells now wins."""
    documents = {"old/1.0/json": project("1.0", ADVISORY)}
    assert judged([OLD], documents, {"old 1.0": TODAY.isoformat()}) == [("PYSEC-2026-1", "old 1.0")]


def test_what_is_written_down_is_what_was_asked() -> None:
    """Today's answers get today's date, earlier ones keep theirs, and what is locked no more is left out."""
    answers = ask([OLD, SAFE], {f"{INDEX}/pypi/safe/json": project("2.0")}.get)
    before = {"old 1.0": "2026-10-01", "safe 1.0": "2026-10-01"}
    assert audited(answers, before, TODAY) == {"old 1.0": "2026-10-01", "safe 2.0": "2026-11-22"}
    assert audited(answers, {}, TODAY) == {"safe 2.0": "2026-11-22"}


def test_a_release_that_was_taken_back_is_a_finding() -> None:
    """Any index tells that, of past releases too."""
    newer = {"old/json": project("2.0", yanked=("1.0",))}
    assert judged([OLD], newer, {"old 1.0": TODAY.isoformat()}) == [("yanked", "old 1.0")]


def test_every_locked_release_is_asked_about(tmp_path: Path) -> None:
    """All that come from an index, and not the project itself."""
    lock = tmp_path / "uv.lock"
    lock.write_text(
        f'[[package]]\nname = "safe"\nversion = "2.0"\nsource = {{ registry = "{INDEX}/simple" }}\n'
        '[[package]]\nname = "ringfence"\nversion = "0.1.0"\nsource = { editable = "." }\n'
    )
    assert locked(lock) == [SAFE]
    assert len(locked(Path(__file__).parents[3] / "uv.lock")) > 50
