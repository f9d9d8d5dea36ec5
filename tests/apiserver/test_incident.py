"""An incident on a real API server: contained at once, ended by two persons, told from the record alone."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from typer.testing import CliRunner, Result

from ringfence import names
from ringfence.cli.evidence.command import evidence
from ringfence.controlplane import MERGE_PATCH, Answer, Client, ControlPlane
from ringfence.model.kinds import MODEL_ROUTE, NAMESPACE, NETWORK_POLICY, ROLE_BINDING, TENANT
from tests.containment import INCIDENT, Tenantry
from tests.operating import OperatorProcess, operating
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

SECONDS: Final = 60.0
NAMESPACES: Final = ("web", "api", "data")
APPROVER: Final = "oidc:ciso"
ENVIRONMENTS: Final = [{"name": "dev"}, {"name": "prod", "protected": True, "approvers": [{"group": APPROVER}]}]
REVISION: Final = "rev-" + "0" * 16


@pytest.fixture(scope="module")
def operator(controlplane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    with operating(controlplane, tmp_path_factory.mktemp("operator"), "--identity", "contained") as process:
        yield process


@pytest.fixture(scope="module")
def acme(operator: OperatorProcess, controlplane: ControlPlane) -> Tenantry:
    """A tenant with three Namespaces, a route, and an approver who is nothing else in it."""
    assert operator.running
    found = Tenantry(controlplane, "acme", NAMESPACES)
    found.begin(environments=ENVIRONMENTS)
    eventually(found.is_open, SECONDS)
    spec = {"model": "chat", "backends": [{"provider": "none", "model": "none"}]}
    body = {"apiVersion": "ringfence.dev/v1alpha1", "kind": "ModelRoute", "metadata": {"name": "chat"}, "spec": spec}
    controlplane.admin.request("POST", MODEL_ROUTE.collection_path("acme"), body).must()
    return found


@pytest.fixture
def ann(acme: Tenantry) -> Client:
    """One of the platform team."""
    return acme.administrator("ann")


@pytest.fixture
def ben(acme: Tenantry) -> Client:
    """Another one."""
    return acme.administrator("ben")


def refusal(answer: Answer) -> str:
    """Why the API server refused; fails where it did not."""
    assert not answer.ok, "it was allowed"
    return str(answer.body["message"])


def told(operator: OperatorProcess, kind: str) -> list[dict[str, Any]]:
    """Every episode of a kind that is on record, as its facet; beginnings without an end."""
    facets = [event["run"]["facets"].get("ringfence_episode", {}) for event in operator.records()]
    return [facet for facet in facets if facet.get("kind") == kind]


def tell(operator: OperatorProcess, incident: str, *options: str) -> Result:
    """What `ringfence evidence` says."""
    import typer

    app = typer.Typer(add_completion=False)
    app.command()(evidence)
    return CliRunner().invoke(app, ["--ledger", f"sqlite:///{operator.ledger}", "--incident", incident, *options])


def lift(tenant: Tenantry, first: Client, second: Client, namespace: str = "") -> None:
    """End a quarantine as two persons."""
    tenant.confirm_release(first, namespace)
    tenant.lift(second, namespace).must()
    eventually(tenant.is_open, SECONDS)


def test_an_incident_from_its_declaration_to_its_end(
    acme: Tenantry, operator: OperatorProcess, ann: Client, ben: Client
) -> None:
    """All that opens something goes, everybody reads, nothing is deleted; and the record tells it with names."""
    assert acme.openings()
    assert acme.writers()
    acme.declare(ann)
    eventually(acme.is_contained, SECONDS)
    _nothing_is_deleted(acme, ann)
    lift(acme, ann, ben)
    eventually(lambda: len(told(operator, "Quarantine")) == 2, SECONDS)
    begun, over = told(operator, "Quarantine")
    assert (begun["incident"], begun["actor"]["requestedBy"]) == ("INC-7", "ann")
    assert (over["end"]["how"], over["end"]["actor"]["requestedBy"], over["end"]["confirmedBy"]) == (
        "Lifted",
        "ben",
        "ann",
    )
    _evidence_has_it_all(acme, operator)


def _nothing_is_deleted(tenant: Tenantry, by: Client) -> None:
    """Not by a cluster's administrator either, nor where two persons want it."""
    tenant.note(tenant.administrator("cleo"), {names.CONFIRM_DELETE_ANNOTATION: tenant.tenant}).must()
    for path in (
        TENANT.path(None, tenant.tenant),
        NAMESPACE.path(tenant.tenant, "web"),
        MODEL_ROUTE.path(tenant.tenant, "chat"),
    ):
        assert "nothing is deleted during an incident" in refusal(by.delete(f"{path}?dryRun=All"))
    tenant.note(by, {names.CONFIRM_DELETE_ANNOTATION: None}).must()


def _evidence_has_it_all(tenant: Tenantry, operator: OperatorProcess) -> None:
    result = tell(operator, "INC-7", "-o", "json")
    assert result.exit_code == 0, result.output
    (story,) = json.loads(result.stdout)["logs"]
    closed = {each["object"] for each in story["incident"] if each["step"] == "closed"}
    assert closed == {"Tenant/acme", *(f"Namespace/acme/{name}" for name in NAMESPACES)}
    withdrawn = {each["object"] for each in story["withdrawn"] if each["verb"] == "deleted"}
    for core in tenant.cores:
        assert {f"NetworkPolicy/{core}/{names.ALLOW_DNS}", f"RoleBinding/{core}/ringfence-developer"} <= withdrawn


def test_with_the_operator_stopped_what_was_closed_stays_closed(
    acme: Tenantry, operator: OperatorProcess, ann: Client, ben: Client
) -> None:
    """Nothing is deleted, one person ends nothing, and the confirmation of one incident is none of the next."""
    acme.declare(ann)
    eventually(acme.is_contained, SECONDS)
    operator.stop()
    try:
        assert acme.openings() == acme.writers() == []
        _nothing_is_deleted(acme, ann)
        acme.confirm_release(ann)
        assert "whoever confirmed" in refusal(acme.lift(ann))
        acme.lift(ben).must()
        acme.declare(ben)
        assert "changed since its release was confirmed" in refusal(acme.lift(ben))
    finally:
        operator.start()
        eventually(operator.leads, SECONDS)
    eventually(lambda: names.CONFIRM_RELEASE_ANNOTATION not in acme.annotations(), SECONDS)
    lift(acme, ann, ben)


def test_a_confirmation_counts_for_nothing_once_the_object_has_changed(
    acme: Tenantry, operator: OperatorProcess, ann: Client, ben: Client
) -> None:
    """Refused by the API server at once, and taken off by the operator."""
    acme.declare(ann)
    eventually(lambda: not acme.openings(), SECONDS)
    assert operator.stop() == 0
    try:
        acme.confirm_release(ann)
        acme.change(ben, {"spec": {"displayName": "changed since"}}).must()
        assert "changed since its release was confirmed" in refusal(acme.lift(ben))
    finally:
        operator.start()
        eventually(operator.leads, SECONDS)
    eventually(lambda: not [name for name in acme.annotations() if "confirm" in name], SECONDS)
    lift(acme, ann, ben)


@pytest.mark.parametrize(
    "forged",
    [
        {names.CONFIRM_RELEASE_BY_ANNOTATION: "somebody"},
        {names.CONFIRM_RELEASE_GENERATION_ANNOTATION: "99"},
        {names.PAUSED_BY_ANNOTATION: "somebody"},
    ],
    ids=["who", "of what", "who paused"],
)
def test_nobody_writes_a_stamp(acme: Tenantry, ann: Client, forged: dict[str, str]) -> None:
    """The API server writes them; the wish alone is taken."""
    wish = {names.CONFIRM_RELEASE_ANNOTATION: "acme"}
    assert "written by the API server" in refusal(acme.note(ann, wish | forged))


def test_one_namespace_is_contained_alone_and_released_by_two(
    acme: Tenantry, operator: OperatorProcess, ann: Client, ben: Client
) -> None:
    """The others work on; its incident goes by its own name where it names none."""
    acme.change(ann, {"spec": {"isolation": "Quarantined"}}, "web").must()
    eventually(lambda: not acme.openings(["acme-web"]) and not acme.writers(["acme-web"]), SECONDS)
    assert acme.openings(["acme-api"])
    assert acme.writers(["acme-api"])
    answer = ann.delete(f"{NAMESPACE.path('acme', 'web')}?dryRun=All")
    assert "nothing is deleted during an incident" in refusal(answer)
    acme.confirm_release(ann, "web")
    assert "whoever confirmed" in refusal(acme.lift(ann, "web"))
    acme.lift(ben, "web").must()
    eventually(acme.is_open, SECONDS)
    eventually(lambda: tell(operator, "acme/web").exit_code == 0, SECONDS)


def test_a_pause_and_the_glass_broken_for_it_are_on_record(
    acme: Tenantry, operator: OperatorProcess, ann: Client
) -> None:
    """Who, why, until when; and what went by force."""
    until = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    why = {names.BREAK_GLASS_ANNOTATION: "looking for the cause"}
    acme.note(ann, {names.PAUSED_UNTIL_ANNOTATION: until, **why}, "api").must()
    eventually(lambda: told(operator, "Pause"), SECONDS)
    policy = NETWORK_POLICY.path("acme-api", names.ALLOW_DNS)
    ann.request("PATCH", policy, {"metadata": {"annotations": why}}, content_type=MERGE_PATCH).must()
    ann.delete(policy).must()
    acme.note(ann, {names.PAUSED_UNTIL_ANNOTATION: None, names.BREAK_GLASS_ANNOTATION: None}, "api").must()
    eventually(lambda: len(told(operator, "Pause")) == 2, SECONDS)
    begun, over = told(operator, "Pause")
    assert (begun["until"], begun["reason"], begun["actor"]["requestedBy"]) == (until, "looking for the cause", "ann")
    assert over["end"]["how"] == "Lifted"
    eventually(lambda: len(told(operator, "BreakGlass")) == 4, SECONDS)
    ends = {(each["object"]["name"], each["end"]["how"]) for each in told(operator, "BreakGlass") if "end" in each}
    assert ends == {(names.ALLOW_DNS, "Vanished"), ("api", "Lifted")}
    eventually(acme.is_open, SECONDS)


def test_an_approver_who_is_no_member_approves_and_does_nothing_else(acme: Tenantry, ann: Client) -> None:
    """His role lets him write routes, the policy nothing of them but his approval."""
    ciso, path = acme.person("ciso", APPROVER), MODEL_ROUTE.path("acme", "chat")
    bound = f"{ROLE_BINDING.path('acme', names.role_binding(names.APPROVER))}"
    eventually(lambda: acme.plane.admin.get(bound).ok and ciso.get(path).ok, SECONDS)
    _patch(ann, path, {"spec": {"promotions": {"prod": REVISION}}}).must()
    change = {"spec": {"model": "other"}}
    assert _patch(ann, f"{path}?dryRun=All", change).ok
    assert "nothing of them but approvals" in refusal(_patch(ciso, path, change))
    approval = {"environment": "prod", "revision": REVISION}
    route = _patch(ciso, path, {"spec": {"approvals": [approval]}}).must()
    assert route["spec"]["approvals"] == [{**approval, "by": "ciso"}]
    assert refusal(ciso.get(NAMESPACE.collection_path("acme")))


def _patch(by: Client, path: str, patch: dict[str, Any]) -> Answer:
    return by.request("PATCH", path, patch, content_type=MERGE_PATCH)


def test_a_restart_tells_nothing_twice(acme: Tenantry, operator: OperatorProcess, ann: Client, ben: Client) -> None:
    """Killed while an incident lasts: the record has one beginning and one end of it."""
    before = len(told(operator, "Quarantine"))
    acme.declare(ann, {**INCIDENT, "incident": {"id": "INC-9", "reason": "drill"}})
    eventually(lambda: len(told(operator, "Quarantine")) == before + 1, SECONDS)
    operator.kill()
    operator.start()
    eventually(operator.leads, SECONDS)
    eventually(operator.settled, SECONDS)
    lift(acme, ann, ben)
    eventually(lambda: len(told(operator, "Quarantine")) == before + 2, SECONDS)
    assert tell(operator, "INC-9").exit_code == 0
