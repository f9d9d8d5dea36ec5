"""Revisions that are kept: what each one is, what serves where, and what was seen to serve.

Law: content is believed because its name is its hash; where it serves and served is written by the operator alone, on
the ControllerRevision that holds it, so that it outlives status, operator and spec.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from pydantic import ValidationError

from ringfence import names
from ringfence.model.kinds import CONTROLLER_REVISION, Ref
from ringfence.plan.modelroute.revision import RouteRevision
from ringfence.plan.seen import Live

_SUFFIX: Final = re.compile("-rev-[0-9a-f]{16}")
MOST_KEPT: Final = 10
"""Revisions that are kept for going back to, besides those that serve or are promoted."""

Times = Mapping[str, str]
"""RFC 3339 times in UTC, by environment."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One revision of one route."""

    name: str
    content: RouteRevision
    number: int
    """Counts the revisions of the route from 1 on, in the order in which they were made."""
    serves: Times = field(default_factory=dict)
    """Since when it is what an environment serves."""
    served: Times = field(default_factory=dict)
    """Since when it was what an environment served, when it was last seen to be served there."""


History = Mapping[str, Kept]
"""Revisions of one route by name."""


def of_route(route: str, live: Mapping[Ref, Live]) -> History:
    """The kept revisions of one route among the objects of the home namespace."""
    found = (live[ref] for ref in live if ref.type == CONTROLLER_REVISION and is_revision_of(route, ref.name))
    return {kept.name: kept for seen in found if (kept := _kept(seen, route)) is not None}


def by_route(live: Mapping[Ref, Live]) -> dict[str, dict[str, Kept]]:
    """The kept revisions of every route."""
    found: dict[str, dict[str, Kept]] = {}
    for seen in (live[ref] for ref in live if ref.type == CONTROLLER_REVISION):  # nothing else is parsed
        route = route_of(seen)
        if route and (kept := _kept(seen, route)) is not None:
            found.setdefault(route, {})[kept.name] = kept
    return found


def is_revision_of(route: str, name: str) -> bool:
    """Whether a ControllerRevision of this name can be one of that route; no other route's is taken for one."""
    return name.startswith(route) and _SUFFIX.fullmatch(name, len(route)) is not None


def route_of(seen: Live) -> str:
    """The route that a ControllerRevision belongs to; empty where it is none of ours."""
    label: str = seen.content.get("metadata", {}).get("labels", {}).get(names.ROUTE_LABEL, "")
    return label if seen.ours else ""


def serving_in(environment: str, history: History) -> Kept | None:
    """What an environment serves: the last that was put there."""
    placed = [each for each in history.values() if environment in each.serves]
    return max(placed, key=lambda each: (each.serves[environment], each.number), default=None)


def surplus(history: History, needed: Iterable[str]) -> tuple[Kept, ...]:
    """What need not be kept any longer: neither ``needed`` nor among the newest."""
    spare = sorted((each for each in history.values() if each.name not in set(needed)), key=lambda each: -each.number)
    return tuple(spare[MOST_KEPT:])


def _kept(seen: Live, route: str) -> Kept | None:
    """None for what is not what its name says, whoever made it so."""
    try:
        content = RouteRevision.model_validate_json(orjson.dumps(seen.content.get("data")), by_name=False)
    except ValidationError:
        return None
    if seen.deleting or route_of(seen) != route or seen.ref.name != names.route_revision(route, content.name):
        return None
    annotations = seen.content.get("metadata", {}).get("annotations", {})
    return Kept(
        name=content.name,
        content=content,
        number=seen.content.get("revision", 0),
        serves=_times(annotations.get(names.SERVES_ANNOTATION)),
        served=_times(annotations.get(names.SERVED_ANNOTATION)),
    )


def _times(text: str | None) -> Times:
    try:
        found: Any = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    return {str(name): str(time) for name, time in found.items()} if isinstance(found, dict) else {}
