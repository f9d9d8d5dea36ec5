"""Laws of the log, for any content: canonical bytes, tree, proofs, and that no single change goes unnamed."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import RFC_4122, UUID

import orjson
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import assume, given
from hypothesis import strategies as st

from ringfence.lineage import canonical, merkle
from ringfence.lineage.checkpoint import Checkpoint
from ringfence.lineage.entry import Entry, EventType, Record
from ringfence.lineage.leaf import decode_leaf
from ringfence.lineage.runs import make_run_id
from ringfence.lineage.tail import Tail
from ringfence.lineage.verify import Evidence, FindingKind, Verdict, verify
from tests.lineage_samples import ACME, TIME_MS

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw()
ORIGIN = f"ringfence.dev/log/{ACME}"

ascii_text = st.text(st.characters(max_codepoint=127))
text = st.text(st.characters(exclude_categories=["Cs"]))
integers = st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER)
in_profile = st.recursive(
    st.none() | st.booleans() | integers | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ascii_text, inner, max_size=4),
    max_leaves=25,
)
hashes = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70)


@given(in_profile)
def test_canonical_bytes_are_those_of_rfc_8785(value: Any) -> None:
    assert canonical.encode(value) == rfc8785.dumps(value)


@given(in_profile, st.floats() | st.integers(canonical.MAX_INTEGER + 1) | st.just(b"bytes") | st.just("\ud800"))
def test_what_is_outside_the_profile_is_refused_with_its_path(value: Any, intruder: Any) -> None:
    """A float that is whole, one that is not, a NaN, a huge integer: none of them slips through anywhere."""
    with pytest.raises(canonical.NotCanonicalError) as refusal:
        canonical.encode({"metadata": [value, {"a/b": intruder}]})
    assert refusal.value.path == "/metadata/1/a~1b"


@given(st.text(min_size=1).filter(lambda key: not key.isascii()))
def test_keys_that_sort_differently_in_utf_8_and_utf_16_are_refused(key: str) -> None:
    with pytest.raises(canonical.NotCanonicalError):
        canonical.encode({"labels": {key: "x"}})


def _reference_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, as it is written there."""
    if len(leaves) == 1:
        return leaves[0]
    split = 2 ** (math.ceil(math.log2(len(leaves))) - 1)
    return merkle.node_hash(_reference_root(leaves[:split]), _reference_root(leaves[split:]))


@given(hashes, st.data())
def test_a_tree_does_not_depend_on_how_it_was_appended(leaves: list[bytes], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(leaves)))
    first = merkle.Frontier().extended(leaves[:cut])
    kept = merkle.Frontier.decoded(first.size, first.encoded())
    assert kept.extended(leaves[cut:]).root() == _reference_root(leaves)


@given(hashes, st.data())
def test_inclusion_proofs_prove_their_leaf_and_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    index, other = (data.draw(st.integers(0, len(leaves) - 1)) for _ in range(2))
    root = merkle.root_of(leaves)
    proof = merkle.inclusion_proof(leaves, index)
    assert merkle.is_included(proof, leaves[index], index, len(leaves), root)
    assume(leaves[other] != leaves[index])
    assert not merkle.is_included(proof, leaves[other], index, len(leaves), root)
    assert not merkle.is_included(proof, leaves[index], other, len(leaves), root)


@given(hashes, st.data())
def test_consistency_proofs_prove_growth_and_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(leaves)))
    old, new = merkle.root_of(leaves[:size]), merkle.root_of(leaves)
    proof = merkle.consistency_proof(leaves, size)
    assert merkle.is_consistent(proof, size, old, len(leaves), new)
    assert not merkle.is_consistent(proof, size, merkle.leaf_hash(old), len(leaves), new)
    assert not merkle.is_consistent([*proof, old], size, old, len(leaves), new)


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_run_ids_are_uuids_of_version_7_that_sort_by_time(time_ms: int, random: bytes) -> None:
    run = UUID(make_run_id(time_ms, random))
    assert (run.version, run.variant) == (7, RFC_4122)
    assert run.int >> 80 == time_ms


def _log(bodies: list[bytes], published_at: int) -> Evidence:
    """An honest log of these bodies with a signed checkpoint of its first leaves."""
    salts = [bytes([n]) * 16 for n in range(len(bodies))]
    entries = [
        Entry(make_run_id(TIME_MS + n, bytes(10)), EventType.COMPLETE, body, TIME_MS + n, TIME_MS + n)
        for n, body in enumerate(bodies)
    ]
    tail, leaves = Tail().extended(zip(entries, salts, strict=True))
    early, _ = Tail().extended(list(zip(entries, salts, strict=True))[:published_at])
    note = Checkpoint(ORIGIN, early.size, early.frontier.root()).signed([(PUBLIC, KEY.sign)])
    rows = [Record(n, leaf, body, salt) for n, (leaf, body, salt) in enumerate(zip(leaves, bodies, salts, strict=True))]
    return Evidence(ACME, ORIGIN, tail.head(), rows, [note])


@st.composite
def logs(draw: st.DrawFn, min_size: int = 1) -> Evidence:
    count = draw(st.integers(min_size, 20))
    bodies = [
        orjson.dumps({"eventType": "COMPLETE", "run": {"runId": make_run_id(TIME_MS + n, bytes(10))}})
        for n in range(count)
    ]
    return _log(bodies, draw(st.integers(0, count)))


def _verdict(evidence: Evidence) -> Verdict:
    return verify(evidence, [PUBLIC])


def _named(evidence: Evidence) -> list[tuple[FindingKind, int | None]]:
    return [(finding.kind, finding.index) for finding in _verdict(evidence).findings]


def _changed(evidence: Evidence, change: Callable[[list[Record]], None]) -> Evidence:
    rows = list(evidence.records)
    change(rows)
    return replace(evidence, records=rows)


def _flip(data: bytes, bit: int) -> bytes:
    return bytes(byte ^ (1 << bit % 8 if at == bit // 8 % len(data) else 0) for at, byte in enumerate(data))


@given(logs())
def test_an_honest_log_has_no_findings(evidence: Evidence) -> None:
    verdict = _verdict(evidence)
    assert verdict.findings == []
    assert verdict.checkpoint is not None


@given(logs(), st.data(), st.integers(0, 10**6))
def test_any_flipped_bit_of_a_body_is_named_and_is_the_only_finding(
    evidence: Evidence, data: st.DataObject, bit: int
) -> None:
    index = data.draw(st.integers(0, evidence.head.size - 1))

    def flip(rows: list[Record]) -> None:
        rows[index] = replace(rows[index], body=_flip(rows[index].body or b"", bit))

    assert _named(_changed(evidence, flip)) == [(FindingKind.BODY_ALTERED, index)]


@given(logs(), st.data(), st.integers(0, 10**6))
def test_any_flipped_bit_of_a_leaf_is_named(evidence: Evidence, data: st.DataObject, bit: int) -> None:
    """Its body may seem altered too, since the commitment is in the leaf; no other leaf is accused."""
    index = data.draw(st.integers(0, evidence.head.size - 1))

    def flip(rows: list[Record]) -> None:
        rows[index] = replace(rows[index], leaf=_flip(rows[index].leaf or b"", bit))

    named = _named(_changed(evidence, flip))
    assert {place for _, place in named} == {index}
    assert {kind for kind, _ in named} & {FindingKind.LEAF_ALTERED, FindingKind.LEAF_MISPLACED}


@given(logs(), st.data())
def test_any_deleted_row_is_named_and_is_the_only_finding(evidence: Evidence, data: st.DataObject) -> None:
    """The next leaf, or the head, still names its hash: the rest of the tree stays proven."""
    index = data.draw(st.integers(0, evidence.head.size - 1))

    def delete(rows: list[Record]) -> None:
        del rows[index]

    assert _named(_changed(evidence, delete)) == [(FindingKind.LEAF_MISSING, index)]


@given(logs(min_size=2), st.data())
def test_any_two_swapped_leaves_are_both_named_and_nothing_else(evidence: Evidence, data: st.DataObject) -> None:
    one, other = sorted(data.draw(st.sets(st.integers(0, evidence.head.size - 1), min_size=2, max_size=2)))

    def swap(rows: list[Record]) -> None:
        rows[one], rows[other] = replace(rows[other], index=one), replace(rows[one], index=other)

    swapped = _changed(evidence, swap)
    assert _named(swapped) == [(FindingKind.LEAF_MISPLACED, one), (FindingKind.LEAF_MISPLACED, other)]


@given(logs(), st.data())
def test_a_rewritten_history_contradicts_the_checkpoint(evidence: Evidence, data: st.DataObject) -> None:
    """Whoever owns the file can chain it anew from any leaf on; what was signed before stays signed."""
    rows = list(evidence.records)
    index = data.draw(st.integers(0, len(rows) - 1))
    bodies = [(row.body or b"") + (b" " if row.index == index else b"") for row in rows]
    forged = replace(_log(bodies, 0), checkpoints=evidence.checkpoints)
    published = int(evidence.checkpoints[0].split("\n")[1])
    expected = [(FindingKind.CHECKPOINT_WRONG, None)] if index < published else []
    assert _named(forged) == expected


@given(logs(), st.data())
def test_a_shortened_log_is_behind_its_checkpoint(evidence: Evidence, data: st.DataObject) -> None:
    published = int(evidence.checkpoints[0].split("\n")[1])
    size = data.draw(st.integers(0, evidence.head.size))
    shorter = replace(_log([row.body or b"" for row in list(evidence.records)[:size]], 0))
    expected = [(FindingKind.CHECKPOINT_AHEAD, None)] if size < published else []
    assert _named(replace(shorter, checkpoints=evidence.checkpoints)) == expected


@given(logs())
def test_every_leaf_reads_back_as_it_was_written(evidence: Evidence) -> None:
    for record in evidence.records:
        assert decode_leaf(record.leaf or b"").encoded() == record.leaf
