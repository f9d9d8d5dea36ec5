"""The ControllerRevision that keeps one revision of a ModelRoute: its content never changes, where it serves does."""

from collections.abc import Mapping

import orjson

from ringfence import names
from ringfence.model.kinds import CONTROLLER_REVISION
from ringfence.plan.modelroute.history import Kept
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


def make(home: Place, route: str, uid: str, kept: Kept) -> Desired:
    """The revision ``kept`` of the ModelRoute with that name and uid, in the home namespace."""
    annotations = {
        names.SERVES_ANNOTATION: _told(kept.serves),
        names.SERVED_ANNOTATION: _told(kept.served),
        names.APPROVED_ANNOTATION: _told(kept.approved),
    }
    made = home.child(
        CONTROLLER_REVISION,
        names.route_revision(route, kept.name),
        {"revision": kept.number, "data": kept.content.content},
        annotations=annotations,
    )
    made.manifest["metadata"]["labels"] |= {names.ROUTE_LABEL: route, names.ROUTE_UID_LABEL: uid}
    return made


def _told(by_environment: Mapping[str, str]) -> str:
    return orjson.dumps(by_environment, option=orjson.OPT_SORT_KEYS).decode()
