"""The ConfigMap of Envoy's configuration, which the kubelet projects as files and swaps as a whole."""

from collections.abc import Mapping

from ringfence import names
from ringfence.model.kinds import CONFIG_MAP
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired


def make(place: Place, revision: str, files: Mapping[str, str]) -> Desired:
    """The files by name; their revision is told apart, so that nobody has to read them for it."""
    annotations = {names.REVISION_ANNOTATION: revision}
    return place.child(CONFIG_MAP, names.GATEWAY_FILES, {"data": dict(files)}, annotations=annotations)
