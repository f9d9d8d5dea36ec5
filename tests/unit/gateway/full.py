"""A gateway with everything that a gateway can have."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from ringfence.gateway.files import configuration
from ringfence.gateway.served import (
    Callers,
    Encryption,
    Gateway,
    Grant,
    Issuer,
    Key,
    Limits,
    Probe,
    Route,
    Schema,
    Target,
    Upstream,
)

Json = dict[str, Any]

FIRST: Final = Upstream("first", "api.first.example", 443, region="eu-central-1")
SECOND: Final = Upstream("second", "api.second.example", 443, path="/openai/v1", region="eu-west-1")
CLAUDE: Final = Upstream("claude", "api.claude.example", 443, schema=Schema.ANTHROPIC, region="eu-central-1")
LLAMA: Final = Upstream(
    "llama", "llama.acme-models.svc", 8000, encryption=Encryption.PRIVATE, authority="PEM", has_key=False
)
PLAIN: Final = Upstream("plain", "plain.acme-models.svc", 8000, encryption=Encryption.NONE, has_key=False)

GPT: Final = Target("first", "gpt-4o", weight=3)
SPARE: Final = Target("second", "gpt-x")
CHAT: Final = Route("chat", "chat", "rev-1", ((GPT, SPARE), (Target("first", "gpt-4o-mini"),)))
STRICT: Final = Limits(10, 1000, max_request_bytes=2000, timeout=30, idle_timeout=10, max_parallel=8)
LIMITED: Final = Route("limited", "limited", "rev-2", ((GPT,),), STRICT, "dev")
TRANSLATED: Final = Route("claude", "claude", "rev-3", ((Target("claude", "haiku"),),))
PRIVATE: Final = Route("llama", "llama", "rev-4", ((Target("llama", "llama-3"),), (Target("plain", "tiny"),)))
CHAT_BEFORE: Final = Route("chat", "chat", "rev-0", ((SPARE,),))

LIVE: Final = Key("ci", "ringfence-key-ci", "uid-1", live=True, cidrs=("198.51.100.0/24", "2001:db8::/32"))
TRIAL: Final = Key("trial", "ringfence-key-trial", "uid-2", live=False)
PROBE: Final = Probe("ringfence-system", "ringfence-probe")
PROXIES: Final = ("192.0.2.0/24", "2001:db8:7e57::/48")
SERVICE: Final = "ratelimit.infra.svc:8081"


def gateway(**changed: Any) -> Gateway:
    """The gateway, with some things otherwise."""
    development = (Grant(CHAT), Grant(LIMITED), Grant(TRANSLATED), Grant(PRIVATE, frozenset({"chat-ui", "batch"})))
    wanted: Json = {
        "tenant": "acme",
        "issuer": Issuer("https://kubernetes.default.svc", '{"keys":[]}'),
        "upstreams": (FIRST, SECOND, CLAUDE, LLAMA, PLAIN),
        "callers": {
            "acme-dev": Callers("dev", development, (LIVE, TRIAL)),
            "acme-prod": Callers("prod", (Grant(CHAT_BEFORE),)),
            "acme-web": Callers("dev", development),
        },
        "probe": PROBE,
        "requests_per_minute": 100,
    }
    return Gateway(**{**wanted, **changed})


def rendered(**changed: Any) -> dict[str, Any]:
    """Its files as data."""
    return parsed(configuration(gateway(**changed)).files)


def parsed(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Files as data."""
    return {name: orjson.loads(content) for name, content in files.items()}
