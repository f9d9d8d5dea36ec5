"""The audit of locked releases, with an index of our own making."""

from pathlib import Path
from typing import Any

from tests.gates.dependencies import Package, ask, findings, locked, told

INDEX = "https://index.example"
SAFE = Package("safe", "2.0", INDEX)
OLD = Package("old", "1.0", INDEX)
ADVISORY = {"id": "PYSEC-2026-1", "summary": "reads files", "details": "It reads any file.", "withdrawn": None}
Documents = dict[str, Any]


def project(newest: str, *advisories: dict[str, Any], yanked: tuple[str, ...] = ()) -> dict[str, Any]:
    releases = {version: [{"yanked": version in yanked}] for version in ("1.0", "2.0")}
    known = {"info": {"version": newest}, "releases": releases, "urls": releases[newest]}
    return {**known, "vulnerabilities": list(advisories)}


def judged(packages: list[Package], documents: Documents, *, strict: bool = False) -> list[tuple[str, str]]:
    answers = ask(packages, lambda address: documents.get(address.removeprefix(f"{INDEX}/pypi/")))
    return [(finding.rule, finding.subject) for finding in findings(answers, strict=strict)]


def test_an_advisory_against_a_locked_release_is_a_finding() -> None:
    """Asked of the release itself, or of its project while it is the newest; one taken back counts no more."""
    assert judged([OLD], {"old/1.0/json": project("1.0", ADVISORY)}) == [("PYSEC-2026-1", "old 1.0")]
    assert judged([SAFE], {"safe/json": project("2.0", ADVISORY)}) == [("PYSEC-2026-1", "safe 2.0")]
    assert judged([SAFE], {"safe/json": project("2.0", {**ADVISORY, "withdrawn": "2026-10-01"})}) == []


def test_advisories_of_the_newest_release_say_nothing_about_an_older_one() -> None:
    """Neither that it is vulnerable nor that it is not."""
    assert judged([OLD], {"old/json": project("2.0", ADVISORY)}) == []
    answers = ask([OLD, SAFE], {f"{INDEX}/pypi/safe/json": project("2.0")}.get)
    assert told(answers).startswith("1 of 2 locked releases were audited")
    assert "NOT AUDITED" in told(answers)
    assert "old 1.0" in told(answers)


def test_a_release_that_an_index_of_releases_does_not_know_is_skipped_and_that_fails() -> None:
    """Where past releases are served, one that is not was not judged, which is not the same as safe."""
    documents = {"safe/2.0/json": project("2.0"), "old/json": project("2.0")}
    assert judged([OLD, SAFE], documents) == [("skipped", "old 1.0")]


def test_strict_fails_for_whatever_was_not_judged() -> None:
    """Whatever the index can."""
    assert judged([OLD], {"old/json": project("2.0")}, strict=True) == [("skipped", "old 1.0")]
    assert judged([OLD], {}, strict=True) == [("skipped", "old 1.0")]


def test_a_release_that_was_taken_back_is_a_finding() -> None:
    """Any index tells that, of past releases too."""
    assert judged([OLD], {"old/json": project("2.0", yanked=("1.0",))}) == [("yanked", "old 1.0")]


def test_every_locked_release_is_asked_about(tmp_path: Path) -> None:
    """All that come from an index, and not the project itself."""
    lock = tmp_path / "uv.lock"
    lock.write_text(
        f'[[package]]\nname = "safe"\nversion = "2.0"\nsource = {{ registry = "{INDEX}/simple" }}\n'
        '[[package]]\nname = "ringfence"\nversion = "0.1.0"\nsource = { editable = "." }\n'
    )
    assert locked(lock) == [SAFE]
    assert len(locked(Path(__file__).parents[3] / "uv.lock")) > 50
