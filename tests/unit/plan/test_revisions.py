"""What a revision is: one content, one name, wherever it is made."""

from typing import Any

import pytest

from ringfence.model.parse import parse
from ringfence.plan.modelroute.revision import revision_of
from tests.gateway_world import ACME, CHAT, OPENAI, ROUTE_SPEC, TENANT_SPEC, Json, manifest
from tests.objects import edited

UI, BATCH = ({"namespace": "web", "name": name} for name in ("ui", "batch"))


def name(route: Json | None = None, tenant: Json | None = None) -> str:
    """The revision of the sample route with these edits."""
    subject = parse(manifest(CHAT, edited(ROUTE_SPEC, route or {})))
    owner = parse(manifest(ACME, edited(TENANT_SPEC, tenant or {})))
    assert subject.spec is not None, subject.problems
    assert owner.spec is not None, owner.problems
    found = revision_of("acme", subject.spec, owner.spec)
    assert found is not None
    return found.name


def test_a_name_is_the_same_for_ever() -> None:
    """Git names revisions: a release that hashes otherwise would unapprove all of them."""
    assert name() == "rev-09fece43bda4d185"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"backends": [*ROUTE_SPEC["backends"]]}, {"backends": [*reversed(ROUTE_SPEC["backends"])]}),
        ({"limits.timeout": "120s"}, {"limits.timeout": "2m"}),
        ({"limits.maxRequestBytes": "1Mi"}, {"limits.maxRequestBytes": "1048576"}),
        ({"backends.0.weight": 1, "backends.0.priority": 0}, {}),
        ({"privacy": {"payloads": "Never"}}, {}),
        ({"consumers": {"namespaces": []}}, {}),
        ({"consumers": {"namespaces": ["web", "stage"]}}, {"consumers": {"namespaces": ["stage", "web"]}}),
        ({"consumers": {"serviceAccounts": [UI, BATCH]}}, {"consumers": {"serviceAccounts": [BATCH, UI]}}),
    ],
)
def test_what_means_the_same_has_the_same_name(one: Json, other: Json) -> None:
    """However it is spelled, and in whatever order."""
    assert name(one) == name(other)


@pytest.mark.parametrize(
    "edits",
    [
        {"promotions": {"staging": "rev-6f1c0a9d2b417e55"}},
        {"approvals": [{"environment": "prod", "revision": "rev-6f1c0a9d2b417e55", "by": "oidc:ben"}]},
    ],
)
def test_where_it_serves_is_no_part_of_it(edits: Json) -> None:
    """A promotion must not change what it promotes."""
    assert name(edits) == name()


CONTENT: list[tuple[Json, Json]] = [
    ({"model": "talk"}, {}),
    ({"backends.0.model": "gpt-4o-mini"}, {}),
    ({"backends.0.weight": 2}, {}),
    ({"backends.1.priority": 2}, {}),
    ({"limits.requestsPerMinute": 5}, {}),
    ({"limits.tokensPerMinute": 5}, {}),
    ({"limits.maxParallel": 5}, {}),
    ({"limits.idleTimeout": "5s"}, {}),
    ({"consumers": {"namespaces": ["web"]}}, {}),
    ({"consumers": {"serviceAccounts": [UI]}}, {}),
    ({}, {"providers.0.endpoint.host": "eu.api.openai.com"}),
    ({}, {"providers.0.endpoint.path": "/v2"}),
    ({}, {"providers.0.schema": "Anthropic"}),
    ({}, {"providers.0.region": "eu-west-1", "residency.regions": ["eu-central-1", "eu-west-1"]}),
    ({}, {"providers.1.service.port": 8001}),
]


@pytest.mark.parametrize(("route", "tenant"), CONTENT, ids=str)
def test_what_a_request_meets_is_part_of_it(route: Json, tenant: Json) -> None:
    """What was approved can't be changed behind the approval."""
    assert name(route, tenant) != name()


def test_a_key_may_be_renewed_without_another_revision() -> None:
    """Neither where a key is kept nor what else a provider serves is what was promoted."""
    provider: dict[str, Any] = edited(OPENAI, {"credential.secretRef.name": "model-other", "models": ["gpt-4o", "new"]})
    assert name(tenant={"providers.0": provider}) == name()
