"""C2SP checkpoints: a log's origin, size and root, as a signed note.

Law: the key's name in a checkpoint is the log's origin, so that a checkpoint of one log never passes for another's.
Source: https://c2sp.org/tlog-checkpoint
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ringfence.lineage.merkle import HASH_SIZE
from ringfence.lineage.note import Note, NoteError, VerifierKey, parse_note, sign_note

_SIZE: Final = re.compile(r"0|[1-9][0-9]*")
_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log promises: it will always begin with these ``size`` leaves."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, keys: Sequence[tuple[bytes, Callable[[bytes], bytes]]]) -> str:
        """The checkpoint as a note; each key is a raw Ed25519 public key with its signing function."""
        return sign_note(self.text(), [(VerifierKey(self.origin, public), sign) for public, sign in keys])


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint as it was read; its signatures are not believed yet."""

    checkpoint: Checkpoint
    note: Note

    def is_signed_by(self, public_key: bytes) -> bool:
        """Whether the log's key with these 32 bytes signed it."""
        return self.note.is_signed_by(VerifierKey(self.checkpoint.origin, public_key))


def parse_checkpoint(note: str) -> SignedCheckpoint:
    """Read a checkpoint's note.

    Raises:
        NoteError: it is no checkpoint.
    """
    parsed = parse_note(note)
    lines = parsed.text.split("\n")[:-1]  # extension lines may follow the first three
    if len(lines) < _LINES or not _SIZE.fullmatch(lines[1]):
        raise NoteError("a checkpoint has three lines: origin, size and root")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except binascii.Error as error:
        raise NoteError("the root is not base64") from error
    if len(root) != HASH_SIZE:
        raise NoteError(f"a root has {HASH_SIZE} bytes, not {len(root)}")
    return SignedCheckpoint(Checkpoint(lines[0], int(lines[1]), root), parsed)
