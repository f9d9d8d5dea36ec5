"""The gate of findings and reasons."""

from pathlib import Path

import pytest

from tests.gates.findings import Accepted, Finding, accepted, outdated, unexplained

FOUND = Finding("checkov", "CKV_K8S_11", "Deployment/ringfence-system/ringfence-operator", "CPU limits should be set")
REASON = Accepted("checkov", "CKV_K8S_11", "Deployment/*", "A CPU limit throttles it.")


def test_a_finding_needs_a_reason_that_is_about_it() -> None:
    """Of the same scanner and rule, and about that subject."""
    assert unexplained([FOUND], [REASON]) == []
    for other in (
        Accepted("kube-score", REASON.rule, REASON.subject, REASON.reason),
        Accepted(REASON.scanner, "CKV_K8S_12", REASON.subject, REASON.reason),
        Accepted(REASON.scanner, REASON.rule, "Deployment/default/*", REASON.reason),
    ):
        assert unexplained([FOUND], [other]) == [FOUND]


def test_a_reason_without_a_finding_is_outdated_where_its_scanner_ran() -> None:
    """It would hide the next finding that it fits by chance."""
    assert outdated([], [REASON], ["checkov"]) == [REASON]
    assert outdated([FOUND], [REASON], ["checkov"]) == []
    assert outdated([], [REASON], ["gitleaks"]) == []


def test_a_reason_is_a_sentence(tmp_path: Path) -> None:
    """`false positive` explains nothing."""
    file = tmp_path / "exceptions.yaml"
    file.write_text("[{scanner: checkov, rule: a, subject: b, reason: false positive}]")
    with pytest.raises(ValueError, match="give a reason in a sentence"):
        accepted(file)
    assert accepted()
