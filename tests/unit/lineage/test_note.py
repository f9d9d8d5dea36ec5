"""Signed notes, checkpoints and tiles, byte by byte as C2SP has them."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.lineage.checkpoint import Checkpoint, parse_checkpoint
from ringfence.lineage.merkle import leaf_hash, root_of
from ringfence.lineage.note import NoteError, VerifierKey, decode_verifier_key, parse_note, sign_note
from ringfence.lineage.tiles import entry_bundles, hash_tiles

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
ORIGIN = "ringfence.dev/log/x"
CHECKPOINT = Checkpoint(ORIGIN, 3, bytes(32))
# From the documentation of golang.org/x/mod/sumdb/note: a key and a note that it signed.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_note_that_go_signed_is_accepted() -> None:
    key = decode_verifier_key(GO_KEY)
    assert key.encoded() == GO_KEY
    assert parse_note(GO_NOTE).is_signed_by(key)
    assert not parse_note(GO_NOTE.replace("answer", "cause")).is_signed_by(key)


def test_a_checkpoint_is_three_lines_and_a_signature() -> None:
    note = CHECKPOINT.signed([(PUBLIC, KEY.sign)])
    root = base64.b64encode(bytes(32)).decode()
    assert note.startswith(f"{ORIGIN}\n3\n{root}\n\n— {ORIGIN} ")
    read = parse_checkpoint(note)
    assert read.checkpoint == CHECKPOINT
    assert read.is_signed_by(PUBLIC)
    assert not read.is_signed_by(Ed25519PrivateKey.generate().public_key().public_bytes_raw())


def test_a_checkpoint_of_one_log_does_not_pass_for_anothers() -> None:
    """One key signs for all logs, so the origin has to be under the signature."""
    note = CHECKPOINT.signed([(PUBLIC, KEY.sign)])
    assert not parse_checkpoint(note.replace(ORIGIN, "ringfence.dev/log/y")).is_signed_by(PUBLIC)


def test_a_witness_may_add_its_signature_and_extension_lines_are_read_over() -> None:
    witness = VerifierKey("witness.example/w1", bytes(32))
    note = sign_note(CHECKPOINT.text() + "extension\n", [(VerifierKey(ORIGIN, PUBLIC), KEY.sign), (witness, KEY.sign)])
    read = parse_checkpoint(note)
    assert read.checkpoint == CHECKPOINT
    assert read.is_signed_by(PUBLIC)


GOOD_ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n3\n",
        f"{ORIGIN}\n03\n{GOOD_ROOT}\n",
        f"{ORIGIN}\n-3\n{GOOD_ROOT}\n",
        f"{ORIGIN}\n3\nAAAA\n",
        f"{ORIGIN}\n3\n!{GOOD_ROOT}\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    good = sign_note(f"{ORIGIN}\n3\n{GOOD_ROOT}\n", [(VerifierKey(ORIGIN, PUBLIC), KEY.sign)])
    assert parse_checkpoint(good).checkpoint == CHECKPOINT
    with pytest.raises(NoteError):
        parse_checkpoint(sign_note(text, [(VerifierKey(ORIGIN, PUBLIC), KEY.sign)]))


@pytest.mark.parametrize(
    "note", ["", "text\n", "text\n\n", "text\n\nno dash x\n", "text\n\n— name\n", "text\n\n— n AA==\n"]
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(NoteError):
        parse_note(note)


@pytest.mark.parametrize(
    "key", ["", "a+b", "PeterNeumann+00000000+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "a+b+Ag=="]
)
def test_what_is_no_verifier_key_is_refused(key: str) -> None:
    with pytest.raises(NoteError):
        decode_verifier_key(key)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_key_names_that_would_break_a_note_are_refused(name: str) -> None:
    with pytest.raises(NoteError):
        VerifierKey(name, PUBLIC)


def test_tiles_have_the_paths_and_widths_of_the_specification() -> None:
    """70,000 leaves: 273 full tiles and one of 112, above them one full and one of 17, above them one of 1."""
    hashes = [leaf_hash(b"%d" % n) for n in range(70_000)]
    tiles = dict(hash_tiles(hashes))
    assert len(tiles["tile/0/272"]) == 256 * 32
    assert len(tiles["tile/0/273.p/112"]) == 112 * 32
    assert len(tiles["tile/1/000"]) == 256 * 32
    assert len(tiles["tile/1/001.p/17"]) == 17 * 32
    assert tiles["tile/2/000.p/1"] == root_of(hashes[: 256 * 256])
    assert len(tiles) == 274 + 2 + 1


def test_tile_numbers_beyond_a_thousand_are_split_in_threes() -> None:
    paths = [path for path, _ in entry_bundles(b"" for _ in range(256 * 1234 + 1))]
    assert paths[1000] == "tile/entries/x001/000"
    assert paths[-1] == "tile/entries/x001/234.p/1"


def test_entries_go_after_their_length() -> None:
    assert dict(entry_bundles([b"ab", b""])) == {"tile/entries/000.p/2": b"\x00\x02ab\x00\x00"}
