"""The second data plane's resources against the published definitions of their kinds, on a real API server."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from ringfence.controlplane import Answer, Client, ControlPlane
from ringfence.gateway.envoy_ai.engine import AI_GATEWAY_ROUTE, SECURITY_POLICY, TYPES, Resource
from ringfence.gateway.envoy_ai.render import render
from ringfence.model.kinds import ResourceType
from tests.unit.gateway.test_envoy_ai import ENGINE, GATEWAY, limited
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver

SCHEMAS: Final = "RINGFENCE_SCHEMAS"
FOLDERS: Final = ("envoy-ai-gateway", "envoy-gateway", "gateway-api")
HOME: Final = "acme"


@pytest.fixture(scope="module")
def published(controlplane: ControlPlane, admin: Client) -> Client:
    """An API server that serves the kinds as their projects publish them."""
    folder = os.environ.get(SCHEMAS)
    if not folder:
        pytest.skip(f"{SCHEMAS} is not set: it names a folder with other projects' published schemas")
    for definition in definitions(Path(folder) / "crds"):
        admin.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition).must()
    admin.request("POST", "/api/v1/namespaces", {"metadata": {"name": HOME}}).must()
    eventually(lambda: all(admin.get(each.collection_path(HOME)).ok for each in TYPES), 60)
    return admin


def definitions(folder: Path) -> Iterator[dict[str, Any]]:
    """Of the types that are rendered."""
    wanted = {f"{each.plural}.{each.group}" for each in TYPES}
    for file in (path for name in FOLDERS for path in (folder / name).glob("*.yaml")):
        document = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)
        if document["metadata"]["name"] in wanted:
            yield document


def ask(client: Client, resource: Resource, body: dict[str, Any] | None = None) -> Answer:
    """Whether the API server would take it, every field known to it."""
    kind: ResourceType = resource.type
    manifest = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": resource.name, "namespace": HOME},
        **(body or resource.body),
    }
    return client.request("POST", f"{kind.collection_path(HOME)}?dryRun=All&fieldValidation=Strict", manifest)


def resource_of(kind: ResourceType) -> Resource:
    return next(each for each in render(GATEWAY, ENGINE).resources if each.type == kind)


@pytest.mark.parametrize(
    ("gateway", "engine"),
    [
        (GATEWAY, ENGINE),
        (
            limited(requests_per_minute=60, tokens_per_minute=9000, max_parallel=5),
            replace(ENGINE, counts_globally=True),
        ),
    ],
    ids=["counted by replicas", "counted by a service"],
)
def test_everything_that_is_rendered_is_valid(published: Client, gateway: Any, engine: Any) -> None:
    """Schemas and expressions of every kind hold, and no field is unknown."""
    answers = {(each.type.kind, each.name): ask(published, each) for each in render(gateway, engine).resources}
    assert {kind for kind, _ in answers} >= {"AIGatewayRoute", "BackendTrafficPolicy", "SecurityPolicy"}
    assert {name: answer.body["message"] for name, answer in answers.items() if not answer.ok} == {}


def test_what_is_wrong_is_refused(published: Client) -> None:
    """A field that the kind does not have, a value outside of its schema, and one that an expression forbids."""
    route, security = resource_of(AI_GATEWAY_ROUTE), resource_of(SECURITY_POLICY)
    assert ask(published, route).ok
    assert ask(published, security).ok
    spec = route.body["spec"]
    assert "unknown field" in ask(published, route, {"spec": {**spec, "models": []}}).body["message"]
    assert (
        "Unsupported value"
        in ask(published, route, {"spec": {**spec, "llmRequestCosts": [cost("Word")]}}).body["message"]
    )
    elsewhere = [{**spec["parentRefs"][0], "kind": "Service"}]
    assert (
        "only Gateway is supported"
        in ask(published, route, {"spec": {**spec, "parentRefs": elsewhere}}).body["message"]
    )
    nobody = {key: value for key, value in security.body["spec"].items() if key != "targetRefs"}
    assert "targetRef" in ask(published, security, {"spec": nobody}).body["message"]


def cost(kind: str) -> dict[str, str]:
    return {"metadataKey": "words", "type": kind}
