"""What a gateway adds to a request; asked by turns, so that whatever else the machine does falls on all alike."""

import http.client
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from tests.bench.gateway.contenders import Contender, bare, litellm, ringfence
from tests.gateway.asking import CHAT, body

ROUND: Final = 25
"""Requests that one contender is sent in a row."""
_WARMING: Final = 50


@dataclass(frozen=True)
class Overhead:
    """What was seen of one contender."""

    name: str
    p50: float
    """Milliseconds."""
    p95: float
    cpu: float
    """Milliseconds of the contender's own CPU for each request."""
    rss: float
    """Megabytes."""


def measure(requests: int) -> list[Overhead]:
    """So many requests to each; the bare provider stands first."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringfence-bench-")))
        provider = stack.enter_context(bare(folder))
        gateways = (ringfence(folder, provider.port), litellm(folder, provider.port))
        contenders = [provider, *map(stack.enter_context, gateways)]
        clients = [stack.enter_context(closing(_Client(each))) for each in contenders]
        for client in clients:
            client.ask(_WARMING)
        return _measured(clients, requests)


def _measured(clients: Sequence["_Client"], requests: int) -> list[Overhead]:
    spent = [0.0] * len(clients)
    times: list[list[float]] = [[] for _ in clients]
    for _ in range(requests // ROUND):
        for number, client in enumerate(clients):
            before = client.contender.usage.cpu
            times[number] += client.ask(ROUND)
            spent[number] += client.contender.usage.cpu - before
    return [_overhead(*each) for each in zip(clients, times, spent, strict=True)]


def _overhead(client: "_Client", times: Sequence[float], spent: float) -> Overhead:
    milliseconds = [1000 * each for each in times]
    rss = client.contender.usage.rss
    return Overhead(
        client.contender.name, median(milliseconds), quantiles(milliseconds, n=20)[-1], 1000 * spent / len(times), rss
    )


class _Client:
    """One connection, which is kept."""

    def __init__(self, contender: Contender) -> None:
        self.contender = contender
        tls = contender.tls
        self._connection = (
            http.client.HTTPSConnection("localhost", contender.port, context=tls)
            if tls
            else http.client.HTTPConnection("localhost", contender.port)
        )

    def close(self) -> None:
        """End it."""
        self._connection.close()

    def ask(self, times: int) -> list[float]:
        """Ask so often; seconds for each answer."""
        return [self._asked() for _ in range(times)]

    def _asked(self) -> float:
        began = time.perf_counter()
        headers = {"content-type": "application/json", **self.contender.headers}
        self._connection.request("POST", CHAT, body(), headers)
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content
        return time.perf_counter() - began
