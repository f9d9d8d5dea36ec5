"""Requests in OpenAI's format for providers that speak Anthropic's.

Law: what cannot be translated whole is refused. Envoy's translation of streams is not relied on.
"""

from typing import Final

from ringfence.gateway.served import Gateway, Route, Schema
from ringfence.gateway.typed import HTTP, Json, named, typed

FILTER: Final = "ringfence.translated"
_MANAGER: Final = f"{HTTP}.ai_protocol_manager.v3"
_TRANSCODER: Final = "envoy.extensions.http.ai_filters.transcoder.v3.Transcoder"


def is_translated(gateway: Gateway, route: Route) -> bool:
    """Whether some target of the route speaks another format than its callers."""
    translated = {upstream.name for upstream in gateway.upstreams if upstream.schema is Schema.ANTHROPIC}
    return any(target.upstream in translated for target in route.targets)


def translated() -> Json:
    """The filter of an upstream that translates."""
    there = named("to", _TRANSCODER, request_handling="TO_IR", response_handling="FROM_IR")
    back = named("from", _TRANSCODER, request_handling="FROM_IR", response_handling="TO_IR")
    return named(
        FILTER,
        f"{_MANAGER}.AiProtocolManager",
        request_handling={"parse_unconfigured_routes": True},
        filters=[there, back],
    )


def of_this_route() -> Json:
    """What a route says to it."""
    return typed(
        f"{_MANAGER}.AiProtocolManagerPerRoute",
        request={"llm_protocol": "OPENAI_CHAT_COMPLETIONS"},
        response={"llm_protocol": "ANTHROPIC_MESSAGES"},
    )
