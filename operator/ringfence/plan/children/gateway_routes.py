"""The ConfigMap that says which revision of each route a configuration of the gateway serves, by environment.

Law: it and the configuration that it tells of bear one revision, so that whoever saw the gateway serve that knows what
it serves, without reading Envoy's files.
"""

from collections.abc import Mapping

import orjson

from ringfence import names
from ringfence.model.kinds import CONFIG_MAP, Ref
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired
from ringfence.plan.seen import Live


def make(home: Place, configuration: str, serving: Mapping[str, Mapping[str, str]]) -> Desired:
    """``serving`` are revisions by route and environment; ``configuration`` is the revision of the gateway's files."""
    data: dict[str, dict[str, str]] = {}
    for route, revisions in serving.items():
        for environment, revision in revisions.items():
            data.setdefault(environment, {})[route] = revision
    told = {environment: orjson.dumps(each, option=orjson.OPT_SORT_KEYS).decode() for environment, each in data.items()}
    return again(home, configuration, told)


def again(home: Place, configuration: str, told: Mapping[str, str]) -> Desired:
    """The same of what was told before."""
    annotations = {names.REVISION_ANNOTATION: configuration}
    return home.child(CONFIG_MAP, names.GATEWAY_ROUTES, {"data": dict(told)}, annotations=annotations)


def ref(home: str) -> Ref:
    """Where it is."""
    return Ref(CONFIG_MAP, home, names.GATEWAY_ROUTES)


def configuration(seen: Live | None) -> str:
    """The revision of the configuration that it tells of; empty where there is none."""
    annotations = seen.content.get("metadata", {}).get("annotations", {}) if seen else {}
    return str(annotations.get(names.REVISION_ANNOTATION, ""))


def revision(seen: Live | None, environment: str, route: str) -> str:
    """What it says of a route in an environment; empty where that isn't served."""
    told = seen.content.get("data", {}).get(environment, "{}") if seen else "{}"
    return str(orjson.loads(told).get(route, ""))
