"""The signing key's file: made for its owner only, refused when it is open to others, never anything but Ed25519."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ringfence.adapters.signer import (
    KeyFileError,
    load_or_create_signer,
    load_public_keys,
    load_signer,
    public_key_file,
)
from ringfence.lineage.note import VerifierKey


def _private_pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "signing-key.pem"
    first = load_or_create_signer(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create_signer(path).public_key == first.public_key == load_signer(path).public_key
    assert {file.name for file in path.parent.iterdir()} == {"signing-key.pem", "signing-key.pub.pem"}


def test_the_public_key_beside_it_verifies_what_it_signs(tmp_path: Path) -> None:
    signer = load_or_create_signer(tmp_path / "key.pem")
    (public,) = load_public_keys(public_key_file(tmp_path / "key.pem"))
    Ed25519PublicKey.from_public_bytes(public).verify(signer.sign(b"message"), b"message")
    assert b"PRIVATE" not in public_key_file(tmp_path / "key.pem").read_bytes()


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    """Whoever is second takes the key of the first: two keys would sign two histories."""
    path = tmp_path / "key.pem"
    with ThreadPoolExecutor(8) as pool:
        keys = {signer.public_key for signer in pool.map(lambda _: load_or_create_signer(path), range(8))}
    assert keys == {load_signer(path).public_key}


def test_a_key_that_everyone_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    load_or_create_signer(path)
    path.chmod(0o640)
    assert load_signer(path).public_key
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="mode 0600"):
        load_signer(path)


@pytest.mark.parametrize("content", [b"", b"garbage", _private_pem(ec.generate_private_key(ec.SECP256R1()))])
def test_what_is_no_ed25519_private_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match=r"no unencrypted private key|not an Ed25519 key"):
        load_signer(path)
    with pytest.raises(KeyFileError, match="mount the signing key"):
        load_signer(tmp_path / "absent.pem")


def test_several_public_keys_may_be_given_in_both_forms(tmp_path: Path) -> None:
    """While a key is rotated, and for logs that are older than the rotation."""
    keys = [Ed25519PrivateKey.generate().public_key() for _ in range(2)]
    raw = [key.public_bytes_raw() for key in keys]
    path = tmp_path / "keys"
    path.write_bytes(b"".join(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for key in keys))
    assert load_public_keys(path) == raw
    path.write_text("".join(f"{VerifierKey(f'log{n}', key).encoded()}\n" for n, key in enumerate(raw)))
    assert load_public_keys(path) == raw


def test_a_file_with_something_else_is_no_public_key(tmp_path: Path) -> None:
    path = tmp_path / "key"
    other = rsa.generate_private_key(65537, 2048).public_key()
    for content in (b"garbage", other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), b"\xff"):
        path.write_bytes(content)
        with pytest.raises(KeyFileError, match="no Ed25519 public key"):
            load_public_keys(path)
