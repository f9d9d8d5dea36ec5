"""A log as a directory that other tools can check: C2SP tiles with the events and salts beside them.

Law: a dump ends where its checkpoint ends, and is written as the store has it, right or wrong: it is for checking.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import orjson

from ringfence.lineage.checkpoint import parse_checkpoint
from ringfence.lineage.entry import Record
from ringfence.lineage.merkle import leaf_hash
from ringfence.lineage.tiles import entry_bundles, hash_tiles
from ringfence.ports.ledger import LogView


class DumpError(Exception):
    """The log can't be dumped. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Dumped:
    """What was written."""

    size: int
    newer: int
    """Leaves after the checkpoint, which are not in the dump."""


def write_dump(view: LogView, directory: Path) -> Dumped:
    """Write ``log/`` (checkpoint and tiles), ``events.ndjson``, ``salts.ndjson`` and ``schemas/`` into a new directory.

    Line i of ``salts.ndjson`` belongs to line i of ``events.ndjson`` and says which leaf they are for.

    Raises:
        DumpError: the log has no checkpoint yet, or the directory can't be made.
    """
    note = view.published()
    if note is None:
        raise DumpError(f"log {view.log} has no checkpoint yet: the operator signs one hourly and when it stops")
    size = parse_checkpoint(note).checkpoint.size
    try:
        directory.mkdir(parents=True)
        _write(directory / "log" / "checkpoint", note.encode())
        _write_records(view, size, directory)
        _write_schemas(directory / "schemas")
    except OSError as error:
        raise DumpError(f"{error.filename or directory}: {error.strerror}; name a new directory") from error
    return Dumped(size, view.head.size - size)


def _write_records(view: LogView, size: int, directory: Path) -> None:
    hashes: list[bytes] = []
    with (directory / "events.ndjson").open("wb") as events, (directory / "salts.ndjson").open("wb") as salts:

        def leaves() -> Iterator[bytes]:
            for record in _places(view, size):
                if record.body is not None:
                    events.write(record.body + b"\n")
                    salts.write(orjson.dumps({"n": record.index, "salt": (record.salt or b"").hex()}) + b"\n")
                leaf = record.leaf or b""
                hashes.append(leaf_hash(leaf))
                yield leaf

        for path, content in entry_bundles(leaves()):
            _write(directory / "log" / path, content)
    for path, content in hash_tiles(hashes):
        _write(directory / "log" / path, content)


def _places(view: LogView, size: int) -> Iterator[Record]:
    """One record for each of the first ``size`` places; an empty one where the row is gone."""
    place = 0
    for record in view.records():
        if record.index >= size:
            break
        for gone in range(place, record.index):
            yield Record(gone, None)
        yield record
        place = record.index + 1
    for gone in range(place, size):
        yield Record(gone, None)


def _write_schemas(directory: Path) -> None:
    with resources.as_file(resources.files("ringfence.lineage") / "schemas") as schemas:
        shutil.copytree(schemas, directory)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
