"""One log from end to end: rows, chain, tree, checkpoints, signatures and runs."""

from collections.abc import Iterator, Sequence

from ringfence.lineage.checkpoint import SignedCheckpoint, parse_checkpoint
from ringfence.lineage.note import NoteError
from ringfence.lineage.verify.findings import Evidence, Finding, FindingKind, Verdict
from ringfence.lineage.verify.rows import Rows
from ringfence.lineage.verify.tree import Tree


def verify(evidence: Evidence, keys: Sequence[bytes] = ()) -> Verdict:
    """Check one log; ``keys`` are the raw Ed25519 public keys that may sign for it, without which no signature is."""
    rows = Rows(evidence.log, evidence.head.size)
    for record in evidence.records:
        rows.add(record)
    rows.close()
    tree = Tree(evidence.log, rows.leaves, rows.strays, rows.findings)
    tree.check_chain(evidence.head)
    checkpoints = list(_read_checkpoints(evidence, rows.findings))
    tree.check_roots(evidence.head, checkpoints)
    covered = _check_signatures(evidence, checkpoints, keys, rows.findings)
    findings = sorted(rows.findings, key=lambda finding: (finding.index is None, finding.index or 0))
    return Verdict(evidence.log, evidence.head.size, findings, sorted(rows.runs.open), covered)


def _read_checkpoints(evidence: Evidence, findings: list[Finding]) -> Iterator[SignedCheckpoint]:
    """The distinct checkpoints of this log; what is none, or another log's, is a finding."""
    for note in dict.fromkeys(evidence.checkpoints):
        try:
            signed = parse_checkpoint(note)
        except NoteError as error:
            findings.append(Finding(FindingKind.CHECKPOINT_WRONG, evidence.log, f"a checkpoint is damaged: {error}"))
            continue
        if signed.checkpoint.origin == evidence.origin:
            yield signed
        else:
            message = f"a checkpoint is of another log: {signed.checkpoint.origin!r}"
            findings.append(Finding(FindingKind.CHECKPOINT_WRONG, evidence.log, message))


def _check_signatures(
    evidence: Evidence, checkpoints: Sequence[SignedCheckpoint], keys: Sequence[bytes], findings: list[Finding]
) -> int | None:
    """Check every signature; answer the largest size that one of the keys vouches for."""
    if not keys:
        return None
    sizes = []
    for signed in checkpoints:
        if any(signed.is_signed_by(key) for key in keys):
            sizes.append(signed.checkpoint.size)
        else:
            message = f"no given key signed the checkpoint of {signed.checkpoint.size} leaves"
            findings.append(Finding(FindingKind.SIGNATURE_WRONG, evidence.log, message))
    return max(sizes, default=None)
