"""A pod's network: a network namespace of its own, with a loopback, and connections in and out that are carried by hand.

Law: a pod listens wherever it likes and disturbs nobody, and connects to what it was given and to nothing else.

A network namespace belongs to a thread, and a socket to the namespace of the thread that made it. So one thread of the
node lives in the pod's: it makes the pod's sockets and starts its programs. Whoever holds a socket may use it anywhere.
"""

import asyncio
import contextlib
import fcntl
import secrets
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from ringfence.controlplane.node.container import NEW_NETWORK, unshare

_SET_FLAGS: Final = 0x8914  # SIOCSIFFLAGS, netdevice(7)
_UP: Final = 1  # IFF_UP
_HERE: Final = "127.0.0.1"
_CHUNK: Final = 1 << 16
_ATTEMPTS: Final = 20

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Network:
    """The network of one pod."""

    def __init__(self) -> None:
        self._inside = ThreadPoolExecutor(1, thread_name_prefix="pod", initializer=_enter)
        self._servers: list[asyncio.Server] = []
        self.address = ""
        """Of this machine's loopback, where the pod's ports are; every pod has one of its own."""

    async def inside(
        self, function: Callable[_Arguments, _Result], *arguments: _Arguments.args, **named: _Arguments.kwargs
    ) -> _Result:
        """Call a function in the pod's network namespace."""
        return await asyncio.wrap_future(self._inside.submit(function, *arguments, **named))

    async def publish(self, ports: Sequence[int]) -> None:
        """Make the pod's ports reachable from this machine, all at one address."""
        for _ in range(_ATTEMPTS):
            self.address = f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"
            with contextlib.suppress(OSError):  # another node's pod has it
                for port in ports:
                    server = await asyncio.start_server(self._carrying(self._dial_inside, port), self.address, port)
                    self._servers.append(server)
                return
            self._close_servers()
        raise OSError(f"no address of this machine has ports {ports} free")

    async def open_ways_out(self, outside: Mapping[str, str]) -> Mapping[str, str]:
        """Let the pod connect to these; return the addresses by which it knows their hosts."""
        hosts = sorted({name.rpartition(":")[0] for name in outside})
        addresses = {host: f"127.0.1.{number}" for number, host in enumerate(hosts, 1)}
        for name, target in outside.items():
            host, _, port = name.rpartition(":")
            listening = await self.inside(_listening, addresses[host], int(port))
            self._servers.append(
                await asyncio.start_server(self._carrying(_dial_outside, target), sock=listening)
            )
        return addresses

    async def connect(self, port: int) -> socket.socket:
        """Connect to one of the pod's ports, from within. Raises OSError where nobody listens."""
        made = await self.inside(_made)
        try:
            await asyncio.get_running_loop().sock_connect(made, (_HERE, port))
        except OSError:
            made.close()
            raise
        return made

    def close(self) -> None:
        """End all connections' ways; programs must be gone."""
        self._close_servers()
        self._inside.shutdown(wait=False)

    def _close_servers(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()

    async def _dial_inside(self, port: int) -> "Streams":
        return await asyncio.open_connection(sock=await self.connect(port))

    @staticmethod
    def _carrying(dial: "Callable[[_Result], Awaitable[Streams]]", target: _Result) -> "Handler":
        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.closing(writer), contextlib.suppress(OSError):
                far_reader, far_writer = await dial(target)
                with contextlib.closing(far_writer):
                    await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))

        return carry


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _dial_outside(target: str) -> Streams:
    host, _, port = target.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()


def _enter() -> None:
    """Let the calling thread have a network namespace of its own, with nothing in it but a loopback."""
    unshare(NEW_NETWORK)
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP))


def _made() -> socket.socket:
    made = socket.socket()
    made.setblocking(False)
    return made


def _listening(address: str, port: int) -> socket.socket:
    made = _made()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    return made
