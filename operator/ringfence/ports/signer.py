"""What signs checkpoints.

Law: a private key never crosses this port; messages go in, signatures come out.
"""

from typing import Protocol


class Signer(Protocol):
    """One Ed25519 key."""

    @property
    def public_key(self) -> bytes:
        """The raw public key, 32 bytes."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature of ``message``, 64 bytes."""
        ...
