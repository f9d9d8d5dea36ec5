"""What a verifier says besides the laws: the life of runs, missing parts, foreign checkpoints."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.lineage import event, runs
from ringfence.lineage.checkpoint import Checkpoint
from ringfence.lineage.entry import Entry, Head, Record, RetentionClass
from ringfence.lineage.leaf import make_leaf
from ringfence.lineage.merkle import root_of
from ringfence.lineage.tail import Tail
from ringfence.lineage.verify import Evidence, FindingKind, verify
from tests.lineage_samples import ACME, TIME_MS, ended, make_run, started

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw()
ORIGIN = f"ringfence.dev/log/{ACME}"


def _evidence(entries: Sequence[Entry]) -> Evidence:
    salts = [bytes([n]) * 16 for n in range(len(entries))]
    tail, leaves = Tail().extended(zip(entries, salts, strict=True))
    rows = [Record(n, leaf, entries[n].body, salts[n]) for n, leaf in enumerate(leaves)]
    return Evidence(ACME, ORIGIN, tail.head(), rows)


def _named(evidence: Evidence) -> list[tuple[FindingKind, int | None]]:
    return [(finding.kind, finding.index) for finding in verify(evidence).findings]


def _denied() -> Entry:
    return event.finish(make_run(), runs.Outcome(runs.Result.DENIED), time_ms=TIME_MS)


def test_a_run_has_a_start_and_one_outcome() -> None:
    run, going_on = make_run(), make_run()
    verdict = verify(_evidence([started(run), started(going_on), ended(run)]))
    assert verdict.findings == []
    assert verdict.open_runs == [going_on.run_id]


def test_a_change_that_nobody_announced_is_a_finding() -> None:
    """Writes come after a durable START; only what changed nothing, or could only tighten, may do without."""
    assert _named(_evidence([_denied()])) == []
    assert _named(_evidence([ended(make_run(deferred=True))])) == []
    assert _named(_evidence([ended(make_run())])) == [(FindingKind.RUN_WITHOUT_START, 0)]


def test_where_a_start_may_have_been_lost_nobody_is_accused_of_having_none() -> None:
    """One deleted row is one finding."""
    run = make_run()
    evidence = _evidence([_denied(), started(run), ended(run)])
    rows = [record for record in evidence.records if record.index != 1]
    assert _named(replace(evidence, records=rows)) == [(FindingKind.LEAF_MISSING, 1)]


def test_a_second_outcome_is_a_finding() -> None:
    run = make_run()
    failed = event.finish(run, runs.Outcome(runs.Result.FAILED), time_ms=TIME_MS)
    assert _named(_evidence([started(run), ended(run), failed])) == [(FindingKind.RUN_ENDED_TWICE, 2)]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"run":{"runId":"x"},"eventType":"PAUSE"}', b"\xff"])
def test_a_body_that_is_no_event_is_a_finding(body: bytes) -> None:
    assert _named(_evidence([started(), replace(started(), body=body)])) == [(FindingKind.NOT_AN_EVENT, 1)]


def _without_body(row: Record) -> Record:
    return replace(row, body=None, salt=None)


def _without_salt(row: Record) -> Record:
    return replace(row, salt=None)


def _with_short_salt(row: Record) -> Record:
    return replace(row, salt=b"\x01" * 15)


def _with_another_salt(row: Record) -> Record:
    return replace(row, salt=b"\x00" * 16)


def _without_leaf(row: Record) -> Record:
    return replace(row, leaf=None)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (_without_body, FindingKind.BODY_MISSING),
        (_without_salt, FindingKind.SALT_MISSING),
        (_with_short_salt, FindingKind.SALT_MISSING),
        (_with_another_salt, FindingKind.BODY_ALTERED),
        (_without_leaf, FindingKind.LEAF_MISSING),
    ],
)
def test_a_part_that_is_gone_is_named(change: Callable[[Record], Record], kind: FindingKind) -> None:
    evidence = _evidence([started(), started(), started()])
    rows = list(evidence.records)
    assert _named(evidence) == []
    rows[1] = change(rows[1])
    assert _named(replace(evidence, records=rows)) == [(kind, 1)]


def test_rows_after_the_end_and_rows_of_one_number_are_named() -> None:
    evidence = _evidence([started(), started()])
    longer = _evidence([started(), started(), started()])
    rows = [*evidence.records, list(longer.records)[2]]
    assert _named(replace(evidence, records=rows)) == [(FindingKind.LEAF_BEYOND_END, 2)]
    rows = [*evidence.records, list(evidence.records)[1]]
    assert _named(replace(evidence, records=rows)) == [(FindingKind.LEAF_MISPLACED, 1)]


def _signed(checkpoint: Checkpoint) -> str:
    return checkpoint.signed([(PUBLIC, KEY.sign)])


def test_a_checkpoint_of_another_log_or_of_no_log_is_a_finding() -> None:
    evidence = _evidence([started()])
    right = Checkpoint(ORIGIN, 1, evidence.head.root)
    assert _named(replace(evidence, checkpoints=[_signed(right)])) == []
    for note in (_signed(replace(right, origin="ringfence.dev/log/other")), "garbage"):
        assert _named(replace(evidence, checkpoints=[note])) == [(FindingKind.CHECKPOINT_WRONG, None)]


def test_a_stores_own_wrong_root_is_a_finding() -> None:
    evidence = _evidence([started()])
    wrong = replace(evidence.head, root=bytes(32))
    assert _named(replace(evidence, head=wrong)) == [(FindingKind.HEAD_WRONG, None)]


def test_signatures_are_checked_only_against_given_keys() -> None:
    evidence = _evidence([started()])
    signed = replace(evidence, checkpoints=[_signed(Checkpoint(ORIGIN, 1, evidence.head.root))])
    stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert verify(signed).checkpoint is None
    assert verify(signed, [stranger, PUBLIC]).checkpoint == 1
    assert [found.kind for found in verify(signed, [stranger]).findings] == [FindingKind.SIGNATURE_WRONG]


def test_an_empty_log_is_fine_and_a_first_leaf_that_follows_another_is_not() -> None:
    assert _named(_evidence([])) == []
    body, salt = started().body, bytes(16)
    leaf = make_leaf(body, salt=salt, index=0, previous=b"\x01" * 32, time_ms=TIME_MS, retention=RetentionClass.LINEAGE)
    head = Head(1, leaf.hash(), root_of([leaf.hash()]))
    evidence = Evidence(ACME, ORIGIN, head, [Record(0, leaf.encoded(), body, salt)])
    assert _named(evidence) == [(FindingKind.LEAF_ALTERED, 0)]
