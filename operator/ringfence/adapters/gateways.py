"""Looks at gateways over HTTPS, each known by its own authority.

Law: no look costs anybody a token of a model: the probe may list models and call none. Its own token is neither logged
nor told, and goes to nobody who has not proved that he is the gateway. What Envoy took and refused is believed of such
a pod alone; where the gateway has no listener to prove it by, the collector beside it does.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final
from urllib.parse import quote

import aiohttp

from ringfence.adapters.pods import Conversation, PodError, conversation
from ringfence.gateway.routes import MODELS, REVISION_HEADER
from ringfence.gateway.typed import CHAT
from ringfence.plan.gateway.sight import Sight
from ringfence.ports.usage import Replica, Trust

UNAPPROVED: Final = b'{"model":"ringfence-probe","messages":[]}'
"""A model that no route can have: none is approved for the probe."""
STATISTICS: Final = "/stats/prometheus"
TAKEN: Final = "text_readouts&filter=" + quote(r"(version_text|[clr]ds\.(.*\.)?update_(rejected|failure))$")
_TAKEN: Final = re.compile(
    r'^envoy_(?P<kind>\w+)_version_text\{(?P<labels>.*)text_value="(?P<revision>[^"]*)"', re.MULTILINE
)
_REJECTED: Final = re.compile(
    r"^envoy_(?:\w+_)?(?P<kind>[clr]ds)_update_(?:rejected|failure)\{.*\} (?!0$)\d+$", re.MULTILINE
)
_NAME: Final = re.compile(r'envoy_xds_resource_name="([^"]*)"')

_BRIEFLY: Final = 2.0
"""Seconds for a second try to learn anything of a replica."""

Token = Callable[[], Awaitable[str]]


class HttpGateways:
    """Implements ``ringfence.ports.gateways.Gateways``."""

    def __init__(self, token: Token) -> None:
        """`token` gives one of the probe that is good for a while; it may raise OSError."""
        self._token = token

    async def look(self, replica: Replica, trust: Trust) -> Sight:
        """See ``ringfence.ports.gateways.Gateways.look``."""
        try:
            token = await self._token()
            async with conversation(replica.address, trust) as pod:
                return await _look(replica, pod, f"Bearer {token}")
        except (PodError, TimeoutError, aiohttp.ClientError, OSError) as error:
            away = Sight(replica.name, unreachable=str(error) or type(error).__name__)
        return await _overheard(replica, trust, away)


async def _overheard(replica: Replica, trust: Trust, away: Sight) -> Sight:
    """The same, and what Envoy took: it may have refused all that callers could reach it by."""
    try:
        async with conversation(replica.address, trust, deadline=_BRIEFLY) as pod:
            await pod.ask("GET", replica.port, "/")
            return await _with_statistics(away, replica, pod)
    except PodError:
        return away


async def _look(replica: Replica, pod: Conversation, bearer: str) -> Sight:
    as_probe = {"Authorization": bearer, "Content-Type": "application/json"}
    # What was taken is asked last: a swap between two requests is then seen as one that is under way.
    stranger = await pod.ask("GET", replica.gateway, MODELS)
    probe = await pod.ask("GET", replica.gateway, MODELS, headers=as_probe)
    unapproved = await pod.ask("POST", replica.gateway, CHAT, headers=as_probe, body=UNAPPROVED)
    sight = Sight(
        replica.name,
        stranger=stranger.status,
        probe=probe.status,
        revision=probe.headers.get(REVISION_HEADER, ""),
        unapproved=unapproved.status,
    )
    return await _with_statistics(sight, replica, pod)


async def _with_statistics(sight: Sight, replica: Replica, pod: Conversation) -> Sight:
    answer = await pod.overhear(replica.metrics, STATISTICS, TAKEN)
    statistics = answer.body.decode(errors="replace")
    rejected = frozenset(each["kind"] for each in _REJECTED.finditer(statistics))
    return replace(sight, taken=_read_taken(statistics), rejected=rejected)


def _read_taken(statistics: str) -> frozenset[tuple[str, str]]:
    """Resources by kind and name, with the `version_info` of the file that Envoy took last."""
    found = ((_resource(each["kind"], each["labels"]), each["revision"]) for each in _TAKEN.finditer(statistics))
    return frozenset(found)


def _resource(kind: str, labels: str) -> str:
    name = _NAME.search(labels)
    return f"{kind.rpartition('_')[2]} {name[1]}" if name else kind.rpartition("_")[2]
