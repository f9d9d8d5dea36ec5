"""The ConfigMap of Envoy's configuration, which the kubelet projects as files and swaps as a whole.

Law: beside what is served stands which revision Envoy refused, so that one write puts back and remembers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence import names
from ringfence.model.kinds import CONFIG_MAP
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired
from ringfence.plan.seen import Live


@dataclass(frozen=True, slots=True)
class Refused:
    """A configuration that Envoy refused, or a part of it."""

    revision: str
    because: str
    """A sentence that names the replica, and what of it was refused."""


def make(place: Place, revision: str, files: Mapping[str, str], refused: Refused | None = None) -> Desired:
    """The files by name; their revision is told apart, so that nobody has to read them for it."""
    annotations = {names.REVISION_ANNOTATION: revision}
    if refused:
        annotations |= {
            names.REFUSED_ANNOTATION: refused.revision,
            names.REFUSED_BECAUSE_ANNOTATION: refused.because,
        }
    return place.child(CONFIG_MAP, names.GATEWAY_FILES, {"data": dict(files)}, annotations=annotations)


def refused(seen: Live | None) -> Refused | None:
    """What it says was refused."""
    annotations = seen.content.get("metadata", {}).get("annotations", {}) if seen else {}
    revision = annotations.get(names.REFUSED_ANNOTATION, "")
    return Refused(revision, annotations.get(names.REFUSED_BECAUSE_ANNOTATION, "")) if revision else None
