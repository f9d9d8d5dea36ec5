"""Objects of every kind for tests: complete ones, and copies of them with single fields edited."""

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

Object = dict[str, Any]
Edits = Mapping[str, Any]
"""New values by path: ``spec.providers.0.endpoint.host``; GONE removes the field."""

SAMPLES: Final = Path(__file__).parents[1] / "manifests" / "samples"
COMPLETE: Final = Path(__file__).with_name("samples") / "complete.yaml"


class _Gone:
    def __repr__(self) -> str:
        return "GONE"


GONE: Final = _Gone()


@cache
def _complete() -> Mapping[str, Object]:
    return {document["kind"]: document for document in yaml.safe_load_all(COMPLETE.read_text(encoding="utf-8"))}


def complete(kind: str) -> Object:
    """A copy of the object of this kind that has every field."""
    return copy.deepcopy(_complete()[kind])


def kinds() -> list[str]:
    """All kinds."""
    return list(_complete())


def edited(original: Object, edits: Edits) -> Object:
    """A copy of ``original`` with these fields set, added or removed."""
    result = copy.deepcopy(original)
    for path, value in edits.items():
        *above, last = path.split(".")
        part: Any = result
        for step in above:
            part = part[int(step)] if isinstance(part, list) else part.setdefault(step, {})
        _put(part, last, value)
    return result


def service(namespace: str, name: str, port: int, target: int | str, **spec: Any) -> Object:
    """A Service of a tenant's own, from a port to that of its pods; ``spec`` has what else is said, or another way."""
    ports = [{"port": port, "targetPort": target, "protocol": "TCP"}]
    metadata = {"name": name, "namespace": namespace}
    whole = {"type": "ClusterIP", "selector": {"app": name}, "ports": ports, **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": whole}


def _put(part: Any, step: str, value: Any) -> None:
    if isinstance(part, list):
        index = int(step)
        if value is GONE:
            del part[index]
        else:
            part[index : index + 1] = [copy.deepcopy(value)]
    elif value is GONE:
        part.pop(step, None)
    else:
        part[step] = copy.deepcopy(value)
