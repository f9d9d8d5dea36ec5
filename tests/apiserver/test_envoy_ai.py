"""The second data plane's resources against the published definitions of their kinds, on a real API server."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from typer import Typer
from typer.testing import CliRunner, Result

from ringfence import names
from ringfence.cli.envoy_ai.command import envoy_ai
from ringfence.controlplane import Answer, Client, ControlPlane
from ringfence.gateway.envoy_ai.differences import DIFFERENCES, Verdict
from ringfence.gateway.envoy_ai.engine import AI_GATEWAY_ROUTE, SECURITY_POLICY, TYPES, Resource
from ringfence.gateway.envoy_ai.refusals import Refusal
from ringfence.gateway.envoy_ai.render import render
from ringfence.model.kinds import CONFIG_MAP, MODEL_ROUTE, NAMESPACE, SERVICE, SERVICE_ACCOUNT, TENANT, ResourceType
from tests.objects import service
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


# --- of a Tenant in the cluster

ACCEPTED: Final = "--accept-weaker"
SPEC: Final = {
    "environments": [{"name": "dev"}, {"name": "prod", "protected": True}],
    "residency": {"regions": ["eu-central-1"]},
    "providers": [
        {
            "name": "first",
            "schema": "OpenAI",
            "endpoint": {"host": "api.first.example"},
            "region": "eu-central-1",
            "models": ["gpt-4o"],
            "credential": {"secretRef": {"name": "model-first", "key": "apiKey"}},
        },
        {
            "name": "llama",
            "schema": "OpenAI",
            "service": {"namespace": "models", "name": "llama", "port": 8000, "tls": {"caConfigMap": "llama-ca"}},
            "models": ["l3"],
        },
    ],
}
ROUTE: Final = {
    "model": "chat",
    "backends": [{"provider": "first", "model": "gpt-4o"}, {"provider": "llama", "model": "l3", "priority": 1}],
}


@pytest.fixture(scope="module")
def tenant(published: Client, crds: list[str], controlplane: ControlPlane) -> Client:
    """A Tenant with a route, as the operator leaves it: its namespaces are its own by label and uid."""
    assert crds
    made = put(published, TENANT, "", HOME, {"spec": SPEC})
    owned = {names.TENANT_LABEL: HOME, names.OWNER_UID_LABEL: made["metadata"]["uid"]}
    own = {"metadata": {"labels": owned}}
    published.request("PATCH", f"/api/v1/namespaces/{HOME}", own, content_type="application/merge-patch+json").must()
    for name in ("dev", "models"):
        put(published, NAMESPACE, HOME, name, {"spec": {"environment": "dev"}})
        core = {"metadata": {"name": f"{HOME}-{name}", "labels": owned}}
        published.request("POST", "/api/v1/namespaces", core).must()
    put(published, CONFIG_MAP, f"{HOME}-models", "llama-ca", {"data": {"ca.crt": controlplane.ca.read_text()}})
    put(published, SERVICE, f"{HOME}-models", "llama", service(f"{HOME}-models", "llama", 8000, 8080))
    put(published, MODEL_ROUTE, HOME, "chat", {"spec": ROUTE})
    return published


def put(client: Client, kind: ResourceType, namespace: str, name: str, body: dict[str, Any]) -> Any:
    manifest = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}, **body}
    return client.request("POST", kind.collection_path(namespace or None), manifest).must()


def printed(plane: ControlPlane, *arguments: str) -> Result:
    """What the command prints."""
    app = Typer()
    app.command()(envoy_ai)
    told = ("--gateway-class", "envoy-ai", "--certificate", "gateway-tls", "-o", "json", *arguments)
    return CliRunner().invoke(app, [HOME, "--kubeconfig", str(plane.admin_kubeconfig), *told])


def test_the_command_prints_what_the_cluster_takes(tenant: Client, controlplane: ControlPlane) -> None:
    """For the callers and the route that the operator's own planner finds, believing this very API server."""
    done = printed(controlplane, ACCEPTED)
    assert done.exit_code == 0, done.stderr
    items = {(each["kind"], each["metadata"]["name"]): each for each in json.loads(done.stdout)["items"]}
    (route,) = (each for (kind, _), each in items.items() if kind == "AIGatewayRoute")
    (match,) = route["spec"]["rules"][0]["matches"]
    assert "acme-dev:" in match["headers"][1]["value"]
    assert "BEGIN CERTIFICATE" in items["ConfigMap", "ringfence-llama-authority"]["data"]["ca.crt"]
    (provider,) = items["SecurityPolicy", names.GATEWAY]["spec"]["jwt"]["providers"]
    assert json.loads(provider["localJWKS"]["inline"])["keys"]
    kinds = {each.kind: each for each in (*TYPES, CONFIG_MAP)}
    for (kind, _), manifest in items.items():
        path = f"{kinds[kind].collection_path(HOME)}?dryRun=All&fieldValidation=Strict"
        answer = tenant.request("POST", path, manifest)
        assert answer.ok, answer.body


def test_nothing_is_printed_until_it_is_accepted_that_less_is_promised(
    tenant: Client, controlplane: ControlPlane
) -> None:
    """What that is, is named each time."""
    weaker = [each.promise for each in DIFFERENCES if each.verdict is Verdict.WEAKER]
    done, accepted = printed(controlplane), printed(controlplane, ACCEPTED)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "--accept-weaker" in done.stderr
    assert accepted.exit_code == 0
    assert [each for each in weaker if each not in done.stderr or each not in accepted.stderr] == []


def test_the_command_says_what_it_refuses(tenant: Client, controlplane: ControlPlane) -> None:
    """A key that is declared, and whose account is there: nothing is printed for the engine, and why is."""
    assert printed(controlplane, ACCEPTED).exit_code == 0
    patch = {"spec": {"gatewayKeys": [{"name": "ci"}]}}
    place = NAMESPACE.path(HOME, "dev")
    tenant.request("PATCH", place, patch, content_type="application/merge-patch+json").must()
    account = {"metadata": {"name": names.gateway_key("ci"), "labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY}}}
    tenant.request("POST", SERVICE_ACCOUNT.collection_path(f"{HOME}-dev"), account).must()
    done = printed(controlplane, ACCEPTED)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["items"] == []
    assert Refusal.GATEWAY_KEYS.value in done.stderr
