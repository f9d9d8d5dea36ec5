"""A log that we wrote is verified by Go's `golang.org/x/mod/sumdb`, and what is wrong is named by both alike."""

import os
import re
import shutil
import sqlite3
import subprocess
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.adapters.dump import write_dump
from ringfence.adapters.signer import Ed25519Signer
from ringfence.adapters.sqlite.files import Files
from ringfence.adapters.sqlite.ledger import SqliteLedger
from ringfence.adapters.sqlite.reader import SqliteReader
from ringfence.lineage.leaf import decode_leaf
from ringfence.lineage.merkle import leaf_hash
from ringfence.lineage.verify import Evidence, verify
from tests.lineage_samples import ACME, pairs

SOURCE: Final = Path(__file__).parent / "verifylog"
LEAVES: Final = 600  # two full tiles and a partial one
SIGNER: Final = Ed25519Signer(Ed25519PrivateKey.generate())
STRANGER: Final = Ed25519Signer(Ed25519PrivateKey.generate())


@pytest.fixture(scope="session")
def verifylog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, built from its pinned module."""
    go = shutil.which("go")
    assert go, "Go builds the other verifier: https://go.dev/dl"
    binary = tmp_path_factory.mktemp("verifylog") / "verifylog"
    environment = {**os.environ, "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    subprocess.run([go, "build", "-o", binary, "."], cwd=SOURCE, env=environment, check=True)
    return binary


@dataclass(frozen=True)
class Told:
    """What a verifier said."""

    good: bool
    named: list[int]
    """The leaves that it named, in order."""
    text: str


@pytest.fixture
async def ledger(tmp_path: Path) -> Path:
    """A directory with a log of 600 leaves, a checkpoint over all of them, and triggers that no longer guard it."""
    directory = tmp_path / "ledger"
    ledger = SqliteLedger(directory)
    await ledger.append(ACME, pairs(LEAVES // 2))
    await ledger.publish_checkpoint(ACME, [SIGNER])
    await ledger.close()
    with closing(_open(directory)) as file:
        for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
    return directory


def _open(directory: Path) -> sqlite3.Connection:
    return sqlite3.connect(Files(directory).database(ACME), isolation_level=None)


def _ours(directory: Path, signer: Ed25519Signer = SIGNER) -> Told:
    with SqliteReader(directory).open(ACME) as view:
        evidence = Evidence(ACME, view.origin, view.head, view.records(), view.checkpoints())
        findings = verify(evidence, [signer.public_key]).findings
    named = [finding.index for finding in findings if finding.index is not None]
    return Told(not findings, named, "\n".join(finding.message for finding in findings))


def _theirs(verifylog: Path, dump: Path, signer: Ed25519Signer = SIGNER) -> Told:
    key = dump.parent / "key.pem"
    key.write_bytes(signer.public_pem)
    run = subprocess.run([verifylog, "-key", key, dump], capture_output=True, text=True, check=False)
    named = sorted(int(index) for index in re.findall(r"^leaf (\d+):", run.stdout, re.MULTILINE))
    return Told(run.returncode == 0, named, run.stdout + run.stderr)


def _dump(directory: Path) -> Path:
    target = directory.parent / f"dump-{len(list(directory.parent.iterdir()))}"
    with SqliteReader(directory).open(ACME) as view:
        write_dump(view, target)
    return target


def test_go_verifies_a_log_that_we_wrote(verifylog: Path, ledger: Path) -> None:
    """Signature, tree, tiles, chain and events; the key of a stranger is refused by both."""
    dump = _dump(ledger)
    assert _ours(ledger) == Told(True, [], "")
    told = _theirs(verifylog, dump)
    assert told.good, told.text
    assert told.text.startswith(f"{LEAVES} leaves")
    assert not _theirs(verifylog, dump, STRANGER).good
    assert not _ours(ledger, STRANGER).good


def _flip_body(file: sqlite3.Connection) -> None:
    (deflated,) = file.execute("SELECT deflated FROM body WHERE n = 300").fetchone()
    body = bytearray(zlib.decompress(deflated))
    body[40] ^= 1
    file.execute("UPDATE body SET deflated = ? WHERE n = 300", (zlib.compress(bytes(body)),))


def _flip_leaf(file: sqlite3.Connection) -> None:
    (leaf,) = file.execute("SELECT leaf FROM leaf WHERE n = 300").fetchone()
    forged = re.sub(rb'"c":"(.)', lambda match: b'"c":"' + (b"0" if match[1] != b"0" else b"1"), leaf)
    file.execute("UPDATE leaf SET leaf = ? WHERE n = 300", (forged,))


def _flip_chain(file: sqlite3.Connection) -> None:
    (leaf,) = file.execute("SELECT leaf FROM leaf WHERE n = 300").fetchone()
    forged = re.sub(rb'"p":"(.)', lambda match: b'"p":"' + (b"0" if match[1] != b"0" else b"1"), leaf)
    file.execute("UPDATE leaf SET leaf = ? WHERE n = 300", (forged,))


def _delete_row(file: sqlite3.Connection) -> None:
    file.execute("DELETE FROM body WHERE n = 300")
    file.execute("DELETE FROM leaf WHERE n = 300")


def _delete_last_row(file: sqlite3.Connection) -> None:
    file.execute(f"DELETE FROM body WHERE n = {LEAVES - 1}")
    file.execute(f"DELETE FROM leaf WHERE n = {LEAVES - 1}")


def _swap_leaves(file: sqlite3.Connection) -> None:
    leaves = dict(file.execute("SELECT n, leaf FROM leaf WHERE n IN (300, 301)"))
    file.executemany("UPDATE leaf SET leaf = ? WHERE n = ?", [(leaves[301], 300), (leaves[300], 301)])


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (_flip_body, [300]),
        (_flip_leaf, [300]),
        (_flip_chain, [300]),
        (_delete_row, [300]),
        (_delete_last_row, [LEAVES - 1]),
        (_swap_leaves, [300, 301]),
    ],
)
def test_tampering_is_found_and_named_by_both(
    verifylog: Path, ledger: Path, tamper: Callable[[sqlite3.Connection], None], named: list[int]
) -> None:
    """By somebody who has the database's file and got rid of its triggers."""
    assert _ours(ledger).good
    with closing(_open(ledger)) as file:
        tamper(file)
    ours, theirs = _ours(ledger), _theirs(verifylog, _dump(ledger))
    assert not ours.good
    assert not theirs.good
    assert sorted(set(ours.named)) == named, ours.text
    assert sorted(set(theirs.named)) == named, theirs.text


def test_a_history_that_was_rewritten_consistently_has_another_root(verifylog: Path, ledger: Path) -> None:
    """Every leaf after the change chained anew: no leaf is wrong by itself, only the signed root is not theirs."""
    with closing(_open(ledger)) as file:
        leaves = [decode_leaf(leaf) for (leaf,) in file.execute("SELECT leaf FROM leaf ORDER BY n")]
        previous = leaves[299].hash()
        for leaf in leaves[300:]:
            forged = replace(leaf, previous=previous, time_ms=leaf.time_ms + 1)
            previous = leaf_hash(forged.encoded())
            file.execute("UPDATE leaf SET leaf = ? WHERE n = ?", (forged.encoded(), leaf.index))
        file.execute("UPDATE head SET last = ?", (previous,))
    ours, theirs = _ours(ledger), _theirs(verifylog, _dump(ledger))
    assert (ours.named, theirs.named) == ([], [])
    assert "another root" in ours.text
    assert "tree: its root is" in theirs.text


def test_a_dump_whose_tiles_were_altered_is_refused(verifylog: Path, ledger: Path) -> None:
    dump = _dump(ledger)
    tile = dump / "log" / "tile" / "0" / "001"
    data = bytearray(tile.read_bytes())
    data[100] ^= 1
    tile.write_bytes(data)
    assert "tiles" in _theirs(verifylog, dump).text
    assert not _theirs(verifylog, dump).good
