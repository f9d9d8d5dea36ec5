"""Revisions that are kept: what each one is, what serves where, and what was seen to serve.

Law: content is believed because its name is its hash; where it serves and served is written by the operator alone, on
the ControllerRevision that holds it, so that it outlives status, operator and spec. It does not outlive the route: a
new one of the same name has a history of its own.
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
Approvers = Mapping[str, str]
"""Names of people, by environment."""


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
    approved: Approvers = field(default_factory=dict)
    """Who, besides the promoter, stood for it when it came into a protected environment that it serves."""


History = Mapping[str, Kept]
"""Revisions of one route by name."""


def of_route(route: str, uid: str, live: Mapping[Ref, Live]) -> History:
    """The kept revisions of one route among the objects of the home namespace."""
    found = (live[ref] for ref in live if ref.type == CONTROLLER_REVISION and is_revision_of(route, ref.name))
    mine = (seen for seen in found if route_of(seen) == route and _uid_of(seen) == uid)
    return {kept.name: kept for seen in mine if (kept := _kept(seen, route)) is not None}


def by_route(live: Mapping[Ref, Live]) -> dict[str, dict[str, Kept]]:
    """The kept revisions of every route, by its uid."""
    found: dict[str, dict[str, Kept]] = {}
    for seen in (live[ref] for ref in live if ref.type == CONTROLLER_REVISION):  # nothing else is parsed
        route, uid = route_of(seen), _uid_of(seen)
        if route and uid and (kept := _kept(seen, route)) is not None:
            found.setdefault(uid, {})[kept.name] = kept
    return found


def left_behind(route: str, uid: str, live: Mapping[Ref, Live]) -> tuple[Ref, ...]:
    """Revisions of former routes of that name."""
    named = (live[ref] for ref in live if ref.type == CONTROLLER_REVISION and is_revision_of(route, ref.name))
    return tuple(seen.ref for seen in named if route_of(seen) == route and _uid_of(seen) != uid and not seen.deleting)


def is_revision_of(route: str, name: str) -> bool:
    """Whether a ControllerRevision of this name can be one of that route; no other route's is taken for one."""
    return name.startswith(route) and _SUFFIX.fullmatch(name, len(route)) is not None


def route_of(seen: Live) -> str:
    """The route that a ControllerRevision belongs to; empty where it is none of ours."""
    return _label(seen, names.ROUTE_LABEL) if seen.ours else ""


def _uid_of(seen: Live) -> str:
    return _label(seen, names.ROUTE_UID_LABEL)


def _label(seen: Live, name: str) -> str:
    label: str = seen.content.get("metadata", {}).get("labels", {}).get(name, "")
    return label


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
    if seen.deleting or seen.ref.name != names.route_revision(route, content.name):
        return None
    annotations = seen.content.get("metadata", {}).get("annotations", {})
    return Kept(
        name=content.name,
        content=content,
        number=seen.content.get("revision", 0),
        serves=_by_environment(annotations.get(names.SERVES_ANNOTATION)),
        served=_by_environment(annotations.get(names.SERVED_ANNOTATION)),
        approved=_by_environment(annotations.get(names.APPROVED_ANNOTATION)),
    )


def _by_environment(text: str | None) -> Mapping[str, str]:
    try:
        found: Any = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    return {str(name): str(each) for name, each in found.items()} if isinstance(found, dict) else {}
