"""The scanners, each as a function from files to findings.

Law: a scanner that could not do its work raises; silence is never taken for consent.
"""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tests.gates.findings import Finding
from tests.gates.rendering import REPOSITORY

PROGRAMS: Final = REPOSITORY / ".cache" / "scanners" / "bin"
KUBERNETES: Final = "1.36"
_GOOD: Final = 10  # the best grade of kube-score
_LINE: Final = re.compile(r"^(?:WARN|ERROR|FAIL)\S*\s+(?:\S+\.yaml)\s+(.*)$")
_NO_SCHEMA: Final = re.compile(r"Couldn't find schema for kind (\S+) with api version (\S+) for")


class ScannerError(Exception):
    """A scanner could not do its work."""


def kubernetes_validate(files: Sequence[Path]) -> Iterator[Finding]:
    """Built-in kinds against the schemas of the Kubernetes version that we support; unknown fields are refused."""
    done = _run("kubernetes-validate", "--strict", "--kubernetes-version", KUBERNETES, *map(str, files), codes=(0, 1))
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line and not line.startswith("INFO")]
    for line in lines:
        if known := _NO_SCHEMA.search(line):
            yield Finding("kubernetes-validate", "no-schema", f"{known[2]}/{known[1]}", "not validated by this scanner")
        else:
            told = _LINE.match(line)
            yield Finding("kubernetes-validate", "invalid", told[1] if told else line, "differs from the schema")
    if done.returncode and not lines:
        raise ScannerError("kubernetes-validate failed without a word")


def checkov(files: Sequence[Path]) -> Iterator[Finding]:
    """All its policies for Kubernetes."""
    options = ("--framework", "kubernetes", "--output", "json", "--quiet", "--compact", "--skip-download")
    named = [argument for file in files for argument in ("--file", str(file))]
    told = json.loads(_run("checkov", *options, *named, codes=(0, 1)).stdout)
    if told["summary"]["parsing_errors"] or not told["summary"]["passed"]:
        raise ScannerError(f"checkov could not read the manifests: {told['summary']}")
    for failed in told["results"]["failed_checks"]:
        yield Finding("checkov", failed["check_id"], _dotted(failed["resource"]), failed["check_name"])


def kube_score(files: Sequence[Path]) -> Iterator[Finding]:
    """Its default tests; `critical` and `warning` alike."""
    told = json.loads(_run("kube-score", "score", "--output-format", "json", *map(str, files), codes=(0, 1)).stdout)
    if not told:
        raise ScannerError("kube-score saw no object")
    for scored in told:
        for check in scored["checks"]:
            if not check["skipped"] and check["grade"] < _GOOD:
                yield from _comments(scored["object_name"], check)


def _comments(name: str, check: dict[str, Any]) -> Iterable[Finding]:
    kind, *_, namespace, plain = name.split("/")
    for comment in check["comments"] or ():
        yield Finding("kube-score", check["check"]["id"], f"{kind}/{namespace}/{plain}", comment["summary"])


def gitleaks() -> Iterator[Finding]:
    """Every commit of the history."""
    options = ("--no-banner", "--redact", "--log-level", "error", "--report-format", "json", "--report-path", "-")
    for leak in json.loads(_run("gitleaks", "git", *options, str(REPOSITORY), codes=(0, 1)).stdout):
        yield Finding("gitleaks", leak["RuleID"], leak["File"], f"looks like a secret: {leak['Description']}")


def _dotted(resource: str) -> str:
    """`Deployment.namespace.name` as other scanners write it; names of pods are followed by their labels."""
    return "/".join(resource.split(".")[:3])


def _run(program: str, *arguments: str, codes: Sequence[int]) -> subprocess.CompletedProcess[str]:
    path = PROGRAMS / program
    done = subprocess.run([path, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        raise ScannerError(f"{program} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done
