"""C2SP signed notes with Ed25519: text that carries its signatures, as `golang.org/x/mod/sumdb/note` reads them.

Law: a signature counts only if its key's name, its key's id and its 64 bytes all fit a key that the reader trusts;
lines of other keys are passed over, so that witnesses may add theirs.
Source: https://c2sp.org/signed-note
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_ED25519: Final = b"\x01"
_KEY_SIZE: Final = 32
_ID_SIZE: Final = 4
_SIGNATURE_PREFIX: Final = "\N{EM DASH} "


class NoteError(ValueError):
    """Bytes that are no signed note or no verifier key."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A named Ed25519 public key."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(char.isspace() for char in self.name):
            raise NoteError(f"{self.name!r} is no key name: it is empty or has a space or a plus sign")
        if len(self.public_key) != _KEY_SIZE:
            raise NoteError(f"an Ed25519 public key has {_KEY_SIZE} bytes, not {len(self.public_key)}")

    @property
    def id(self) -> bytes:
        """The four bytes that go before a signature."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key).digest()[:_ID_SIZE]

    def encoded(self) -> str:
        """The verifier key as text: ``name+id+key``."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.public_key).decode()}"

    def accepts(self, message: bytes, signature: bytes) -> bool:
        """Whether ``signature`` is this key's signature of ``message``."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except InvalidSignature:
            return False
        return True


def decode_verifier_key(text: str) -> VerifierKey:
    """Read ``name+id+key``.

    Raises:
        NoteError: it is not that, of another algorithm, or its id does not belong to it.
    """
    try:
        name, key_id, encoded = text.strip().split("+", 2)
        data = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise NoteError("a verifier key is written name+id+key") from error
    if data[:1] != _ED25519:
        raise NoteError("not an Ed25519 key")
    key = VerifierKey(name, data[1:])
    if key.id.hex() != key_id:
        raise NoteError(f"the id {key_id} does not belong to this name and key")
    return key


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note, taken apart; nothing about it is believed yet."""

    text: str
    """What was signed; ends with a newline."""
    signatures: tuple[Signature, ...]

    def is_signed_by(self, key: VerifierKey) -> bool:
        """Whether one of the signatures is that of ``key``."""
        message = self.text.encode()
        return any(
            line.name == key.name and line.key_id == key.id and key.accepts(message, line.signature)
            for line in self.signatures
        )


def sign_note(text: str, keys: Sequence[tuple[VerifierKey, Callable[[bytes], bytes]]]) -> str:
    """The note for ``text``, with one signature line for each key and its signing function."""
    message = text.encode()
    lines = (
        f"{_SIGNATURE_PREFIX}{key.name} {base64.b64encode(key.id + sign(message)).decode()}\n" for key, sign in keys
    )
    return f"{text}\n{''.join(lines)}"


def parse_note(note: str) -> Note:
    """Take a note apart.

    Raises:
        NoteError: it is no signed note.
    """
    text, separator, lines = note.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise NoteError("no signature lines after an empty line")
    return Note(text + "\n", tuple(_parse_signature(line) for line in lines[:-1].split("\n")))


def _parse_signature(line: str) -> Signature:
    try:
        name, encoded = line.removeprefix(_SIGNATURE_PREFIX).split(" ")
        data = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise NoteError(f"not a signature line: {line[:80]!r}") from error
    if not line.startswith(_SIGNATURE_PREFIX) or len(data) <= _ID_SIZE:
        raise NoteError(f"not a signature line: {line[:80]!r}")
    return Signature(name, data[:_ID_SIZE], data[_ID_SIZE:])
