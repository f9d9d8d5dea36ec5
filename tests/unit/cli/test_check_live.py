"""What `ringfence check --live` tells of an answer, and what it never tells. That it asks is seen on a real gateway."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from multidict import CIMultiDict

from ringfence.adapters.pods import Answer
from ringfence.cli import dispatch
from ringfence.cli.check import completion
from ringfence.cli.check.completion import Door, Told, complete, read
from ringfence.cli.check.finding import Grade
from ringfence.cli.check.live import Way, judge
from ringfence.gateway.replies import KEY_MISSING

DOOR: Final = Door.of("https://ringfence-gateway.acme.svc:8443/v1", "PEM", None)
WAY: Final = Way("route acme/chat in dev by key ci of acme/dev", "chat", "rev-1", "c0ffee", DOOR)
SECRET: Final = "what a provider worded"
COMPLETION: Final = {
    "model": "gpt-4o-2024-11-20",
    "choices": [{"message": {"content": SECRET}}],
    "usage": {"total_tokens": 9},
}


def answer(status: int, body: object) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, CIMultiDict({"X-Request-Id": "5f0c"}), content)


def refusal(code: str | None, param: str | None = None) -> Any:
    return {"error": {"message": SECRET, "type": "invalid_request_error", "param": param, "code": code}}


def test_a_completion_is_told_by_its_model_tokens_and_the_names_to_find_it_by() -> None:
    """And not by a word of it."""
    found = judge(WAY, read(answer(200, COMPLETION)))
    assert found.grade is Grade.OK
    assert found.words == (
        "route acme/chat in dev by key ci of acme/dev: served, 200, model gpt-4o-2024-11-20, 9 tokens, rev-1; "
        "request 5f0c, configuration c0ffee"
    )


def test_a_refusal_of_the_gateway_is_told_in_its_own_words() -> None:
    """They are ours; those of a provider may quote a key or a prompt."""
    found = judge(WAY, read(answer(KEY_MISSING.status, {"error": KEY_MISSING.error})))
    assert (found.grade, found.step) == (Grade.FAILED, f"the gateway: {KEY_MISSING.message}")
    assert "failed, 503 provider_key_missing, rev-1" in found.words


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (401, refusal("invalid_api_key"), "failed, 401 invalid_api_key, rev-1"),
        (401, refusal(None), "failed, 401 invalid_request_error, rev-1"),
        (401, refusal(SECRET, SECRET), "failed, 401 invalid_request_error, rev-1"),
        (500, b"<html>", "failed, 500, rev-1"),
        (500, [SECRET], "failed, 500, rev-1"),
        (200, {"choices": []}, "failed, 200 without a completion, rev-1"),
        (200, b"\xff", "failed, 200 without a completion, rev-1"),
    ],
)
def test_nothing_is_told_that_a_provider_worded(status: int, body: object, told: str) -> None:
    """An error by its code alone; what is no completion is none, whatever its status says."""
    found = judge(WAY, read(answer(status, body)))
    assert found.grade is Grade.FAILED
    assert f": {told}; request 5f0c" in found.words
    assert SECRET not in f"{found}"


def test_names_that_a_provider_gives_are_cut() -> None:
    """A model's name is no place for an answer."""
    assert len(read(answer(200, {**COMPLETION, "model": "x" * 500})).model) == 64


@dataclass
class Gateway:
    """Gives its answers one after the other, and keeps what it was asked."""

    answers: Iterator[Answer]
    asked: list[Any] = field(default_factory=list)

    async def ask(self, method: str, port: int, path: str, *, headers: dict[str, str], body: bytes) -> Answer:
        self.asked.append((method, port, path, headers["Authorization"], json.loads(body)))
        return next(self.answers)


async def told(monkeypatch: pytest.MonkeyPatch, *answers: Answer) -> tuple[Told, list[Any]]:
    gateway = Gateway(iter(answers))

    @asynccontextmanager
    async def conversation(address: str, *_: object, deadline: float) -> AsyncIterator[Gateway]:
        assert (address, deadline) == ("ringfence-gateway.acme.svc", completion.DEADLINE)
        yield gateway

    monkeypatch.setattr(completion, "conversation", conversation)
    return await complete(DOOR, "rf_test_token", "chat"), gateway.asked


async def test_one_request_asks_for_one_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the model that callers write, as a caller."""
    found, asked = await told(monkeypatch, answer(200, COMPLETION))
    assert found.completed
    ((method, port, path, authorization, body),) = asked
    assert (method, port, path, authorization) == ("POST", 8443, "/v1/chat/completions", "Bearer rf_test_token")
    assert (body["model"], body["max_tokens"]) == ("chat", 1)


async def test_a_model_that_knows_the_limit_by_another_name_is_asked_by_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once more, and only where the limit is what was refused: a refusal costs nothing, an answer does."""
    refused = answer(400, refusal("unsupported_parameter", "max_tokens"))
    found, asked = await told(monkeypatch, refused, answer(200, COMPLETION))
    assert found.completed
    assert asked[1][-1]["max_completion_tokens"] == 1
    assert "max_tokens" not in asked[1][-1]
    for other in (answer(400, refusal("unsupported_parameter", "messages")), answer(200, refusal(None, "max_tokens"))):
        assert len((await told(monkeypatch, other))[1]) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--live", "acme"), "--live acme: say TENANT/ROUTE"),
        (("--live", "acme/chat"), "--as-key : say NAMESPACE/KEY"),
        (("--live", "acme/chat", "--as-key", "ci"), "--as-key ci: say NAMESPACE/KEY"),
        (("--live", "acme/chat", "--as-key", "dev/ci", "--gateway", "here"), "--gateway here: say HOST:PORT"),
        (("--live", "acme/chat", "--pre"), "neither --pre nor --network"),
        (("--as-key", "dev/ci"), "go with --live only"),
    ],
)
def test_a_line_that_means_nothing_asks_nobody(
    arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2."""
    with pytest.raises(SystemExit) as ended:
        dispatch("ringfence", ["check", *arguments])
    assert ended.value.code == 2
    assert says in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_a_gateway_is_known_by_its_own_name_wherever_it_is_reached() -> None:
    """A forwarded port is no other gateway."""
    forwarded = Door.of("https://ringfence-gateway.acme.svc:8443/v1", "PEM", ("localhost", 9443))
    assert (forwarded.address, forwarded.port) == ("localhost", 9443)
    assert forwarded.trust == DOOR.trust
    assert DOOR.trust.server_name == "ringfence-gateway.acme.svc"
