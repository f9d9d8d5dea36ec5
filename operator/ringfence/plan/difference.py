"""Whether a live object is as desired, and the part of it that this rests on.

Law: what the API server fills in or rewrites is no difference; what somebody added to a part that Ringfence owns is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from ringfence import names
from ringfence.model.quantity import Quantity
from ringfence.plan.children.core_namespace import is_ours
from ringfence.plan.defaults import is_default
from ringfence.plan.plan import Manifest

# By kind: the fields that Ringfence owns whole. A key of another's making in them is drift, but for `defaults`.
_OWNED: Final[Mapping[str, tuple[str, ...]]] = {
    "ConfigMap": ("data", "binaryData", "immutable"),
    "ControllerRevision": ("data", "revision"),
    "Deployment": ("spec",),
    "Guardrail": ("spec",),
    "LimitRange": ("spec",),
    "NetworkPolicy": ("spec",),
    "PodDisruptionBudget": ("spec",),
    "ResourceQuota": ("spec",),
    "RoleBinding": ("roleRef", "subjects"),
    "Service": ("spec",),
    "ServiceAccount": ("automountServiceAccountToken",),
}
# By kind: the fields in which a controller's defaults may stand beside what Ringfence says.
_SHARED: Final[Mapping[str, tuple[str, ...]]] = {
    "Certificate": ("spec",),
    "ExternalSecret": ("spec",),
}
# Annotations whose absence says something, too.
_TAKEN_OFF: Final = (names.LABELS_ANNOTATION, names.REFUSED_ANNOTATION, names.REFUSED_BECAUSE_ANNOTATION)
_QUANTITIES: Final = frozenset({"hard", "default", "defaultRequest"})


def relevant(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a live object that plans set or judge, as `difference` takes it."""
    kind = obj.get("kind", "")
    kept: dict[str, Any] = {"metadata": _metadata(obj.get("metadata", {}))}
    for name in (*_OWNED.get(kind, ()), *_SHARED.get(kind, ())):
        if name in obj:
            kept[name] = obj[name]
    return kept


def difference(desired: Manifest, content: Mapping[str, Any]) -> tuple[str, ...]:
    """JSON pointers at which ``content`` (see `relevant`) is not as ``desired``; empty when nothing is to be done."""
    if _same(desired, content):
        return ()
    return tuple(pointer for pointer, _ in _differences(desired, content))


def removals(desired: Manifest, content: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON merge patch that takes away what somebody added: server-side apply leaves others' keys alone.

    Lists are replaced by the apply: each is one value to the API server, in every kind that Ringfence makes.
    """
    patch: dict[str, Any] = {}
    for pointer, added in _differences(desired, content):
        if added:
            _put(patch, pointer)
    return patch


def replacement(desired: Manifest, content: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON merge patch that makes `spec` what is desired, lists and others' keys included."""
    return _merged(removals(desired, content), {"spec": desired["spec"]})


def differs_in_lists(desired: Manifest, pointers: Iterable[str]) -> bool:
    """Whether one of these pointers is to a list: others may have added to it, or taken from it."""
    return any(isinstance(_at(desired, pointer), list) for pointer in pointers)


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    both = {name: _merged(one[name], other[name]) for name in one.keys() & other.keys() if isinstance(one[name], dict)}
    return {**one, **other, **both}


def _at(value: Any, pointer: str) -> Any:
    for step in _steps(pointer):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _same(desired: Manifest, content: Mapping[str, Any]) -> bool:
    """The quick way: equal without any allowance. It is not wrong when it says False, only slower."""
    kind = desired["kind"]
    return (
        all(desired.get(name) == content.get(name) for name in _OWNED.get(kind, ()))
        and not any(_metadata_differences(desired["metadata"], content.get("metadata", {})))
        and kind not in _SHARED
    )


def _differences(desired: Manifest, content: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Pointers that differ, each with whether it is something that was added."""
    kind = desired["kind"]
    yield from _metadata_differences(desired["metadata"], content.get("metadata", {}))
    for name in _OWNED.get(kind, ()):
        asked = _without_defaults(kind, desired.get(name), content.get(name))
        yield from _compare(f"/{name}", desired.get(name), asked, owned=True)
    for name in _SHARED.get(kind, ()):
        yield from _compare(f"/{name}", desired.get(name), content.get(name), owned=False)


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    annotations = {
        name: text for name, text in metadata.get("annotations", {}).items() if _prefix(name) == "ringfence.dev"
    }
    kept = {"labels": metadata.get("labels", {}), "annotations": annotations}
    kept |= {name: metadata[name] for name in ("finalizers", "ownerReferences") if metadata.get(name)}
    return {name: value for name, value in kept.items() if value}


def _metadata_differences(desired: Mapping[str, Any], content: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    labels, live = desired.get("labels", {}), content.get("labels", {})
    yield from ((_pointer("/metadata/labels", name), False) for name in labels if live.get(name) != labels[name])
    wanted, annotations = desired.get("annotations", {}), content.get("annotations", {})
    once_wanted = annotations.get(names.LABELS_ANNOTATION, "").split(",")
    for name in live:
        if name not in labels and (is_ours(name) or name in once_wanted):
            yield _pointer("/metadata/labels", name), True
    for name in wanted:
        if annotations.get(name) != wanted[name]:
            yield _pointer("/metadata/annotations", name), False
    for name in _TAKEN_OFF:
        if name in annotations and name not in wanted:
            yield _pointer("/metadata/annotations", name), True
    if any(finalizer not in content.get("finalizers", ()) for finalizer in desired.get("finalizers", ())):
        yield "/metadata/finalizers", False
    if content.get("ownerReferences"):
        yield "/metadata/ownerReferences", True  # by one of somebody's making the garbage collector would delete it


def _compare(path: str, desired: Any, content: Any, *, owned: bool) -> Iterator[tuple[str, bool]]:
    if desired == content or (_empty(desired) and _empty(content)):
        return
    if isinstance(desired, Mapping) and isinstance(content, Mapping):
        yield from _compare_maps(path, desired, content, owned=owned)
    elif isinstance(desired, list) and isinstance(content, list):
        if not _same_items(path, desired, content, owned=owned):
            yield path, False
    elif desired is None and owned:
        yield path, True
    elif desired is not None and not _same_scalar(path, desired, content):
        yield path, False


def _without_defaults(kind: str, desired: Any, content: Any) -> Any:
    """The live value without what the API server filled in where nothing was said."""
    if isinstance(desired, Mapping) and isinstance(content, Mapping):
        return {
            name: _without_defaults(kind, desired.get(name), value)
            for name, value in content.items()
            if name in desired or not is_default(kind, name, value)
        }
    if isinstance(desired, list) and isinstance(content, list) and len(desired) == len(content):
        return [_without_defaults(kind, *pair) for pair in zip(desired, content, strict=True)]
    return content


def _compare_maps(
    path: str, desired: Mapping[str, Any], content: Mapping[str, Any], *, owned: bool
) -> Iterator[tuple[str, bool]]:
    for name in desired.keys() | content.keys() if owned else desired.keys():
        yield from _compare(_pointer(path, name), desired.get(name), content.get(name), owned=owned)


def _same_items(path: str, desired: Sequence[Any], content: Sequence[Any], *, owned: bool) -> bool:
    """Lists of scalars are sets in every kind that Ringfence makes; the order of others matters."""
    if len(desired) != len(content):
        return False
    if all(isinstance(item, str) for item in (*desired, *content)):
        return sorted(desired) == sorted(content)
    pairs = zip(desired, content, strict=True)
    return not any(True for one, other in pairs for _ in _compare(path, one, other, owned=owned))


def _same_scalar(path: str, desired: Any, content: Any) -> bool:
    """Equal as the API server stores it: the protocol of a port is TCP where none is said, quantities are amounts."""
    segments = path.split("/")
    if segments[-1] == "protocol" and content is None:
        return bool(desired == "TCP")
    if len(segments) > 1 and segments[-2] in _QUANTITIES:
        return _same_amount(desired, content)
    return False


def _same_amount(one: Any, other: Any) -> bool:
    try:
        return Quantity.parse(one) == Quantity.parse(other)
    except (TypeError, ValueError):
        return False


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, Mapping | list) and not value)


def _put(patch: dict[str, Any], pointer: str) -> None:
    *parents, last = _steps(pointer)
    for parent in parents:
        patch = patch.setdefault(parent, {})
    patch[last] = None


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _pointer(path: str, name: str) -> str:
    return f"{path}/{name.replace('~', '~0').replace('/', '~1')}"


def _prefix(name: str) -> str:
    return name.partition("/")[0]
