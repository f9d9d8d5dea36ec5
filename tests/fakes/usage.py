"""Usage in memory: the store's promises without a disk, and collectors without a pod."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ringfence.lineage.entry import LogId
from ringfence.ports.usage import CollectorError, Due, Replica, Trust, UsageUnavailableError
from ringfence.usage.page import Page, encode, make_cursor, sequence_of
from ringfence.usage.tally import HOUR, Key, Numbers, Row, total


@dataclass
class _Hour:
    version: int = 0
    recorded: int = 0
    digest: str = ""
    keep_until: int = 0


@dataclass
class _Tenant:
    name: str = ""
    cursors: dict[str, str] = field(default_factory=dict)
    rows: dict[tuple[Key, str], Numbers] = field(default_factory=dict)
    hours: dict[int, _Hour] = field(default_factory=lambda: defaultdict(_Hour))


@dataclass
class MemoryUsage:
    """`UsageStore` and `UsageReader` over dicts; set ``unavailable`` to make calls fail."""

    unavailable: bool = False
    _tenants: dict[LogId, _Tenant] = field(default_factory=dict)

    async def cursor(self, log: LogId, source: str) -> str:
        return self._of(log).cursors.get(source, "")

    async def take(self, log: LogId, source: str, page: Page, *, tenant: str, keep: int) -> None:
        known = self._of(log)
        self._tenants[log] = known
        known.name, known.cursors[source] = tenant, page.cursor
        for hour in {row.key.hour for row in page.rows if known.rows.get((row.key, page.instance)) != row.numbers}:
            noted = known.hours[hour]
            noted.version += 1
            noted.keep_until = max(noted.keep_until, hour + HOUR + keep)
        known.rows |= {(row.key, page.instance): row.numbers for row in page.rows}

    async def logs(self) -> Sequence[LogId]:
        return sorted(self._tenants)

    async def due(self, log: LogId, before: int) -> Sequence[Due]:
        known = self._of(log)
        return [
            Due(known.name, hour, noted.version, noted.keep_until, list(self.rows(log, since=hour, until=hour + HOUR)))
            for hour, noted in sorted(known.hours.items())
            if hour < before and noted.version > noted.recorded
        ]

    async def recorded(self, log: LogId, due: Due, digest: str) -> None:
        noted = self._of(log).hours[due.hour]
        noted.recorded, noted.digest = due.version, digest

    def tenants(self) -> Mapping[LogId, str]:
        return {log: known.name for log, known in self._tenants.items()}

    def rows(self, log: LogId, *, since: int, until: int) -> Iterator[Row]:
        found: dict[Key, list[Numbers]] = defaultdict(list)
        for (key, _), numbers in self._of(log).rows.items():
            if since <= key.hour < until:
                found[key].append(numbers)
        return iter([Row(key, total(found[key])) for key in sorted(found)])

    def digests(self, log: LogId) -> Mapping[int, str]:
        hours = self._of(log).hours.items()
        return {hour: noted.digest if noted.recorded == noted.version else "" for hour, noted in hours}

    def _of(self, log: LogId) -> _Tenant:
        if self.unavailable:
            raise UsageUnavailableError("the disk is full")
        return self._tenants.get(log, _Tenant())


@dataclass
class MemoryCollectors:
    """`Collectors` that answer from lists: each change is a row as it is by then."""

    changes: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    """By pod."""
    instances: dict[str, str] = field(default_factory=dict)
    answer: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    """What a pod answers instead."""
    silent: dict[str, asyncio.Event] = field(default_factory=dict)
    """Who does not answer before it is set."""
    asked: list[tuple[str, Trust, str]] = field(default_factory=list)
    page_size: int = 2

    async def page(self, replica: Replica, trust: Trust, after: str) -> bytes:
        self.asked.append((replica.name, trust, after))
        if replica.name in self.silent:
            await self.silent[replica.name].wait()
        if replica.name in self.answer:
            return self.answer[replica.name]()
        instance, changes = self.instances[replica.name], self.changes[replica.name]
        begin = sequence_of(after, instance)
        end = min(begin + self.page_size, len(changes))
        return encode(Page(instance, make_cursor(instance, end), end < len(changes), changes[begin:end]))


def silent() -> bytes:
    """A pod that does not answer."""
    raise CollectorError("connection refused")
