"""`make scan`: manifests, history and dependencies before the scanners; ends with 1 where something is unexplained."""

import argparse
import datetime
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.gates import dependencies, scanners
from tests.gates.findings import EXCEPTIONS, Finding, accepted, outdated, unexplained
from tests.gates.rendering import REPOSITORY, render

_AT_ONCE: Final = 2
Gate = Callable[[], Iterable[Finding]]
_OF_MANIFESTS: Final = {
    "kubernetes-validate": scanners.kubernetes_validate,
    "checkov": scanners.checkov,
    "kube-score": scanners.kube_score,
}


def main() -> int:
    """Run the gates that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.gates", description=__doc__)
    names = (*_OF_MANIFESTS, "gitleaks", "dependencies")
    parser.add_argument("gates", nargs="*", choices=[[], *names], metavar="gate", help=f"of {', '.join(names)}")
    parser.add_argument("--audit", action="store_true", help="write down which releases the index was asked about")
    arguments = parser.parse_args()
    if arguments.audit:
        _audit()
    with tempfile.TemporaryDirectory() as folder:
        return _judge(_gates(Path(folder), arguments.gates or names))


def _gates(folder: Path, names: Sequence[str]) -> dict[str, Gate]:
    files = render(folder) if set(names) & set(_OF_MANIFESTS) else []
    every: dict[str, Gate] = {name: lambda scan=scan: scan(files) for name, scan in _OF_MANIFESTS.items()}  # type: ignore[misc]
    every |= {"gitleaks": scanners.gitleaks, "dependencies": _dependencies}
    return {name: every[name] for name in names}


def _dependencies() -> Iterable[Finding]:
    answers = _asked()
    print(f"  {dependencies.told(answers)}")
    return dependencies.findings(answers, _audits(), _today())


def _audit() -> None:
    """Write down what the index was asked about."""
    audits = dependencies.audited(_asked(), _audits(), _today())
    dependencies.AUDITS.write_text(json.dumps(audits, indent=1) + "\n", encoding="utf-8")


def _asked() -> Sequence[dependencies.Answer]:
    return dependencies.ask(dependencies.locked(REPOSITORY / "uv.lock"))


def _audits() -> dependencies.Audits:
    return dict(json.loads(dependencies.AUDITS.read_text(encoding="utf-8")))


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def _judge(gates: dict[str, Gate]) -> int:
    reasons = accepted()
    found: list[Finding] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for name, (mine, seconds) in zip(gates, pool.map(_timed, gates.values()), strict=True):
            left = unexplained(mine, reasons)
            print(f"{name}: {len(mine)} findings, {len(left)} unexplained ({seconds:.1f} s)", flush=True)
            found += mine
    left, idle = unexplained(found, reasons), outdated(found, reasons, gates)
    for finding in left:
        print(f"UNEXPLAINED {finding}")
    for reason in idle:
        print(f"OUTDATED reason for {reason.scanner} {reason.rule}, {reason.subject}: take it out of {EXCEPTIONS.name}")
    return 1 if left or idle else 0


def _timed(gate: Gate) -> tuple[set[Finding], float]:
    began = time.monotonic()
    return set(gate()), time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
