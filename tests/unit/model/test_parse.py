"""Whatever is read, nothing is raised."""

import time
from typing import Any

import pytest

from ringfence.model import kinds
from ringfence.model.parse import parse
from ringfence.model.tenant import TenantSpec
from tests.objects import GONE, complete, edited


def test_a_good_object_is_a_typed_frozen_spec() -> None:
    """Past the parser there are no dictionaries to spell wrongly."""
    subject = parse(complete("Tenant"))
    assert isinstance(subject.spec, TenantSpec)
    assert subject.ref.type is kinds.TENANT
    assert subject.spec.providers[0].endpoint
    assert subject.spec.providers[0].endpoint.host == "api.openai.com"


def test_defaults_of_list_items_come_from_the_model() -> None:
    """They are not in the schema, so that kubectl sees no change."""
    subject = parse(edited(complete("Namespace"), {"spec.gatewayKeys": [{"name": "ci"}]}))
    assert subject.spec
    key = subject.spec.gateway_keys[0]
    assert (key.mode, key.max_age) == ("Test", "30d")


def test_null_is_left_out() -> None:
    """As the API server sees it."""
    spec = parse(edited(complete("Namespace"), {"spec.region": None})).spec
    assert spec
    assert spec.region is None


@pytest.mark.parametrize(
    ("edits", "field"),
    [
        ({"spec": GONE}, "spec"),
        ({"spec": None}, "spec"),
        ({"spec": []}, "spec"),
        ({"spec": "text"}, "spec"),
        ({"spec.displayName": 2**70}, "spec"),
        ({"spec.displayName": {1: 2}}, "spec"),
        ({"spec.displayName": "\ud800"}, "spec"),
        ({"kind": "Tenants"}, "kind"),
        ({"apiVersion": "ringfence.dev/v2"}, "kind"),
        ({"apiVersion": GONE}, "kind"),
        ({"metadata": None}, "metadata.name"),
        ({"metadata": {"name": 7}}, "metadata.name"),
    ],
)
def test_a_poisoned_object_is_a_subject_with_problems(edits: dict[str, Any], field: str) -> None:
    """One bad object never stops another."""
    subject = parse(edited(complete("Tenant"), edits))
    assert subject.spec is None
    assert subject.problems[0].field == field


def test_a_spec_that_is_too_deep_is_a_problem() -> None:
    """A stack has an end."""
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a": deep}
    assert parse({**complete("Tenant"), "spec": deep}).problems[0].field == "spec"


def test_metadata_is_what_decisions_rest_on() -> None:
    """Managers come in the order of their last writes."""
    raw = complete("Tenant")
    raw["metadata"] = {
        "name": "acme",
        "uid": "u",
        "generation": 3,
        "creationTimestamp": "2026-11-01T00:00:00Z",
        "deletionTimestamp": "2026-11-02T00:00:00Z",
        "finalizers": ["ringfence.dev/operator"],
        "resourceVersion": "7",
        "managedFields": [
            {"manager": "late", "time": "2026-11-01T02:00:00Z"},
            {"manager": "early", "time": "2026-11-01T01:00:00Z"},
        ],
    }
    meta = parse(raw).meta
    assert (meta.uid, meta.generation, meta.deleting, meta.resource_version) == ("u", 3, True, "7")
    assert meta.managers == ("early", "late")


def test_an_unknown_field_is_named_with_what_was_meant() -> None:
    """The nearest name that is there, at that place."""
    subject = parse(edited(complete("Tenant"), {"spec.providers.0.endpoint.hosts": "x"}))
    assert subject.problems[0].message == "is no such field; did you mean host?"


def test_what_is_wrong_is_said_in_words_for_yaml() -> None:
    """No Tuple, no instance, no validation."""
    edits = {
        "spec.budget": 1,
        "spec.storageClasses": "a",
        "spec.providers.0.models": ["*"],
        "spec.gateway.replicas": "2",
    }
    messages = [problem.message for problem in parse(edited(complete("Tenant"), edits)).problems]
    assert messages == [
        "must be an object with fields",
        "must be a list",
        "must match ^[A-Za-z0-9][A-Za-z0-9._:/@-]*$",
        "must be an integer",
    ]


def test_a_thousand_objects_take_less_than_a_second() -> None:
    """A restart reads them all."""
    raw = complete("Namespace")
    before = time.process_time()
    for _ in range(1000):
        parse(raw)
    assert time.process_time() - before < 1
