"""The core namespace itself."""

from collections.abc import Mapping
from typing import Any

from ringfence import names
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired
from ringfence.plan.seen import CoreNamespace

_POD_SECURITY = "pod-security.kubernetes.io/"


def make(
    place: Place,
    live: CoreNamespace | None,
    *,
    pod_security: str = "restricted",
    labels: Mapping[str, str] | None = None,
) -> Desired:
    """The tenant namespace, with the user's own ``labels`` beside those that are grants.

    Whoever declared the ``live`` one may have said that it is managed by him, as Helm does; that stays, or the two
    would take the label from each other forever.
    """
    annotations = {names.LABELS_ANNOTATION: ",".join(sorted(labels))} if labels else {}
    own = {**place.labels, names.OWNER_UID_LABEL: place.owner_uid, **_levels(pod_security)}
    if live and names.MANAGED_BY_LABEL in live.labels:
        own[names.MANAGED_BY_LABEL] = live.labels[names.MANAGED_BY_LABEL]
    if place.is_home:
        own[names.HOME_LABEL] = "true"
    return _namespace(place, {**(labels or {}), **own}, annotations)


def make_orphan(place: Place, labels: Mapping[str, str]) -> Desired:
    """The namespace with the live ``labels``, disowned: the fence keeps matching it, no tenant's selector does.

    The request for adoption goes too, or the next tenant of that name would inherit the namespace without a word.
    """
    kept = {name: value for name, value in labels.items() if is_ours(name) and name != names.OWNER_UID_LABEL}
    return _namespace(place, {**kept, names.ORPHANED_LABEL: "true"}, {names.ADOPT_ANNOTATION: ""})


def is_ours(label: str) -> bool:
    """Whether a label of a core namespace is kept by Ringfence; the others belong to whoever set them."""
    prefix = label.partition("/")[0]
    return label == names.MANAGED_BY_LABEL or prefix in ("ringfence.dev", "pod-security.kubernetes.io")


def _levels(level: str) -> dict[str, str]:
    return {_POD_SECURITY + mode: level for mode in ("enforce", "audit", "warn")}


def _namespace(place: Place, labels: Mapping[str, str], annotations: Mapping[str, str]) -> Desired:
    metadata: dict[str, Any] = {"name": place.core, "labels": dict(labels)}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return Desired(place.ref, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
