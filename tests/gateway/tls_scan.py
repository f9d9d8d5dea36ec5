"""What of TLS somebody speaks: found out by offers as a client makes them, and read from offers that he makes.

Law: nothing here relies on a TLS library, which would offer and take only what it thinks is good itself. Of a server it
is asked what it picks of everything that is left, until it picks nothing.

RFC 8446 (4.1.2, 4.2.8), RFC 5246 (7.4.1.2), and IANA's registry "TLS Cipher Suites".
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

SSL_3, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = range(0x0300, 0x0305)
VERSIONS: Final = (SSL_3, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3)
STRONG: Final = {0xC02B: "ECDSA", 0xC02C: "ECDSA", 0xC02F: "RSA", 0xC030: "RSA"}
"""ECDHE with AES-GCM: what may be spoken in TLS 1.2, by the kind of the certificate."""
STRONG_1_3: Final = {0x1301, 0x1302, 0x1303}
"""All but those with a short tag (CCM_8), and one that next to nobody has (CCM)."""
ANY_1_3: Final = (*range(0x1301, 0x1306), 0x00C6, 0x00C7)
ANY: Final = (*range(0x0001, 0x00C6), *range(0xC001, 0xC0B5), *range(0xCCA8, 0xCCAF), *range(0xD001, 0xD006))
"""Every suite before TLS 1.3: without keys, without encryption, for export, with RC4, DES and 3DES, too."""
_PATIENCE: Final = 10.0  # seconds
_HANDSHAKE, _CLIENT_HELLO, _SERVER_HELLO = 22, 1, 2
_HEAD: Final = 5
"""Bytes before each record."""
_GROUPS, _POINTS, _SIGNATURES, _VERSIONS, _KEY_SHARE = 10, 11, 13, 43, 51
_X25519: Final = 0x001D
_CURVES: Final = (_X25519, 0x0017, 0x0018)
_SIGNED: Final = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201)


@dataclass(frozen=True)
class Hello:
    """What a client offers."""

    versions: frozenset[int]
    suites: frozenset[int]


def spoken(port: int) -> dict[int, set[int]]:
    """The suites that a server on this machine takes, by version; no version that it doesn't speak."""
    found = {version: set(_picked(port, version)) for version in VERSIONS}
    return {version: suites for version, suites in found.items() if suites}


def _picked(port: int, version: int) -> Iterator[int]:
    left = list(ANY_1_3 if version == TLS_1_3 else ANY)
    while (suite := _answered(port, version, left)) is not None:
        yield suite
        left.remove(suite)


def _answered(port: int, version: int, suites: Sequence[int]) -> int | None:
    """The suite of this version that the server picks of ``suites``; None where it refuses all of them."""
    with closing(socket.create_connection(("127.0.0.1", port), _PATIENCE)) as connection:
        connection.sendall(_hello(version, suites))
        record = first_record(connection)
    if len(record) <= _HEAD or record[0] != _HANDSHAKE or record[_HEAD] != _SERVER_HELLO:
        return None
    told = _Reader(record[_HEAD + 4 :])
    legacy = told.number(2)
    told.take(32)
    told.block(1)
    suite = told.number(2)
    told.take(1)
    extensions = dict(_extensions(told.block(2)))
    chosen = int.from_bytes(extensions[_VERSIONS]) if _VERSIONS in extensions else legacy
    return suite if chosen == version else None


def offered(record: bytes) -> Hello:
    """What a client's first record says."""
    assert (record[0], record[_HEAD]) == (_HANDSHAKE, _CLIENT_HELLO)
    told = _Reader(record[_HEAD + 4 :])
    legacy = told.number(2)
    told.take(32)
    told.block(1)
    suites = frozenset(_pairs(told.block(2)))
    told.block(1)
    extensions = dict(_extensions(told.block(2)))
    versions = frozenset(_pairs(extensions[_VERSIONS][1:])) if _VERSIONS in extensions else frozenset({legacy})
    return Hello(versions, suites)


def first_record(connection: socket.socket) -> bytes:
    """The first record that the other side sends, with its head; less where it sends no more."""
    connection.settimeout(_PATIENCE)
    head = _exactly(connection, _HEAD)
    return head + _exactly(connection, int.from_bytes(head[3:]))


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = b""
    try:
        while len(found) < size and (more := connection.recv(size - len(found))):
            found += more
    except ConnectionResetError:
        pass
    return found


def _hello(version: int, suites: Sequence[int]) -> bytes:
    legacy = min(version, TLS_1_2)
    said = [
        _number(legacy),
        os.urandom(32),
        _block(os.urandom(32), 1),
        _block(_numbers(suites), 2),
        b"\x01\x00",  # no compression
        _block(b"".join(_said(version)), 2),
    ]
    message = bytes([_CLIENT_HELLO]) + _block(b"".join(said), 3)
    return bytes([_HANDSHAKE]) + _number(min(version, TLS_1_0)) + _block(message, 2)


def _said(version: int) -> Iterator[bytes]:
    yield _extension(_GROUPS, _block(_numbers(_CURVES), 2))
    yield _extension(_POINTS, b"\x01\x00")
    yield _extension(_SIGNATURES, _block(_numbers(_SIGNED), 2))
    if version == TLS_1_3:
        yield _extension(_VERSIONS, _block(_number(version), 1))
        yield _extension(_KEY_SHARE, _block(_number(_X25519) + _block(os.urandom(32), 2), 2))


def _extension(kind: int, content: bytes) -> bytes:
    return _number(kind) + _block(content, 2)


def _extensions(content: bytes) -> Iterator[tuple[int, bytes]]:
    told = _Reader(content)
    while told.left:
        yield told.number(2), told.block(2)


def _block(content: bytes, size: int) -> bytes:
    """The content after its length, which has ``size`` bytes."""
    return len(content).to_bytes(size) + content


def _number(value: int) -> bytes:
    return value.to_bytes(2)


def _numbers(values: Sequence[int]) -> bytes:
    return b"".join(map(_number, values))


def _pairs(content: bytes) -> Iterator[int]:
    return (int.from_bytes(content[at : at + 2]) for at in range(0, len(content), 2))


@dataclass
class _Reader:
    """A message, from its beginning to its end."""

    left: bytes

    def take(self, size: int) -> bytes:
        found, self.left = self.left[:size], self.left[size:]
        return found

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def block(self, size: int) -> bytes:
        return self.take(self.number(size))
