"""What is shipped is told from what is there, and nothing else is."""

import copy
from collections.abc import Mapping
from typing import Any, Final

import pytest

from ringfence.admission import operator_fence
from ringfence.admission.drift import Key, differences, lacking, shipped

KINDS: Final = frozenset(key.kind for key in shipped())
PODS: Final = Key("ValidatingAdmissionPolicy", "ringfence-pods")


def live() -> dict[Key, Any]:
    """A cluster as it should be."""
    return copy.deepcopy({key: dict(spec) for key, spec in shipped().items()})


def words(found: Mapping[Key, Any]) -> list[str]:
    """What differs, as it is told."""
    return [str(each) for each in differences(found, KINDS)]


def test_what_is_as_shipped_has_not_drifted() -> None:
    """Nor does it matter what stands beside it, be it of our name."""
    assert words({**live(), Key(PODS.kind, "ringfence-of-an-older-release"): {}}) == []


def test_what_is_not_there_is_said_to_be_missing() -> None:
    """A policy and what binds it are two things."""
    found = live()
    del found[PODS], found[Key("ValidatingAdmissionPolicyBinding", "ringfence-hosts")]
    assert words(found) == [f"{PODS} is missing", "ValidatingAdmissionPolicyBinding ringfence-hosts is missing"]


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("spec.failurePolicy", {"failurePolicy": "Ignore"}),
        ("spec.matchConditions", {"matchConditions": []}),
        ("spec.validations", {"validations": []}),
        ("spec.auditAnnotations", {"auditAnnotations": [{"key": "x", "valueExpression": "'x'"}]}),
    ],
)
def test_a_change_is_named_by_its_place(path: str, change: dict[str, Any]) -> None:
    """Whatever the field is, and whether it was there."""
    found = live()
    found[PODS] |= change
    (told,) = words(found)
    assert told.startswith(f"{PODS} differs at {path}")


def test_an_edited_expression_is_found() -> None:
    """In the middle of a list."""
    found = live()
    found[PODS]["validations"][3]["expression"] = "true"
    assert words(found) == [f"{PODS} differs at spec.validations[3].expression"]


def test_what_is_missing_opens_and_what_was_edited_may() -> None:
    """Nobody can say what an edited policy lets pass, but one that is not there refuses nothing."""
    found = live()
    found[PODS]["failurePolicy"] = "Ignore"
    for key in [key for key in found if key.kind.startswith("Mutating") or key.name == "ringfence-references"]:
        del found[key]
    del found[Key("ValidatingAdmissionPolicy", "ringfence-roles")]
    assert [str(each.key) for each in differences(found, KINDS) if each.opens] == [
        "ValidatingAdmissionPolicy ringfence-roles"
    ]


def test_an_older_server_is_told_what_it_lacks() -> None:
    """What it can't have is not missing."""
    served = frozenset(kind for kind in KINDS if kind.startswith("Validating"))
    found = {key: spec for key, spec in live().items() if key.kind in served}
    assert differences(found, served) == ()
    (told,) = lacking(served)
    assert "MutatingAdmissionPolicy" in told
    assert "people" in told
    assert len(lacking(frozenset())) == 2
    assert lacking(KINDS) == ()


def test_the_images_that_the_operator_may_run_are_the_installations() -> None:
    """As its own settings say, and nothing else; who does not know the settings looks at the rest."""
    mine = ("registry.example/envoy", "registry.example/operator")
    key = Key("ValidatingAdmissionPolicy", operator_fence.WORKLOADS.name)
    found = live()
    found[key]["variables"][0] = dict(operator_fence.pins(mine).entry())
    assert differences(found, KINDS, images=mine) == ()
    assert differences(found, KINDS, images=None) == ()
    assert words(found) == [f"{key} differs at spec.variables[0].expression"]
    found[key]["variables"][1]["expression"] = "false"
    assert [each.path for each in differences(found, KINDS, images=None)] == ["spec.variables[1].expression"]
