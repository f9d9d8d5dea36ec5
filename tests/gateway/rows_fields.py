"""Bodies with a field by which a provider, or a router behind its name, does something else than answer.

Law: a field goes on only if it is listed. One that is listed and holds more than a value holds nothing unlisted either.
"""

import json
from typing import Any, Final

from ringfence.gateway.fields import REFUSED
from tests.gateway.asking import Request
from tests.gateway.rows import Row

FIELD: Final = (400, "field_not_allowed")
_HELLO: Final = '"messages":[{"role":"user","content":"hello"}]'
_VALUES: Final[dict[str, Any]] = {
    "models": ["gpt-5"],
    "fallbacks": [{"model": "gpt-5"}],
    "route": "fallback",
    "provider": {"order": ["elsewhere"]},
    "api_base": "https://elsewhere.example/v1",
    "extra_body": {"models": ["gpt-5"]},
    "web_search_options": {},
    "plugins": [{"id": "web"}],
}
"""What these fields are sent with; the others with `true`."""


def asked(**more: Any) -> Request:
    """A request with more fields."""
    whole = {"model": "chat", "messages": [{"role": "user", "content": "hello"}], **more}
    return Request(json.dumps(whole, ensure_ascii=False).encode())


def written(text: str) -> Request:
    """A request with this text in the middle of its body."""
    return Request(f'{{"model":"chat",{text},{_HELLO}}}'.encode())


def unlisted(title: str, field: str, value: Any) -> Row:
    """A field that is not listed; its twin has it where users write their own names."""
    return Row(title, asked(**{field: value}), *FIELD, asked(response_format={field: value}))


def tool(title: str, *tools: Any) -> Row:
    """Tools of which one is not the caller's own."""
    return Row(title, asked(tools=list(tools)), *FIELD, asked(tools=[OWN_TOOL]))


OWN_TOOL: Final = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {"type": {"type": "web_search"}}}},
}
CUSTOM_TOOL: Final = {"type": "custom", "custom": {"name": "look", "format": {"type": "text"}}}
EXAMPLES: Final = tuple(
    unlisted(f"a field that {why}: {field}", field, _VALUES.get(field, True))
    for why, names in REFUSED.items()
    for field in sorted(names)
)
STORED: Final = tuple(
    Row(f"an answer to be stored: {value}", asked(store=value), *FIELD, asked(store=False))
    for value in (True, None, 1, "false", [False])
)
LETTERS: Final = (
    unlisted("a stream, capitalized", "Stream", value=True),
    unlisted("a stream in capitals", "STREAM", value=True),
    unlisted("a stream with a letter that lower case makes of another one", "\u017ftream", value=True),
    unlisted("stored, capitalized", "Store", value=False),
    unlisted("tools, capitalized", "Tools", []),
    unlisted("options of a stream, capitalized", "Stream_Options", {"include_usage": False}),
    unlisted("a field with a blank", "stream ", value=True),
)
UNKNOWN: Final = (
    unlisted("a field that nobody knows", "x", value=1),
    unlisted("a field without a name", "", value=1),
    unlisted("a field whose name is long", "f" * 65, value=1),
    unlisted("a field whose name is no plain one", "<script>", value=1),
    unlisted("the scripts' own word for refusals", "refused", value=1),
    Row("a field before the model", Request(f'{{"models":["gpt-5"],"model":"chat",{_HELLO}}}'.encode()), *FIELD),
    Row(
        "a field after what is deep",
        written('"stop":[[[["]}"]]]],"models":["gpt-5"]'),
        *FIELD,
        written('"stop":[[[["]}"]]]]'),
    ),
    Row(
        "a field after a quote in a string",
        written('"user":"\\\\\\"","models":[1]'),
        *FIELD,
        written('"user":"\\\\\\""'),
    ),
    Row(
        "a field with blanks around", written('"models"\n\t : \r\n["gpt-5"]'), *FIELD, written('"stop"\n\t : \r\n["x"]')
    ),
)
TOOLS: Final = (
    tool("a search of the web", {"type": "web_search"}),
    tool("a search of the web after a function", OWN_TOOL, {"type": "web_search_preview"}),
    tool("a server of tools elsewhere", {"type": "mcp", "server_url": "https://elsewhere.example"}),
    tool("a router's own search", {"type": "openrouter:web_search"}),
    tool("a search by its name alone", {"googleSearch": {}}),
    tool("a function that has a search beside it", {**OWN_TOOL, "googleSearch": {}}),
    tool("a type of tool in capitals", {**OWN_TOOL, "type": "Function"}),
    tool("a type of tool that is no string", {**OWN_TOOL, "type": ["function"]}),
    tool("a key of a tool, capitalized", {**OWN_TOOL, "Type": "web_search"}),
    tool("a tool by its name", "web_search"),
    tool("a list of tools in a list", [{"type": "web_search"}]),
    Row("one tool without a list", asked(tools={"type": "web_search"}), *FIELD, asked(tools=[OWN_TOOL])),
    Row("tools by a name", asked(tools="web_search"), *FIELD, asked(tools=[OWN_TOOL])),
    Row(
        "a type of tool behind an escape",
        written('"tools":[{"type":"\\u0077eb_search"}]'),
        *FIELD,
        written('"tools":[{"type":"function"}]'),
    ),
    Row(
        "a key of a tool behind an escape",
        written('"tools":[{"\\u0074ype":"web_search"}]'),
        *FIELD,
        written('"tools":[{"type":"function"}]'),
    ),
)
OPTIONS: Final = tuple(
    Row(
        f"options of a stream with {title}",
        asked(stream=True, stream_options=value),
        *FIELD,
        asked(stream=True, stream_options={"include_usage": True}),
    )
    for title, value in {
        "the same in other letters": {"include_usage": True, "Include_usage": False},
        "what nobody knows": {"include_usage": True, "provider": "elsewhere"},
        "a list around them": [{"include_usage": True}],
        "nothing but a word": "include_usage",
    }.items()
)
ROWS: Final = (*EXAMPLES, *STORED, *LETTERS, *UNKNOWN, *TOOLS, *OPTIONS)
