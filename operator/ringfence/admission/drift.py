"""Whether the policies in the cluster are those of this release.

Law: what is compared is what a policy says once the API server has filled in its defaults; labels, annotations and
whatever else others add to an object are their own business. What is there beside our policies is not judged here.
Which images the operator may run is a setting of the installation, in its policies as in its operator.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cache
from typing import Any, Final, NamedTuple

from ringfence.admission import operator_fence
from ringfence.admission.catalogue import POLICIES, files


class Key(NamedTuple):
    """A policy or a binding."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


_MATCH: Final = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}
_VALIDATING: Final = "ValidatingAdmissionPolicy"
_MUTATING: Final = "MutatingAdmissionPolicy"
_PINNING: Final = Key(_VALIDATING, operator_fence.WORKLOADS.name)
_UNFILLED: Final = "what it fills in has to be written by people: who asks, approvers, regions of pods"


@cache
def shipped() -> Mapping[Key, Mapping[str, Any]]:
    """The specs of this release as the API server keeps them."""
    manifests = (manifest for found in files().values() for manifest in found)
    return {Key(each["kind"], each["metadata"]["name"]): _defaulted(each["kind"], each["spec"]) for each in manifests}


def _defaulted(kind: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """Fill in what the API server would (k8s.io/kubernetes/pkg/apis/admissionregistration/v1/defaults.go)."""
    field = "matchResources" if kind.endswith("Binding") else "matchConstraints"
    return {**spec, field: {**_MATCH, **spec[field]}} if field in spec else spec


class Drift(NamedTuple):
    """One policy or binding that is not as shipped."""

    key: Key
    path: str
    """Where it differs; empty where it is missing."""

    def __str__(self) -> str:
        return f"{self.key} differs at {self.path}" if self.path else f"{self.key} is missing"

    @property
    def opens(self) -> bool:
        """Whether what should be refused passes by it: nothing is asked of what is not there."""
        return not self.path and self.key.kind.startswith(_VALIDATING) and self.key.name not in _warning()


def differences(
    live: Mapping[Key, Mapping[str, Any]], served: Set[str], *, images: Sequence[str] | None = operator_fence.PINNED
) -> tuple[Drift, ...]:
    """What is not as shipped, of the kinds that the cluster serves; ``live`` are specs.

    ``images`` are the repositories that this installation runs; None where whoever asks can't know them.
    """
    return tuple(
        Drift(key, path)
        for key, wanted in sorted(shipped().items())
        if key.kind in served and (path := _difference(_pinned(key, wanted, live, images), live.get(key))) is not None
    )


def _pinned(
    key: Key, wanted: Mapping[str, Any], live: Mapping[Key, Mapping[str, Any]], images: Sequence[str] | None
) -> Mapping[str, Any]:
    """The spec as it is with this installation's images."""
    if key != _PINNING:
        return wanted
    first, *others = wanted["variables"]
    pins = operator_fence.pins(images).entry() if images is not None else _pins_of(live.get(key, {}))
    return {**wanted, "variables": [pins or first, *others]}


def _pins_of(found: Mapping[str, Any]) -> Mapping[str, str] | None:
    return next((each for each in found.get("variables", ()) if each["name"] == operator_fence.pins().name), None)


def lacking(served: Set[str]) -> tuple[str, ...]:
    """Kinds of ours that the cluster does not serve, with what therefore does not hold."""
    return tuple(map(_without, _absent(served)))


def defenceless(served: Set[str]) -> tuple[str, ...]:
    """Of what the cluster lacks, that without which nothing is refused: there is nobody whom a canary could ask."""
    return tuple(_without(kind) for kind in _absent(served) if kind == _VALIDATING)


def _absent(served: Set[str]) -> Sequence[str]:
    return sorted(kind for kind in {key.kind for key in shipped()} - served if not kind.endswith("Binding"))


def _without(kind: str) -> str:
    return f"this API server serves no {kind}: {_UNFILLED if kind == _MUTATING else 'nothing is refused'}"


@cache
def _warning() -> frozenset[str]:
    """Names of policies that refuse nothing."""
    return frozenset(policy.name for policy in POLICIES if policy.warns)


def _difference(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> str | None:
    return "" if found is None else next(_paths(wanted, found, "spec"), None)


def _paths(wanted: Any, found: Any, path: str) -> Iterator[str]:
    """Where two values differ, first things first."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for name in sorted({*wanted, *found}):
            yield from _paths(wanted.get(name), found.get(name), f"{path}.{name}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _paths(one, other, f"{path}[{index}]")
    elif wanted != found:
        yield path
