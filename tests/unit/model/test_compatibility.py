"""Objects that are stored already stay valid: the CRDs of every release against those of today.

A release adds its folder and never changes it: `cp crds/*.yaml tests/golden/crds/<version>/`.
"""

from typing import Any

import pytest
import yaml

from ringfence.model.crd import object_schema
from ringfence.model.registry import DEFINITIONS
from tests.compatibility import narrowings
from tests.controlplane_fixtures import REPOSITORY

_RELEASES = sorted((REPOSITORY / "tests" / "golden" / "crds").iterdir())


def _schemas(folder: Any) -> dict[str, Any]:
    crds = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in folder.glob("*.yaml")]
    return {crd["spec"]["names"]["kind"]: crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] for crd in crds}


@pytest.mark.parametrize("release", _RELEASES, ids=lambda folder: folder.name)
def test_nothing_that_a_release_accepted_is_refused_now(release: Any) -> None:
    """A narrower schema needs a new API version and a conversion, never an edit."""
    today = {definition.resource.kind: object_schema(definition) for definition in DEFINITIONS}
    for kind, schema in _schemas(release).items():
        assert list(narrowings(schema, today[kind])) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"maxLength": 9}, {"maxLength": 8}, "maxLength is lower"),
        ({}, {"maxLength": 8}, "maxLength is lower"),
        ({}, {"minItems": 1}, "minItems is higher"),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, "fewer values"),
        ({}, {"enum": ["a"]}, "fewer values"),
        ({"properties": {"a": {}}}, {"properties": {}}, "a: is gone"),
        ({}, {"required": ["a"]}, "a is required now"),
        ({"pattern": "a"}, {"pattern": "b"}, "pattern changed"),
        ({}, {"x-kubernetes-list-type": "set"}, "x-kubernetes-list-type changed"),
        ({}, {"x-kubernetes-validations": [{"rule": "r", "message": "m"}]}, "new rule: m"),
        ({"items": {"type": "string"}}, {"items": {"type": "integer"}}, "[]: type changed"),
    ],
)
def test_a_narrowing_is_seen(old: Any, new: Any, found: str) -> None:
    """The check above can fail."""
    assert list(narrowings(old, old)) == []
    assert any(problem.endswith(found) for problem in narrowings(old, new))
