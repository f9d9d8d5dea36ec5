"""A TCP port of this machine that stays ours, also while the server that uses it is down."""

import socket


class ReservedPort:
    """A free port of 127.0.0.1, held until `release`.

    A bound socket that never listens keeps every other program off, and the kernel never picks the port for an outgoing
    connection. The server itself gets in because both set SO_REUSEPORT and belong to one user.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def release(self) -> None:
        """Give the port back."""
        self._socket.close()
