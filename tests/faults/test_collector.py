"""A collector that is killed, wherever it is: every line counts once."""

import asyncio
import http.client
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ringfence.adapters.collector import counting as counting_module
from ringfence.adapters.collector import log as log_module
from ringfence.adapters.collector.counting import Counting
from ringfence.adapters.collector.log import AccessLog
from ringfence.adapters.collector.metrics import Metrics
from ringfence.adapters.collector.server import PATH
from ringfence.adapters.collector.state import State
from ringfence.adapters.sqlite.usage import SqliteUsage, SqliteUsageReader
from ringfence.usage.outcome import Outcome
from ringfence.usage.page import Page, decode
from ringfence.usage.tally import Row, total
from tests.lineage_samples import ACME
from tests.usage_samples import line, row
from tests.waiting import eventually

FAR = 2**40
PATIENCE = 30.0  # seconds


class PowerLostError(BaseException):
    """No handler of ours takes it for an error."""


def _write(path: Path, count: int, **fields: Any) -> None:
    with path.open("ab") as file:
        file.write((line(**fields) + b"\n") * count)


@contextmanager
def _counting(folder: Path) -> Iterator[Counting]:
    with closing(AccessLog(folder / "access.log")) as log, closing(State.open(folder / "usage.db")) as state:
        yield Counting(log, state, Metrics())


STEPS = ("before the rows", "after the rows", "after the commit", "before the log is given up")


@pytest.mark.parametrize("lost", STEPS)
def test_killed_at_each_step_it_counts_every_line_once(
    lost: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First without a kill, then with one at that step; what is given up so far is given up at once."""
    monkeypatch.setattr(log_module, "RECLAIMED", 1)
    _write(tmp_path / "access.log", 30)
    with _counting(tmp_path) as counting:
        counting.step()
        assert counting.state.page("").rows == (row(30),)
    _write(tmp_path / "access.log", 40)
    with _counting(tmp_path) as counting, monkeypatch.context() as patch:
        _lose_power(patch, lost)
        with pytest.raises(PowerLostError):
            counting.step()
    with _counting(tmp_path) as counting:
        while counting.step():
            pass
        assert counting.state.page("").rows == (row(70),)


def _lose_power(patch: pytest.MonkeyPatch, when: str) -> None:
    owner, name, done = {
        "before the rows": (State, "_add", False),
        "after the rows": (State, "_add", True),
        "after the commit": (State, "take", True),
        "before the log is given up": (AccessLog, "reclaim", False),
    }[when]
    work = getattr(owner, name)

    def lose(*given: Any) -> None:
        if done:
            work(*given)
        raise PowerLostError

    patch.setattr(owner, name, lose)


@contextmanager
def _process(folder: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """A collector, and the port on which it answers."""
    files = ("--log", str(folder / "access.log"), "--state", str(folder / "usage.db"))
    command = [sys.executable, "-m", "ringfence", "collect", *files, "--host", "127.0.0.1", "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            told = next(text for text in process.stderr if "collecting" in text)
            yield process, json.loads(told)["port"]
        finally:
            process.kill()


def _ask(port: int, after: str = "") -> Page:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", f"{PATH}?after={after}")
        return decode(connection.getresponse().read(), tenant="acme", until=FAR)


def _requests(port: int) -> int:
    return sum(each.numbers.requests for each in _ask(port).rows)


def test_killed_while_it_counts_it_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Real processes, SIGKILL wherever they are, while the gateway goes on writing more than is read at once."""
    log, rounds, each = tmp_path / "access.log", 4, 3_000
    ended = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not ended.is_set():
            _write(log, 100)
            written += 100
            ended.wait(0.05)

    writing = threading.Thread(target=write)
    _write(log, each)
    writing.start()
    try:
        for _ in range(rounds):
            with _process(tmp_path) as (process, port):
                before = _requests(port)
                eventually(lambda: _requests(port) > before, PATIENCE)  # noqa: B023 -- it is asked within the round
                process.send_signal(signal.SIGKILL)
    finally:
        ended.set()
        writing.join()
    with _process(tmp_path) as (_, port):
        eventually(lambda: _requests(port) >= each + written, PATIENCE)
        (found,) = _ask(port).rows
        assert found == row(each + written)


def test_told_to_end_it_waits_for_whoever_asks_for_the_rest(tmp_path: Path) -> None:
    """What was written before its end is counted, and it goes as soon as somebody has all of it."""
    with _process(tmp_path, "--linger", "60") as (process, port):
        _write(tmp_path / "access.log", 3)
        process.send_signal(signal.SIGTERM)
        page = eventually(lambda: page if (page := _ask(port)).rows else None, PATIENCE)
        assert page.rows == (row(3),)
        with pytest.raises(subprocess.TimeoutExpired):  # who asked from the beginning has not said that he has it
            process.wait(2)
        _ask(port, page.cursor)
        assert process.wait(PATIENCE) == 0


def test_told_to_end_it_waits_no_longer_than_it_may(tmp_path: Path) -> None:
    _write(tmp_path / "access.log", 3)
    with _process(tmp_path, "--linger", "1") as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_with_nothing_to_tell_it_goes_at_once(tmp_path: Path) -> None:
    with _process(tmp_path, "--linger", "60") as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_it_tells_prometheus_what_it_counted_and_of_whom_not(tmp_path: Path) -> None:
    """Requests, tokens and durations by namespace, route and outcome; no workload, and no word of a caller."""
    _write(tmp_path / "access.log", 2)
    _write(tmp_path / "access.log", 1, status=403, details="direct_response", refused_model="canary", route=None)
    _write(tmp_path / "access.log", 1, ts=None)
    with _process(tmp_path) as (_, port):
        eventually(lambda: _requests(port) == 4, PATIENCE)
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            connection.request("GET", "/metrics")
            told = connection.getresponse().read().decode()
    served = 'namespace="acme-dev",outcome="Served",route="chat"'
    assert f"ringfence_gateway_requests_total{{{served}}} 2.0" in _sorted_labels(told)
    assert f'ringfence_gateway_tokens_total{{kind="prompt",{served}}} 18.0' in _sorted_labels(told)
    assert f'ringfence_gateway_request_seconds_bucket{{le="0.25",{served}}} 2.0' in _sorted_labels(told)
    assert 'ringfence_collector_lines_total{result="unread"} 1.0' in told
    assert "canary" not in told
    assert "chat-ui" not in told


def _sorted_labels(exposition: str) -> str:
    return re.sub(r"\{([^}]*)\}", lambda found: "{" + ",".join(sorted(found[1].split(","))) + "}", exposition)


def test_killed_between_any_two_steps_the_operator_counts_every_row_once(tmp_path: Path) -> None:
    """It takes the page again, as another process, and the sums are those of the collector."""
    pages = []
    _write(tmp_path / "access.log", 3)
    with _counting(tmp_path) as counting:
        counting.step()
        pages.append(counting.state.page(""))
        _write(tmp_path / "access.log", 4)
        counting.step()
        pages.append(counting.state.page(""))

    async def take(page: Page) -> None:
        await SqliteUsage(tmp_path / "ledger").take(ACME, "pod-0", page, tenant="acme", keep=0)

    for page in (pages[0], pages[0], pages[1], pages[1]):
        asyncio.run(take(page))
    found = list(SqliteUsageReader(tmp_path / "ledger").rows(ACME, since=0, until=FAR))
    assert found == [row(7)]
    assert total(each.numbers for each in found).requests == 7


def test_a_full_volume_stops_counting_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same lines are counted once there is room again."""
    _write(tmp_path / "access.log", 3)
    with _counting(tmp_path) as counting:
        with monkeypatch.context() as patch:
            patch.setattr(State, "_add", _full)
            for _ in range(2):
                with pytest.raises(OSError, match="No space"):
                    counting.step()
        assert counting.state.page("").rows == ()
        counting.step()
        assert counting.state.page("").rows == (row(3),)


def test_a_log_that_would_fill_its_volume_is_counted_without_a_look_at_each_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No request is missing from the sum; the last of them are read again as ever."""
    monkeypatch.setattr(counting_module, "MOST_UNREAD", 2 << 20)
    _write(tmp_path / "access.log", 9_000)
    with _counting(tmp_path) as counting:
        while counting.step():
            pass
        by_outcome = {each.key.outcome: each.numbers.requests for each in counting.state.page("").rows}
    assert sum(by_outcome.values()) == 9_000
    assert by_outcome[Outcome.UNREAD] > 1_000
    assert by_outcome[Outcome.SERVED] * len(line()) > 1 << 20


def test_a_line_that_cannot_be_read_is_a_request_all_the_same(tmp_path: Path) -> None:
    _write(tmp_path / "access.log", 3)
    _write(tmp_path / "access.log", 2, ts=None)
    with _counting(tmp_path) as counting:
        counting.step()
        found = {each.key.outcome: each for each in counting.state.page("").rows}
    assert found[Outcome.SERVED] == row(3)
    assert found[Outcome.UNREAD].numbers.requests == 2
    assert found[Outcome.UNREAD].key[1:5] == ("", "", "", "")


def _full(*_: object) -> Row:
    raise OSError(28, "No space left on device")
