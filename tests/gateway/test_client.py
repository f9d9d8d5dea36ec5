"""The official OpenAI client against the gateway, with nothing changed but its address and its key."""

import json
from collections.abc import Iterator
from typing import Final

import openai
import pytest
from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionUserMessageParam

from tests.gateway.provider import ANSWER, USAGE
from tests.gateway.rows_identity import key
from tests.gateway.world import ANYWHERE, FEW, OPEN, World, serving

HELLO: Final[list[ChatCompletionUserMessageParam]] = [{"role": "user", "content": "hello"}]
LOOK: Final[ChatCompletionFunctionToolParam] = {
    "type": "function",
    "function": {
        "name": "look",
        "parameters": {"type": "object", "properties": {"model": {"type": "string"}, "Model": {"type": "string"}}},
    },
}


@pytest.fixture
def client(world: World) -> Iterator[openai.OpenAI]:
    """As a workload makes it; its token is read anew for each request, since tokens are rotated."""
    with openai.OpenAI(
        base_url=f"https://localhost:{world.door.port}/v1",
        api_key=lambda: world.door.signers.issuer.token("acme-dev"),
        http_client=openai.DefaultHttpxClient(verify=world.door.tls),
        max_retries=0,
    ) as found:
        yield found


def test_it_asks_and_is_answered(client: openai.OpenAI) -> None:
    """With tools, formats and whatever else stands in a request."""
    answer = client.chat.completions.create(
        model="chat",
        messages=HELLO,
        tools=[LOOK],
        response_format={"type": "json_schema", "json_schema": {"name": "answer", "schema": {"models": True}}},
        store=False,
        extra_body={"top_k": 20, "chat_template_kwargs": {"enable_thinking": False}},
        max_tokens=100_000,
        temperature=1.0,
        seed=9007199254740993,
    )
    assert answer.choices[0].message.content == ANSWER
    assert answer.usage is not None
    assert answer.usage.total_tokens == USAGE["total_tokens"]


def test_it_is_told_which_field_is_refused(client: openai.OpenAI) -> None:
    """By its name, unless that could be anything."""
    for field, told in {"models": "models", "f" * 64: "f" * 64, "f" * 65: "", "<script>": ""}.items():
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(model="chat", messages=HELLO, extra_body={field: ["gpt-5"]})
        assert (refused.value.code, refused.value.param) == ("field_not_allowed", told)


def test_what_it_sends_arrives(world: World, client: openai.OpenAI) -> None:
    """As it was meant."""
    world.received()
    client.chat.completions.create(
        model="chat", messages=[{"role": "user", "content": "Grüße, 世界 🌍\n\\"}], max_tokens=100_000, seed=2**53 + 1
    )
    ((_, received),) = world.received()
    assert received.json == {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "Grüße, 世界 🌍\n\\"}],
        "max_tokens": 100_000,
        "seed": 2**53 + 1,
    }
    assert b"100000" in received.body


def test_it_streams(client: openai.OpenAI) -> None:
    """Word by word, and tells the tokens at the end."""
    with client.chat.completions.create(
        model="chat",
        messages=HELLO,
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        chunks = list(stream)
    words = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert "".join(words).strip() == ANSWER
    assert chunks[-1].usage is not None
    assert len(words) > 1


async def test_it_streams_beside_other_work(world: World) -> None:
    """The asynchronous client."""
    async with openai.AsyncOpenAI(
        base_url=f"https://localhost:{world.door.port}/v1",
        api_key=key(ANYWHERE.account)(world.door.signers),
        http_client=openai.DefaultAsyncHttpxClient(verify=world.door.tls),
    ) as client:
        stream = await client.chat.completions.create(model="chat", messages=HELLO, stream=True)
        words = [choice.delta.content or "" async for chunk in stream for choice in chunk.choices]
    assert "".join(words).strip() == ANSWER


def test_it_lists_the_models(client: openai.OpenAI) -> None:
    """Those that it may ask for."""
    assert {model.id for model in client.models.list()} == {route.model for route in OPEN}


def test_its_errors_are_of_the_kinds_that_programs_look_for(world: World, client: openai.OpenAI) -> None:
    """A model that is not approved, a token that is none, a limit that is reached."""
    with pytest.raises(openai.PermissionDeniedError) as forbidden:
        client.chat.completions.create(model="nope", messages=HELLO)
    assert forbidden.value.code == "model_not_allowed"
    with pytest.raises(openai.AuthenticationError) as stranger:
        client.with_options(api_key="sk-mine").models.list()
    assert stranger.value.code == "invalid_identity"
    with serving(world, FEW):
        for _ in range(3):
            client.chat.completions.create(model="few", messages=HELLO)
        with pytest.raises(openai.RateLimitError) as flood:
            client.chat.completions.create(model="few", messages=HELLO)
    assert flood.value.code == "rate_limit_exceeded"
    assert json.loads(flood.value.response.content)["error"]["request_id"]
