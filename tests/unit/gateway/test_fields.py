"""Which fields of a request go on: all that OpenAI documents was judged, and what is refused has a reason."""

import re
from typing import Any, get_args, get_type_hints

import pytest
from openai.types import completion_create_params as completions
from openai.types import embedding_create_params as embeddings
from openai.types.chat import completion_create_params as chat
from openai.types.chat.chat_completion_stream_options_param import ChatCompletionStreamOptionsParam

from ringfence.gateway import fields, reading

REFUSED = {name for names in fields.REFUSED.values() for name in names}
PARAMETERS: tuple[Any, ...] = (
    *get_args(chat.CompletionCreateParams),
    *get_args(completions.CompletionCreateParams),
    embeddings.EmbeddingCreateParams,
)


@pytest.mark.parametrize("parameters", PARAMETERS, ids=lambda parameters: parameters.__qualname__)
def test_every_parameter_of_the_official_client_was_judged(parameters: Any) -> None:
    """A version of it that brings another one has to be decided on: it goes on, or there is a reason against it."""
    judged = set(get_type_hints(parameters))
    assert "model" in judged
    assert judged <= fields.ALLOWED | REFUSED


def test_every_option_of_a_stream_that_the_official_client_has_goes_on() -> None:
    """None of them does more than say how it is told."""
    assert set(get_type_hints(ChatCompletionStreamOptionsParam)) <= fields.STREAM_OPTIONS


def test_nothing_is_both_allowed_and_refused() -> None:
    """And a reason is given once."""
    assert not fields.ALLOWED & REFUSED
    assert sum(map(len, fields.REFUSED.values())) == len(REFUSED)


def test_names_are_plain_enough_to_stand_in_a_script() -> None:
    """One with a quote in it would be part of the script."""
    names = fields.ALLOWED | fields.STREAM_OPTIONS | fields.TOOL_KEYS | fields.TOOL_TYPES
    assert [name for name in names if not re.fullmatch("[a-z][a-z_]{0,63}", name)] == []


def test_the_script_has_every_name_and_no_placeholder() -> None:
    """What is listed is what Envoy is told."""
    script = reading.second_reader()["typed_config"]["default_source_code"]["inline_string"]
    assert f"words('{' '.join(sorted(fields.ALLOWED))}')" in script
    assert not re.findall("'[A-Z_]+'", script)
