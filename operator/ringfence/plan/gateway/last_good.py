"""The last configuration that a gateway was seen to serve, and what Envoy refused of what was published since.

Laws: what is kept was seen to serve, in every replica and in every part but secrets, and is what was published to the
byte. It is kept before anything else is published. What nobody could see is neither good nor refused.
"""

from collections.abc import Iterator

from ringfence import names
from ringfence.model.kinds import CONFIG_MAP, Ref
from ringfence.plan.children import gateway_files, gateway_routes, gateway_served
from ringfence.plan.children.gateway_files import Refused
from ringfence.plan.children.gateway_served import Served
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired
from ringfence.plan.seen import Live, Seen


def keep(home: Place, seen: Seen) -> Iterator[Desired]:
    """The ConfigMap that keeps it: a new one where something newer was seen to serve."""
    live = seen.live.get(gateway_served.ref(home.core))
    published = gateway_routes.configuration(_files(home, seen))
    newer = published != gateway_routes.configuration(live) and seen.probed and seen.probed.serves(published)
    if newer and (served := _published(home, published, seen)):
        yield gateway_served.make(home, served)
    elif live and live.ours:
        yield gateway_served.again(home, live)


def refused(home: Place, seen: Seen) -> Refused | None:
    """What Envoy refused: of what is published, as a look just found, or else as is noted beside it."""
    files = _files(home, seen)
    if seen.probed and seen.probed.refused and seen.probed.refused == gateway_routes.configuration(files):
        return Refused(seen.probed.refused, seen.probed.problem)
    return gateway_files.refused(files)


def instead_of(refused: Refused, home: Place, seen: Seen) -> Served | None:
    """What can be put back; None where nothing else was ever seen to serve."""
    live = seen.live.get(gateway_served.ref(home.core))
    return gateway_served.read(live) if gateway_routes.configuration(live) != refused.revision else None


def _published(home: Place, revision: str, seen: Seen) -> Served | None:
    """What is published, if both ConfigMaps are of that revision and nobody changed the files."""
    files, routes = _files(home, seen), seen.live.get(gateway_routes.ref(home.core))
    if files is None or routes is None or gateway_routes.configuration(routes) != revision:
        return None
    return gateway_served.whole(revision, files.content.get("data", {}), routes.content.get("data", {}))


def _files(home: Place, seen: Seen) -> Live | None:
    return seen.live.get(Ref(CONFIG_MAP, home.core, names.GATEWAY_FILES))
