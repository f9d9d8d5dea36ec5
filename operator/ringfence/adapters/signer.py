"""The key that signs checkpoints: an Ed25519 private key in a PEM file, mounted into the pod.

Law: the private key is read from its file and never leaves this module; one that others may read is refused.
"""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from ringfence.lineage.note import decode_verifier_key

_OTHERS: Final = 0o007
_PEM_BEGIN: Final = "-----BEGIN "


class KeyFileError(Exception):
    """The key can't be used. The message names the file and the next step."""


class Ed25519Signer:
    """Signs with one private key; see `ringfence.ports.signer.Signer`."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @property
    def public_key(self) -> bytes:
        """The raw public key, 32 bytes."""
        return self._key.public_key().public_bytes_raw()

    @property
    def public_pem(self) -> bytes:
        """The public key as PEM: what an auditor is given."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        """The signature of ``message``, 64 bytes."""
        return self._key.sign(message)


def load_signer(path: Path) -> Ed25519Signer:
    """The signer for a PEM file.

    Raises:
        KeyFileError: the file is not there, is readable by everyone, or is no Ed25519 private key.
    """
    try:
        pem, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}; mount the signing key or name another file") from error
    if mode & _OTHERS:  # a group is let through: pods get their files by fsGroup
        raise KeyFileError(f"{path} is open to everyone: give it mode 0600 (in a pod, defaultMode 0440)")
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path} is no unencrypted private key in PEM form") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path} is not an Ed25519 key; make one with `openssl genpkey -algorithm ed25519`")
    return Ed25519Signer(key)


def load_or_create_signer(path: Path) -> Ed25519Signer:
    """The same, but where there is no file a new key is put there, readable by its owner only.

    Its public key goes beside it, into `public_key_file`, for whoever verifies.

    Raises:
        KeyFileError: the file can't be used or made.
    """
    if path.exists():
        return load_signer(path)
    _create(path)
    signer = load_signer(path)
    try:
        public_key_file(path).write_bytes(signer.public_pem)
    except OSError as error:
        raise KeyFileError(
            f"{public_key_file(path)}: {error.strerror}; the public key can't be written there"
        ) from error
    return signer


def public_key_file(path: Path) -> Path:
    """Where the public key of a key that was made at ``path`` is: ``signing-key.pub.pem`` for ``signing-key.pem``."""
    return path.with_name(f"{path.stem}.pub.pem")


def _create(path: Path) -> None:
    """Write a new key; where another process was quicker, its key stays."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent) as draft:  # readable by its owner only
            draft.write(pem)
            draft.flush()
            os.fsync(draft.fileno())
            with suppress(FileExistsError):
                path.hardlink_to(draft.name)
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}; the signing key can't be written there") from error


def load_public_keys(path: Path) -> list[bytes]:
    """The raw Ed25519 public keys of a file: PEM blocks, or C2SP verifier keys, one a line.

    A verifier key's name is passed over: each log is its own origin, and one key signs for all of them.

    Raises:
        KeyFileError: the file can't be read or has something else in it.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if _PEM_BEGIN not in text:
            return [decode_verifier_key(line).public_key for line in text.split()]
        blocks = text.split(_PEM_BEGIN)[1:]
        return [_public_key(f"{_PEM_BEGIN}{block}".encode()) for block in blocks]
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}; name the file with the log's public key") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path} has no Ed25519 public key in PEM or verifier key form: {error}") from error


def _public_key(pem: bytes) -> bytes:
    key = load_pem_public_key(pem)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("a key of another algorithm")  # noqa: TRY004 - wrong content of a file, not a wrong call
    return key.public_bytes_raw()
