"""What is counted of requests through a real Envoy, and what never is."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from ringfence.adapters.collector.counting import Counting
from ringfence.adapters.collector.log import AccessLog
from ringfence.adapters.collector.metrics import Metrics
from ringfence.adapters.collector.state import State
from ringfence.adapters.sqlite.usage import SqliteUsage, SqliteUsageReader
from ringfence.usage.outcome import Outcome
from ringfence.usage.page import decode, encode
from ringfence.usage.report import Dimension, grouped
from ringfence.usage.tally import Row
from tests.gateway.asking import MODELS, Answer, Attempt, Door, Request, body, workload
from tests.gateway.provider import ANSWER, USAGE
from tests.gateway.world import HERE, KEYS, MAX_REQUEST_BYTES, PROBE, SMALL, UI, World
from tests.lineage_samples import ACME
from tests.waiting import eventually

CANARY: Final = "canary-prompt-7f3a"
TOKENS: Final = (USAGE["prompt_tokens"], USAGE["completion_tokens"], USAGE["total_tokens"])


@dataclass
class Collector:
    """Beside the gateway, with what it keeps."""

    counting: Counting
    path: Path

    def counted(self, world: World, attempt: Attempt) -> Row:
        """Send something, and see what it adds."""
        while self.counting.step():
            pass
        before = {row.key: row for row in self.rows()}
        world.ask(attempt)
        eventually(self.counting.step)
        (changed,) = [row for row in self.rows() if before.get(row.key) != row]
        known = before.get(changed.key)
        negative = known.numbers.flat() if known else [0] * len(changed.numbers.flat())
        added = changed.numbers.of(a - b for a, b in zip(changed.numbers.flat(), negative, strict=True))
        return replace(changed, numbers=added)

    def rows(self) -> list[Row]:
        """Everything so far."""
        return list(self.counting.state.page("").rows)


@pytest.fixture(scope="module")
def collector(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    path = tmp_path_factory.mktemp("collector") / "usage.db"
    with closing(AccessLog(world.pod.access_log)) as log, closing(State.open(path)) as state:
        yield Collector(Counting(log, state, Metrics()), path)


def _as(account: str, model: str = "chat", **more: object) -> Request:
    return Request(body(model, **more), bearer=lambda signers: signers.issuer.token("acme-dev", account))


class _Gone:
    """Somebody who hangs up before the answer."""

    def send(self, door: Door) -> Answer:
        with closing(door.connect()) as connection:
            connection.sendall(_as(UI).wire(door.signers))
        return Answer(0)


ENDS: Final[dict[Outcome, tuple[Attempt, str, str]]] = {
    Outcome.SERVED: (_as(UI), "chat", "first"),
    Outcome.LISTED: (Request(b"", MODELS, "GET"), "", ""),
    Outcome.UNIDENTIFIED: (Request(bearer=None), "", ""),
    Outcome.NOT_ALLOWED: (Request(body("nope")), "", ""),
    Outcome.INVALID: (Request(body("small", user="x" * SMALL)), "small", ""),
}
"""Each with the route and the provider that it counts for."""


@pytest.mark.parametrize("outcome", ENDS)
def test_a_request_counts_by_how_it_ended(world: World, collector: Collector, outcome: Outcome) -> None:
    attempt, route, provider = ENDS[outcome]
    found = collector.counted(world, attempt)
    assert (found.key.outcome, found.key.route, found.key.provider) == (outcome, route, provider)
    assert found.numbers.requests == 1
    assert found.numbers.unmetered == 0
    assert found.numbers[2:5] == (TOKENS if outcome is Outcome.SERVED else (0, 0, 0))


@pytest.mark.parametrize(
    "attempt",
    [_as(UI), _as(UI, stream=True), _as(UI, "claude"), _as(UI, "plain")],
    ids=["whole", "streamed", "translated", "inside"],
)
def test_tokens_are_those_that_the_provider_told(world: World, collector: Collector, attempt: Request) -> None:
    """Streamed, translated from another provider's words, and by a frontend inside of the cluster."""
    found = collector.counted(world, attempt)
    assert found.numbers[:5] == (1, 0, *TOKENS)


@pytest.mark.parametrize("attempt", [_as(UI), _as(UI, "claude")], ids=["whole", "translated"])
def test_an_answer_larger_than_requests_may_be_arrives_whole_and_is_counted(world: World, attempt: Request) -> None:
    """It is paid for when it comes: batches of embeddings are that large."""
    for provider in world.providers.values():
        provider.words = "x" * (2 * MAX_REQUEST_BYTES)
    try:
        answer, line = world.logged(attempt)
    finally:
        for provider in world.providers.values():
            provider.words = ANSWER
    assert (answer.status, answer.json["choices"][0]["message"]["content"]) == (200, "x" * (2 * MAX_REQUEST_BYTES))
    assert line["total_tokens"] == USAGE["total_tokens"]


def test_a_request_counts_for_the_verified_caller(world: World, collector: Collector) -> None:
    """Whatever it says of itself."""
    spoofed = (("x-rf-namespace", "acme-prod"), ("x-rf-account", "admin"), ("x-forwarded-for", "203.0.113.9"))
    found = collector.counted(world, replace(_as(UI), headers=spoofed))
    assert (found.key.namespace, found.key.account) == ("acme-dev", UI)


def test_another_tenants_token_counts_for_nobody_known(world: World, collector: Collector) -> None:
    """The cluster signed it: it is refused all the same, and its name is none of this tenant's business."""
    assert collector.counted(world, _as(UI)).key.namespace == "acme-dev"
    stranger = Request(bearer=lambda signers: signers.issuer.token("globex-dev", "spy"))
    found = collector.counted(world, stranger)
    assert found.key[1:] == ("", "", "", "", Outcome.NOT_ALLOWED)


def test_a_key_is_a_workload_of_its_own(world: World, collector: Collector) -> None:
    key = Request(bearer=lambda signers: f"rf_live_{signers.issuer.token('acme-dev', HERE.account)}")
    assert collector.counted(world, key).key.account == HERE.account


def test_a_fallback_counts_for_the_provider_that_answered(world: World, collector: Collector) -> None:
    assert collector.counted(world, _as(UI)).key.provider == "first"
    world.providers["first"].status = 503
    try:
        found = collector.counted(world, _as(UI))
    finally:
        world.providers["first"].status = 200
    assert (found.key.provider, found.key.outcome, found.numbers.requests) == ("second", Outcome.SERVED, 1)


def test_a_providers_error_is_no_refusal_of_ours(world: World, collector: Collector) -> None:
    guarded = _as(UI, "guarded")
    assert collector.counted(world, guarded).key.outcome is Outcome.SERVED
    try:
        for status, outcome in ((400, Outcome.REJECTED), (500, Outcome.FAILED)):
            world.providers["first"].status = status
            assert collector.counted(world, guarded).key.outcome is outcome
    finally:
        world.providers["first"].status = 200


def test_who_hangs_up_has_abandoned_his_request(world: World, collector: Collector) -> None:
    world.providers["first"].answering.clear()
    try:
        found = collector.counted(world, _Gone())
    finally:
        world.providers["first"].answering.set()
    assert (found.key.outcome, found.numbers.requests) == (Outcome.ABANDONED, 1)


def test_probes_are_nobodys_usage(world: World, collector: Collector) -> None:
    probe = Request(b"", MODELS, "GET", lambda signers: signers.issuer.token(PROBE.namespace, PROBE.account))
    while collector.counting.step():
        pass
    before = collector.rows()
    assert world.ask(probe).status == 200
    eventually(collector.counting.step)
    assert collector.rows() == before


def test_what_was_said_is_nowhere(world: World, collector: Collector) -> None:
    """Not in what is kept, told, measured or handed on: no prompt, no model that does not exist, no key, no token."""
    said: list[Attempt] = [
        Request(body("chat", user=CANARY, prediction={"content": CANARY})),
        Request(body(CANARY)),
        Request(body("chat"), headers=(("x-note", CANARY), ("user-agent", CANARY), ("x-request-id", CANARY))),
        Request(body("chat"), path=f"/v1/chat/completions?note={CANARY}"),
        Request(body("chat"), path=f"/{CANARY}", host=CANARY),
    ]
    for attempt in (*said, _as(UI)):
        collector.counted(world, attempt)
    kept = b"".join(path.read_bytes() for path in collector.path.parent.iterdir())
    told = [encode(collector.counting.state.page("")), collector.counting.metrics.exposition()]
    secrets = [CANARY, *KEYS.values(), workload(world.door.signers)]
    assert all(UI.encode() in text for text in (kept, told[0]))
    assert not [each for each in secrets for text in (kept, *told) if each.encode() in text]


def test_what_was_counted_is_what_is_reported(world: World, collector: Collector, tmp_path: Path) -> None:
    """By the wire, through the store, to the report: the same requests as in the log."""
    for _ in range(3):
        collector.counted(world, _as(UI))
    page = decode(encode(collector.counting.state.page("")), tenant="acme", until=2**40)
    asyncio.run(SqliteUsage(tmp_path).take(ACME, "pod", page, tenant="acme", keep=0))
    rows = list(SqliteUsageReader(tmp_path).rows(ACME, since=0, until=2**40))
    own = [line for line in world.pod.lines() if line.get("namespace") == PROBE.namespace]
    (everything,) = grouped(rows, [])
    assert everything.numbers.requests == len(world.pod.lines()) - len(own)
    served = [line for line in world.pod.lines() if line.get("route") == "chat" and line["details"] == "via_upstream"]
    by_route = {group.values[0]: group for group in grouped(rows, [Dimension.ROUTE])}
    assert by_route["chat"].numbers.total_tokens == sum(int(line.get("total_tokens", 0)) for line in served)
