"""The ControllerRevision that keeps one revision of a ModelRoute: its content never changes, where it serves does."""

import orjson

from ringfence import names
from ringfence.model.kinds import CONTROLLER_REVISION
from ringfence.plan.modelroute.history import Kept, Times
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


def make(home: Place, route: str, kept: Kept) -> Desired:
    """The revision ``kept`` of ModelRoute ``route``, in the home namespace."""
    annotations = {names.SERVES_ANNOTATION: _told(kept.serves), names.SERVED_ANNOTATION: _told(kept.served)}
    made = home.child(
        CONTROLLER_REVISION,
        names.route_revision(route, kept.name),
        {"revision": kept.number, "data": kept.content.content},
        annotations=annotations,
    )
    made.manifest["metadata"]["labels"][names.ROUTE_LABEL] = route
    return made


def _told(times: Times) -> str:
    return orjson.dumps(times, option=orjson.OPT_SORT_KEYS).decode()
