"""A pod's network: a network namespace of its own, with a loopback; what goes in and out is carried by hand.

Law: a pod listens wherever it likes and disturbs nobody, and connects to what it was given and to nothing else.

A network namespace belongs to a thread, and a socket to the namespace of the thread that made it. So one thread of the
node lives in the pod's: it makes the pod's sockets and starts its programs. Whoever holds a socket may use it anywhere.
"""

import asyncio
import contextlib
import fcntl
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from ringfence.controlplane.node.container import NEW_NETWORK, unshare
from ringfence.controlplane.node.ways import Ways

_SET_FLAGS: Final = 0x8914  # SIOCSIFFLAGS, netdevice(7)
_UP: Final = 1  # IFF_UP
_HERE: Final = "127.0.0.1"
_CHUNK: Final = 1 << 16

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Network:
    """The network of one pod."""

    def __init__(self) -> None:
        self._inside = ThreadPoolExecutor(1, thread_name_prefix="pod", initializer=_enter)
        self._servers: list[asyncio.Server] = []
        self._open: set[str] = set()
        self.hosts = {"localhost": _HERE}
        """Names that the pod knows, and the address of each: one of its own, from where connections are carried on."""
        self.ports: dict[int, int] = {}
        """The pod's ports, and those of this machine's own address that lead there."""

    async def inside(
        self, function: Callable[_Arguments, _Result], *arguments: _Arguments.args, **named: _Arguments.kwargs
    ) -> _Result:
        """Call a function in the pod's network namespace."""
        return await asyncio.wrap_future(self._inside.submit(function, *arguments, **named))

    async def publish(self, ports: Iterable[int]) -> None:
        """Make the pod's ports reachable from this machine, and from no other."""
        for port in ports:
            server = await asyncio.start_server(self._carrying(self._dial_inside, port, near=True), own_address(), 0)
            self._servers.append(server)
            self.ports[port] = server.sockets[0].getsockname()[1]

    async def open(self, ways: Ways) -> None:
        """Let the pod connect to whatever there is a way to by now; its `hosts` grow by the names.

        Ports on which the pod itself listens stay free for it, at all addresses: it reaches no other host there.
        """
        for name in sorted(ways.names - self._open):
            host, _, port = name.rpartition(":")
            if int(port) in self.ports:
                continue
            address = self.hosts.setdefault(host, _address(len(self.hosts)))
            listening = await self.inside(_listening, address, int(port))
            self._servers.append(await asyncio.start_server(self._carrying(_dial(ways), name), sock=listening))
            self._open.add(name)

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
        for server in self._servers:
            server.close()
        self._inside.shutdown(wait=False)

    async def _dial_inside(self, port: int) -> "Streams":
        return await asyncio.open_connection(sock=await self.connect(port))

    @staticmethod
    def _carrying(dial: "Callable[[_Result], Awaitable[Streams]]", target: _Result, *, near: bool = False) -> "Handler":
        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.closing(writer), contextlib.suppress(OSError):
                if near and not _is_near(writer):
                    return
                far_reader, far_writer = await dial(target)
                with contextlib.closing(far_writer):
                    await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))

        return carry


def own_address() -> str:
    """An address of this machine that is no loopback: the API server takes no other as a pod's.

    Raises OSError where there is none. Nothing is sent: the kernel is asked which way it would take (RFC 5737).
    """
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.connect(("198.51.100.1", 9))
        return str(asking.getsockname()[0])


def _is_near(writer: asyncio.StreamWriter) -> bool:
    """Whether the other end is on this machine: then both have the same address."""
    return bool(writer.get_extra_info("peername")[0] == writer.get_extra_info("sockname")[0])


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _dial(ways: Ways) -> Callable[[str], Awaitable[Streams]]:
    async def dial(name: str) -> Streams:
        host, _, port = ways.target(name).rpartition(":")
        return await asyncio.open_connection(host, int(port))

    return dial


def _address(number: int) -> str:
    """One of the pod's loopback, another for each number below 65,025."""
    high, low = divmod(number, 255)
    return f"127.1.{high}.{low + 1}"


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
