"""A route on its way to a protected environment: a real API server, a real Envoy, and two persons."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from typer.testing import CliRunner, Result

from ringfence import names
from ringfence.cli.route.approve import approve
from ringfence.cli.route.promote import promote, rollback
from ringfence.cli.route.trace import trace
from ringfence.controlplane import MERGE_PATCH, Client, ControlPlane
from ringfence.controlplane.node import Machine, NodeProcess
from ringfence.controlplane.node.envoy import find_envoy
from ringfence.model.kinds import CONTROLLER_REVISION, MODEL_ROUTE, NAMESPACE, TENANT, Ref
from tests.controlplane_fixtures import Kubectl
from tests.gateway_world import OPENAI, manifest
from tests.objects import service
from tests.operating import OperatorProcess, operating
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

LONG: Final = 90.0  # seconds
HOME: Final = "acme"
CHAT: Final = Ref(MODEL_ROUTE, HOME, "chat")
CISO: Final = "oidc:ciso"
OWNERS: Final = "oidc:owners"
LOCAL: Final = {
    "name": "local",
    "schema": "OpenAI",
    "service": {"namespace": "models", "name": "llama", "port": 8000},
    "models": ["llama"],
}
SPEC: Final[dict[str, Any]] = {
    "access": {"owners": [{"group": OWNERS}]},
    "environments": [{"name": "dev"}, {"name": "prod", "protected": True, "approvers": [{"group": CISO}]}],
    "providers": [LOCAL],
    "gateway": {"replicas": 1},
}


@dataclass(frozen=True)
class Person:
    """Somebody with a kubeconfig, and the command line."""

    plane: ControlPlane
    name: str
    groups: tuple[str, ...]
    tenant: str = HOME

    def __call__(self, command: Callable[..., None], *arguments: str) -> Result:
        """Type a command about the tenant."""
        app = typer.Typer()
        app.command()(command)
        kubeconfig = str(self.plane.kubeconfig(self.name, self.groups))
        return CliRunner().invoke(app, [*arguments, "--tenant", self.tenant, "--kubeconfig", kubeconfig])

    @property
    def client(self) -> Client:
        """The same, without the command line."""
        return Client(self.plane.url, ca=self.plane.ca, certificate=self.plane.certificate(self.name, self.groups))


@pytest.fixture(scope="module")
def operator(
    controlplane: ControlPlane, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """The operator, a node that runs gateways, and a tenant with a route that serves in its first environment.

    Its model runs in a protected one: no other frontend serves both.
    """
    programs = {"envoy": [str(find_envoy())], "operator": [sys.executable, "-m", "ringfence"]}
    ranges = ("--pod-ranges", "10.244.0.0/16", "--node-ranges", "192.0.2.0/24")
    folder = tmp_path_factory.mktemp("operator")
    with NodeProcess(controlplane.folder, Machine(programs=programs)), operating(controlplane, folder, *ranges) as it:
        apply(kubectl, Ref(TENANT, "", HOME), SPEC)
        kubectl("wait", "--for=condition=Ready", "--timeout=60s", f"tenant/{HOME}")
        apply(kubectl, Ref(NAMESPACE, HOME, "dev"), {"environment": "dev", "quota": {"hard": {"pods": "1"}}})
        apply(kubectl, Ref(NAMESPACE, HOME, "models"), {"environment": "prod"})
        kubectl("wait", "--for=condition=Ready", "--timeout=60s", "-n", HOME, "tns/models")
        kubectl("apply", "-f-", stdin=service(f"{HOME}-models", "llama", 8000, 8080))
        apply(kubectl, CHAT, {"model": "chat", "backends": [{"provider": "local", "model": "llama"}]})
        eventually(lambda: serves(kubectl, "dev"), LONG)
        yield it


@pytest.fixture
def ann(operator: OperatorProcess, controlplane: ControlPlane) -> Person:
    """An owner of the tenant, who may approve, too."""
    assert operator.running
    return Person(controlplane, "oidc:ann", (OWNERS, CISO))


@pytest.fixture
def ben(operator: OperatorProcess, controlplane: ControlPlane) -> Person:
    """An approver who is nothing else in the tenant."""
    assert operator.running
    return Person(controlplane, "oidc:ben", (CISO,))


def apply(kubectl: Kubectl, ref: Ref, spec: dict[str, Any]) -> None:
    kubectl("apply", "--server-side", "--force-conflicts", "-f-", stdin=manifest(ref, spec))


def status(kubectl: Kubectl, home: str = HOME) -> dict[str, Any]:
    """The route's status, where it is of the present generation."""
    found = json.loads(kubectl("get", "mr", "chat", "-n", home, "-o", "json").stdout)
    told: dict[str, Any] = found["status"]
    return told if told["observedGeneration"] == found["metadata"]["generation"] else {}


def serves(kubectl: Kubectl, environment: str) -> str:
    """The revision that an environment was seen to serve; empty before."""
    found = {each["name"]: each for each in status(kubectl).get("environments", ())}
    told = found.get(environment, {})
    return str(told["revision"]) if told.get("served") == "True" else ""


def reason(kubectl: Kubectl, home: str = HOME) -> str:
    """Why the route is or isn't ready."""
    ready = [each for each in status(kubectl, home).get("conditions", ()) if each["type"] == "Ready"]
    return str(ready[0]["reason"]) if ready else ""


def limited(kubectl: Kubectl, requests: int) -> str:
    """Change the route, and wait until its new revision serves in the first environment."""
    spec = {"model": "chat", "backends": [{"provider": "local", "model": "llama"}]}
    apply(kubectl, CHAT, {**spec, "limits": {"requestsPerMinute": requests}})
    eventually(lambda: status(kubectl).get("revision") == serves(kubectl, "dev") != "", LONG)
    return serves(kubectl, "dev")


def test_a_revision_goes_to_prod_by_two_persons_and_back(
    kubectl: Kubectl, operator: OperatorProcess, ann: Person, ben: Person
) -> None:
    """The promoter alone moves nothing; the old revision serves until somebody else approved; the record tells both."""
    first = serves(kubectl, "dev")
    done = ann(promote, "chat", "--to", "prod")
    assert done.exit_code == 0, done.output
    assert f"{first} is promoted to prod" in done.output
    eventually(lambda: reason(kubectl) == "AwaitingApproval", LONG)
    refused = ann(approve, "chat", "--environment", "prod")
    assert refused.exit_code == 1
    assert "whoever promoted it can't approve it" in refused.output
    assert ben(approve, "chat", "--environment", "prod").exit_code == 0
    eventually(lambda: serves(kubectl, "prod") == first, LONG)

    second = limited(kubectl, 7)
    assert second != first
    assert ann(promote, "chat", "--to", "prod").exit_code == 0
    eventually(lambda: reason(kubectl) == "AwaitingApproval", LONG)
    eventually(lambda: serves(kubectl, "prod") == first, LONG)
    shown = ben(approve, "chat", "--environment", "prod", "--revision", second)
    assert "limits.requestsPerMinute: nothing -> 7" in shown.output
    eventually(lambda: serves(kubectl, "prod") == second, LONG)

    back = ann(rollback, "chat", "--environment", "prod")
    assert back.exit_code == 0, back.output
    assert f"without another approval: {ben.name} gave one before" in back.output
    eventually(lambda: serves(kubectl, "prod") == first, LONG)
    eventually(operator.settled, LONG)
    told = [(each["before"], each["revision"], each["promoted_by"], each["approved_by"]) for each in traced(operator)]
    assert told == [
        ("", first, ann.name, ben.name),
        (first, second, ann.name, ben.name),
        (second, first, ann.name, ben.name),
    ]


def traced(operator: OperatorProcess) -> list[dict[str, Any]]:
    """What the record tells of the protected environment."""
    app = typer.Typer()
    app.command()(trace)
    ledger = f"sqlite:///{Path(operator.ledger)}"
    done = CliRunner().invoke(app, ["modelroute/chat", "--ledger", ledger, "--tenant", HOME, "-o", "json"])
    assert done.exit_code == 0, done.output
    return [each for each in json.loads(done.stdout) if each["environment"] == "prod"]


@pytest.mark.parametrize(
    ("command", "arguments", "expected"),
    [
        (promote, ("chat", "--to", "dev"), (2, "follows the spec")),
        (promote, ("chat", "--to", "moon"), (2, "none of the Tenant's environments")),
        (promote, ("none", "--to", "prod"), (1, "has no ModelRoute none")),
        (rollback, ("chat", "--environment", "dev"), (2, "follows the spec")),
        (approve, ("chat", "--environment", "prod", "--revision", "rev-0123456789abcdef"), (1, "is promoted to prod")),
        (approve, ("chat", "--environment", "moon"), (1, "nothing is promoted to moon")),
    ],
)
def test_what_makes_no_sense_is_said_and_changes_nothing(
    kubectl: Kubectl, ann: Person, command: Callable[..., None], arguments: tuple[str, ...], expected: tuple[int, str]
) -> None:
    """Before the API server is asked to write anything."""
    before = kubectl("get", "mr", "chat", "-n", HOME, "-o", "jsonpath={.metadata.generation}").stdout
    done = ann(command, *arguments)
    assert done.exit_code == expected[0]
    assert expected[1] in done.output
    assert kubectl("get", "mr", "chat", "-n", HOME, "-o", "jsonpath={.metadata.generation}").stdout == before


def test_a_protected_first_environment_takes_two_persons(kubectl: Kubectl, ann: Person, ben: Person) -> None:
    """It does not follow the spec: a tenant with one environment promotes to it what is written, and nobody warns."""
    solo = Ref(MODEL_ROUTE, "solo", "chat")
    spec = {"model": "chat", "backends": [{"provider": "openai", "model": "gpt-4o"}]}
    environments = [{"name": "prod", "protected": True, "approvers": [{"group": CISO}]}]
    tenant = {**SPEC, "environments": environments, "providers": [OPENAI], "gateway": {"dataPlane": "None"}}
    apply(kubectl, Ref(TENANT, "", "solo"), tenant)
    kubectl("wait", "--for=jsonpath={.status.counts.routes}=0", "--timeout=60s", "tenant/solo")
    apply(kubectl, solo, spec)
    eventually(lambda: reason(kubectl, "solo") == "AwaitingPromotion", LONG)
    assert status(kubectl, "solo").get("environments", []) == []
    written = status(kubectl, "solo")["revision"]
    for environment, warned in (("prod", False), ("moon", True)):
        asked = manifest(solo, {**spec, "promotions": {environment: written}})
        said = kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f-", stdin=asked).stderr
        assert ("reference-promotion" in said) is warned

    promoter, approver = replace(ann, tenant="solo"), replace(ben, tenant="solo")
    assert promoter(promote, "chat", "--to", "prod").exit_code == 0
    eventually(lambda: reason(kubectl, "solo") == "AwaitingApproval", LONG)
    assert promoter(approve, "chat", "--environment", "prod").exit_code == 1
    assert approver(approve, "chat", "--environment", "prod", "--revision", written).exit_code == 0
    eventually(lambda: reason(kubectl, "solo") == "NoGateway", LONG)
    (placed,) = status(kubectl, "solo")["environments"]
    assert (placed["name"], placed["revision"]) == ("prod", written)


def test_a_revision_is_the_operators_alone(ann: Person, kubectl: Kubectl) -> None:
    """Whoever could write one, or where it served, would need no second person."""
    (name, *_) = revisions(kubectl)
    path = CONTROLLER_REVISION.path(HOME, name)
    assert ann.client.get(path).ok
    forged = {"metadata": {"annotations": {names.SERVED_ANNOTATION: '{"prod":"2020-01-01T00:00:00Z"}'}}}
    assert ann.client.request("PATCH", path, forged, content_type=MERGE_PATCH).status == 403
    assert ann.client.request("DELETE", path).status == 403
    refused = ann.plane.admin.request("PATCH", path, forged, content_type=MERGE_PATCH)
    assert "belong to the operator" in refused.body["message"]


def revisions(kubectl: Kubectl) -> list[str]:
    found = kubectl("get", "controllerrevisions", "-n", HOME, "-l", f"{names.ROUTE_LABEL}=chat", "-o", "name").stdout
    return [line.partition("/")[2] for line in found.split()]


def test_the_revisions_of_a_route_go_with_it_and_are_no_other_routes(kubectl: Kubectl) -> None:
    """Nor those of another one with its name, even where that is there before they went."""
    other = Ref(MODEL_ROUTE, HOME, "other")
    spec = {"model": "other", "backends": [{"provider": "local", "model": "llama"}]}
    label = f"{names.ROUTE_LABEL}=other"

    def kept() -> list[str]:
        """Uids of the routes that the revisions are of."""
        found = json.loads(kubectl("get", "controllerrevisions", "-n", HOME, "-l", label, "-o", "json").stdout)
        return [each["metadata"]["labels"][names.ROUTE_UID_LABEL] for each in found["items"]]

    def made() -> str:
        """The route's uid."""
        apply(kubectl, other, spec)
        return kubectl("get", "mr", "other", "-n", HOME, "-o", "jsonpath={.metadata.uid}").stdout

    former = made()
    eventually(lambda: kept() == [former], LONG)
    kubectl("delete", "mr", "other", "-n", HOME)
    present = made()
    assert present != former
    eventually(lambda: kept() == [present], LONG)
    kubectl("delete", "mr", "other", "-n", HOME)
    eventually(lambda: not kept(), LONG)
    assert revisions(kubectl)
