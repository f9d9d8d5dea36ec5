"""What becomes of a Tenant."""

import copy
from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence import names
from ringfence.model.kinds import (
    CORE_NAMESPACE,
    GUARDRAIL,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
    TENANT,
    Ref,
)
from tests.sample_world import ACME, GLOBEX, WEB, annotate, delete, edit, settled
from tests.simulation import START, Object, Simulation
from tests.told import core, inside, message, people, told


def tenant(name: str, **spec: object) -> Object:
    metadata = {"name": name}
    environments = {"environments": [{"name": "dev"}]}
    return {"apiVersion": "ringfence.dev/v1alpha1", "kind": "Tenant", "metadata": metadata, "spec": environments | spec}


def test_a_home_has_its_fence_and_nothing_runs_in_it() -> None:
    """Closed both ways, restricted, without volumes; only the gateway's pods are let in."""
    world = Simulation()
    world.put(tenant("initech", access={"owners": [{"group": "oidc:owners"}]}))
    world.settle()
    home = core(world, "initech")
    assert home is not None
    labels = home["metadata"]["labels"]
    assert labels[names.HOME_LABEL] == "true"
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"restricted"}
    policies = inside(world, "initech", NETWORK_POLICY)
    assert set(policies) == {names.DENY_ALL, names.ALLOW_DNS, names.ALLOW_GATEWAY}
    assert policies[names.ALLOW_GATEWAY]["spec"]["podSelector"]["matchLabels"] == {names.GATEWAY_LABEL: "true"}
    assert inside(world, "initech", RESOURCE_QUOTA)[names.QUOTA]["spec"]["hard"]["persistentvolumeclaims"] == "0"
    assert inside(world, "initech", SERVICE_ACCOUNT)["default"]["automountServiceAccountToken"] is False
    assert set(people(world, "initech")) == {"ringfence-owner"}


def test_a_namespace_of_that_name_is_not_taken() -> None:
    """The Tenant waits; when the rival is gone it gets its home."""
    world = Simulation()
    world.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "initech"}})
    ref = world.put(tenant("initech"))
    assert world.settle() == []
    assert told(world, ref) == ("False", "NameTaken")
    assert names.FINALIZER not in world.objects[ref]["metadata"].get("finalizers", [])
    world.delete(Ref(CORE_NAMESPACE, "", "initech"))
    world.settle()
    assert told(world, ref) == ("True", "Reconciled")


def test_a_tenant_of_the_same_name_inherits_nothing(world: Simulation) -> None:
    """What a former tenant left behind is not the next one's, though name and label are the same."""
    delete(GLOBEX)(world)
    world.settle()
    assert GLOBEX not in world.objects
    ref = world.put(tenant("globex"))
    assert world.settle() == []
    assert told(world, ref) == ("False", "NameTaken")
    world.annotate(Ref(CORE_NAMESPACE, "", "globex"), {names.ADOPT_ANNOTATION: "globex"})
    world.settle()
    assert told(world, ref) == ("True", "Reconciled")
    left = core(world, "globex-dev")
    assert left is not None
    assert left["metadata"]["labels"].get(names.ORPHANED_LABEL) == "true"


# --- what is told


def test_no_workload_of_another_tenant_gets_rights(world: Simulation) -> None:
    """Whoever runs a pod there would have them; a platform's own automation has its rights all the same."""
    robots = [{"serviceAccount": {"namespace": place, "name": "robot"}} for place in ("globex-shop", "cicd")]
    edit(ACME, {"access": {"owners": robots}})(world)
    world.settle()
    assert people(world, "acme") == {"ringfence-owner": ["robot"]}
    (subject,) = inside(world, "acme-web", ROLE_BINDING)["ringfence-owner"]["subjects"]
    assert subject["namespace"] == "cicd"
    assert told(world, ACME) == ("False", "WorkloadRefused")
    assert "spec.access.owners[0]" in message(world, ACME)


def test_rights_end_when_their_holder_becomes_a_tenants_workload() -> None:
    """The other Tenant may come later than the rights; when it goes, they are back."""
    world = Simulation()
    world.put(tenant("initech", access={"owners": [{"serviceAccount": {"namespace": "hooli-ci", "name": "robot"}}]}))
    world.settle()
    assert people(world, "initech") == {"ringfence-owner": ["robot"]}
    hooli = world.put(tenant("hooli"))
    world.settle()
    assert people(world, "initech") == {}
    delete(hooli)(world)
    world.settle()
    assert people(world, "initech") == {"ringfence-owner": ["robot"]}


def test_status_counts_what_belongs_to_the_tenant(world: Simulation) -> None:
    """Namespaces with their core names, routes, and the budget's division."""
    status = world.objects[ACME]["status"]
    assert status["counts"] == {"namespaces": 3, "routes": 1}
    assert status["namespaces"][0] == {
        "name": "data",
        "coreNamespace": "acme-data",
        "environment": "dev",
        "ready": True,
    }
    assert status["budget"]["hard"]["pods"] == "100"
    assert status["budget"]["allocated"]["pods"] == "54"


def test_a_gateway_that_nobody_saw_serve_is_not_claimed(world: Simulation) -> None:
    """Unless the tenant wants none."""
    assert told(world, ACME, "GatewayReady") == ("Unknown", "GatewayUnseen")
    edit(ACME, {"gateway": {"dataPlane": "None"}})(world)
    world.settle()
    assert told(world, ACME, "GatewayReady") is None


def test_a_refused_opening_is_said_and_the_others_are_open(world: Simulation) -> None:
    """The Tenant is not ready, its Namespaces are: it is not their doing."""
    ports = [443]
    edit(
        ACME,
        {
            "network": {
                "egress": [{"cidr": "10.100.0.0/16", "ports": ports}, {"cidr": "203.0.113.0/24", "ports": ports}]
            }
        },
    )(world)
    world.settle()
    assert told(world, ACME) == ("False", "ProtectedRange")
    assert told(world, WEB) == ("True", "Reconciled")
    (rule,) = inside(world, "acme-web", NETWORK_POLICY)[names.ALLOW_EGRESS]["spec"]["egress"]
    assert rule["to"] == [{"ipBlock": {"cidr": "203.0.113.0/24"}}]


# --- dates


def test_what_falls_due_is_said_when_it_does(world: Simulation) -> None:
    """Before: not due, and the plan knows when to look again. After: due. Without a date: unknown."""
    endpoint = {"host": "api.example.com"}
    credential = {
        "secretRef": {"name": "model-key", "key": "api-key"},
        "rotateEvery": "1d",
        "rotatedAt": "2026-11-22T00:00:00Z",
    }
    provider: Object = {
        "name": "out",
        "schema": "OpenAI",
        "endpoint": endpoint,
        "region": "eu-central-1",
        "models": ["m"],
        "credential": credential,
    }
    until = {"control": "DAT-2", "reason": "legacy", "owner": "ml@acme.example", "until": "2026-11-25T00:00:00Z"}
    edit(
        ACME,
        {
            "providers": [*world.objects[ACME]["spec"]["providers"], provider],
            "exceptions": [until],
            "access": {"reviewEvery": "90d"},
        },
    )(world)
    world.settle()
    kinds = ("AccessReviewDue", "RotationDue", "ExceptionExpired")
    assert [told(world, ACME, kind) for kind in kinds] == [("False", "NotDue")] * 3
    planned = world.plan(ACME)
    assert planned is not None
    assert planned[1].look_again_at is not None
    assert planned[1].look_again_at.isoformat() == "2026-11-23T00:00:00+00:00"
    world.now = START + timedelta(days=100)
    world.settle()
    assert [told(world, ACME, kind) for kind in kinds] == [("True", "Due")] * 3
    assert told(world, ACME) == ("True", "Reconciled")
    unknown = copy.deepcopy(provider)
    del unknown["credential"]["rotatedAt"]
    edit(ACME, {"providers": [unknown]})(world)
    world.settle()
    assert told(world, ACME, "RotationDue") == ("Unknown", "AgeUnknown")


# --- the Guardrail


def test_the_guardrail_compiles_what_policies_need(world: Simulation) -> None:
    """Of the tenant everywhere, of the Namespace where it applies."""
    home = inside(world, "acme", GUARDRAIL)[names.GUARDRAIL]["spec"]
    web = inside(world, "acme-web", GUARDRAIL)[names.GUARDRAIL]["spec"]
    assert [each["name"] for each in home["environments"]] == ["dev", "prod"]
    assert "environment" not in home
    assert (web["environment"], web["protected"], web["execAllowed"]) == ("dev", False, True)
    assert web["regions"] == ["eu-central-1"]
    assert web["tokens"]["audiences"] == [names.GATEWAY_AUDIENCE]
    assert "Group:oidc:acme-devs" in web["subjects"]


@pytest.mark.parametrize(("default", "expected"), [("standard", ["standard"]), (None, [])])
def test_without_allowed_classes_the_clusters_default_goes_by_its_name(
    world: Simulation, default: str | None, expected: list[str]
) -> None:
    """The API server has filled it in before policies look."""
    world.facts = replace(world.facts, default_storage_class=default)
    world.settle()
    assert inside(world, "acme-web", GUARDRAIL)[names.GUARDRAIL]["spec"]["storageClasses"] == expected


def test_nobody_opens_a_shell_next_to_a_model_or_in_a_protected_environment(world: Simulation) -> None:
    """Nor in quarantine."""
    allowed = {
        namespace: inside(world, namespace, GUARDRAIL)[names.GUARDRAIL]["spec"]["execAllowed"]
        for namespace in ("acme-web", "acme-models", "globex-prod", "acme")
    }
    assert allowed == {"acme-web": True, "acme-models": False, "globex-prod": False, "acme": False}
    edit(WEB, {"isolation": "Quarantined"})(world)
    world.settle()
    assert inside(world, "acme-web", GUARDRAIL)[names.GUARDRAIL]["spec"]["execAllowed"] is False


# --- incident and pause


def test_an_incident_closes_every_namespace_of_the_tenant_and_of_no_other(world: Simulation) -> None:
    """And when it is over, everything is as before."""
    before = world.snapshot()
    spec = copy.deepcopy(world.objects[ACME]["spec"])
    edit(ACME, {"isolation": "Quarantined", "incident": {"id": "INC-7", "reason": "key leak"}})(world)
    world.settle()
    for namespace in ("acme", "acme-web", "acme-data", "acme-models"):
        assert set(inside(world, namespace, NETWORK_POLICY)) == {names.DENY_ALL}
        assert set(people(world, namespace)) == {"ringfence-viewer"}
    assert names.ALLOW_DNS in inside(world, "globex-dev", NETWORK_POLICY)
    assert told(world, ACME) == ("False", "Quarantined")
    assert "INC-7" in message(world, ACME)
    calm = copy.deepcopy(world.objects[ACME])
    calm["spec"] = spec
    world.put(calm)
    world.settle()
    after = world.snapshot()
    assert {name: thing for name, thing in after.items() if "Tenant/" not in name and "status" not in thing} == {
        name: thing for name, thing in before.items() if "Tenant/" not in name and "status" not in thing
    }


def test_a_pause_of_the_tenant_pauses_its_namespaces(world: Simulation) -> None:
    """Of this tenant only."""
    annotate(ACME, paused_until="2026-11-22T09:00:00Z")(world)
    delete(Ref(NETWORK_POLICY, "acme-web", names.ALLOW_DNS))(world)
    delete(Ref(NETWORK_POLICY, "globex-dev", names.ALLOW_DNS))(world)
    assert {write.ref.namespace for write in world.settle()} == {"globex-dev"}
    assert told(world, WEB, "Paused") == ("True", "Paused")
    assert told(world, ACME, "Isolated") == ("Unknown", "Paused")


# --- departure


def test_retain_keeps_the_fence_and_takes_the_access(world: Simulation) -> None:
    """Every namespace stays closed, labelled an orphan, without anybody's rights, and free to be deleted."""
    policies = set(inside(world, "acme-web", NETWORK_POLICY))
    delete(ACME)(world)
    world.settle()
    assert ACME not in world.objects
    for namespace in ("acme", "acme-web", "acme-data", "acme-models"):
        left = core(world, namespace)
        assert left is not None
        assert left["metadata"]["labels"][names.ORPHANED_LABEL] == "true"
        assert names.OWNER_UID_LABEL not in left["metadata"]["labels"]
        assert left["metadata"]["annotations"][names.ADOPT_ANNOTATION] == ""
        assert people(world, namespace) == {}
        assert inside(world, namespace, GUARDRAIL)[names.GUARDRAIL]["metadata"]["finalizers"] == []
    assert set(inside(world, "acme-web", NETWORK_POLICY)) == policies


def test_delete_removes_the_core_namespaces_then_the_home(world: Simulation) -> None:
    """And the other tenant does not notice."""
    untouched = {name: thing for name, thing in world.snapshot().items() if "acme" in name}
    edit(GLOBEX, {"deletionPolicy": "Delete"})(world)
    delete(GLOBEX)(world)
    removed = [
        write.ref.name for write in world.settle() if write.verb == "delete" and write.ref.type == CORE_NAMESPACE
    ]
    assert removed == ["globex-dev", "globex-prod", "globex"]
    left = world.snapshot()
    assert not [name for name in left if "globex" in name]
    assert left == untouched


def test_volumes_are_not_destroyed_without_a_word(world: Simulation) -> None:
    """Blocked, with what to do; nothing is touched; confirmed, it goes."""
    edit(GLOBEX, {"deletionPolicy": "Delete"})(world)
    world.settle()
    world.claims["globex-dev"] = 2
    delete(GLOBEX)(world)
    assert world.settle() == []
    assert told(world, GLOBEX) == ("False", "DeletionBlocked")
    assert names.CONFIRM_DELETE_ANNOTATION in message(world, GLOBEX)
    assert set(people(world, "globex-dev")) == {"ringfence-owner", "ringfence-developer"}
    annotate(GLOBEX, confirm_delete="globex")(world)
    world.settle()
    assert GLOBEX not in world.objects


def test_a_blocked_deletion_keeps_the_fence_and_grants_nothing(world: Simulation) -> None:
    """Drift is still repaired; a binding that somebody deletes meanwhile stays deleted."""
    edit(GLOBEX, {"deletionPolicy": "Delete"})(world)
    world.settle()
    world.claims["globex-dev"] = 1
    delete(GLOBEX)(world)
    delete(Ref(NETWORK_POLICY, "globex-dev", names.DENY_ALL))(world)
    for binding in list(world.live("globex-dev")):
        if binding.name == "ringfence-developer":
            world.delete(binding)
    assert [write.ref.name for write in world.settle()] == [names.DENY_ALL]


def test_a_confirmation_does_not_end_a_legal_hold(world: Simulation) -> None:
    """A hold is ended by its release; once it is gone, the deletion goes on."""
    policy = Ref(next(ref.type for ref in world.primaries() if ref.name == "default"), "globex", "default")
    hold = {"name": "case-1", "reason": "litigation", "scope": {"namespaces": ["dev"]}}
    edit(policy, {"legalHolds": [hold]})(world)
    edit(GLOBEX, {"deletionPolicy": "Delete"})(world)
    annotate(GLOBEX, confirm_delete="globex")(world)
    world.settle()
    delete(GLOBEX)(world)
    assert world.settle() == []
    assert told(world, GLOBEX) == ("False", "DeletionBlocked")
    assert "default/case-1" in message(world, GLOBEX)
    edit(policy, {"legalHolds": []})(world)
    world.settle()
    assert GLOBEX not in world.objects


INCIDENT = {"isolation": "Quarantined", "incident": {"id": "INC-1", "reason": "drill"}}


def test_an_incident_stops_a_deletion_that_was_asked_for_before(world: Simulation) -> None:
    """Nothing is destroyed, nobody keeps his access, nothing stays open; when it is over, the deletion goes on."""
    edit(ACME, {"deletionPolicy": "Delete"})(world)
    world.settle()
    delete(WEB)(world)
    edit(ACME, INCIDENT)(world)
    world.settle()
    assert core(world, "acme-web") is not None
    assert told(world, WEB) == ("False", "DeletionBlocked")
    assert inside(world, "acme-web", ROLE_BINDING) == {}
    assert set(inside(world, "acme-web", NETWORK_POLICY)) == {names.DENY_ALL}
    edit(ACME, {"isolation": "Enforced"})(world)
    world.settle()
    assert core(world, "acme-web") is None


def test_a_tenant_is_not_destroyed_while_one_of_its_namespaces_is_an_incident(world: Simulation) -> None:
    """Whoever confirmed the deletion may not have known of it."""
    edit(ACME, {"deletionPolicy": "Delete"})(world)
    annotate(ACME, confirm_delete="acme")(world)
    edit(WEB, INCIDENT)(world)
    world.settle()
    delete(ACME)(world)
    world.settle()
    assert told(world, ACME) == ("False", "DeletionBlocked")
    assert "Namespace web" in message(world, ACME)
    assert core(world, "acme-web") is not None
    assert inside(world, "acme-web", ROLE_BINDING) == {}
    assert set(inside(world, "acme-web", NETWORK_POLICY)) == {names.DENY_ALL}


def test_a_policy_that_cannot_be_read_counts_as_a_hold(world: Simulation) -> None:
    """What can't be judged destroys nothing."""
    policy = next(ref for ref in world.primaries() if (ref.namespace, ref.name) == ("globex", "default"))
    edit(policy, {"surprise": True})(world)
    edit(GLOBEX, {"deletionPolicy": "Delete"})(world)
    annotate(GLOBEX, confirm_delete="globex")(world)
    world.settle()
    delete(GLOBEX)(world)
    assert world.settle() == []
    assert told(world, GLOBEX) == ("False", "DeletionBlocked")


def test_a_guardrail_that_was_let_go_is_not_held_again(world: Simulation) -> None:
    """The Tenant lets it go just before it disowns the namespace; the Namespace's own plan must not undo that."""
    delete(ACME)(world)
    for write in world.writes(ACME):
        if write.ref == Ref(GUARDRAIL, "acme-web", names.GUARDRAIL):
            break
    assert world.reconcile(WEB) == []


def test_a_tenant_that_cannot_be_read_is_retained(world: Simulation) -> None:
    """What can't be judged destroys nothing."""
    broken = copy.deepcopy(world.objects[GLOBEX])
    broken["spec"] |= {"deletionPolicy": "Delete", "surprise": True}
    world.put(broken)
    delete(GLOBEX)(world)
    world.settle()
    assert GLOBEX not in world.objects
    assert core(world, "globex-dev") is not None


def test_a_removed_home_is_made_anew(world: Simulation) -> None:
    """Whoever deleted it around the operator; the tenant's Namespaces come back with their objects only."""
    world.delete(Ref(CORE_NAMESPACE, "", "globex"))
    world.settle()
    assert told(world, GLOBEX) == ("True", "Reconciled")
    assert [ref for ref in world.primaries() if ref.namespace == "globex"] == []
    orphan = core(world, "globex-dev")
    assert orphan is not None
    assert orphan["metadata"]["labels"][names.ORPHANED_LABEL] == "true"


def test_a_namespace_without_an_object_still_goes(world: Simulation) -> None:
    """If a finalizer was taken off by force, the Tenant lets the last Guardrail go."""
    stripped = copy.deepcopy(world.objects[WEB])
    stripped["metadata"]["finalizers"] = []
    world.objects[WEB] = stripped
    world.delete(WEB)
    world.delete(Ref(CORE_NAMESPACE, "", "acme-web"))
    world.settle()
    assert core(world, "acme-web") is None
    assert Ref(TENANT, "", "acme") in world.objects


def test_approvers_may_approve_though_they_are_no_members() -> None:
    """Bound in the home to a role of their own, and to nothing else; a ServiceAccount approves nothing."""
    world = Simulation()
    robot = {"serviceAccount": {"namespace": "platform", "name": "robot"}}
    prod = {"name": "prod", "protected": True, "approvers": [{"group": "oidc:ciso"}, robot]}
    world.put(tenant("initech", access={"owners": [{"group": "oidc:owners"}]}, environments=[{"name": "dev"}, prod]))
    world.settle()
    assert people(world, "initech") == {"ringfence-owner": ["oidc:owners"], "ringfence-approver": ["oidc:ciso"]}


def test_in_an_incident_nobody_approves() -> None:
    world = Simulation()
    prod = {"name": "prod", "protected": True, "approvers": [{"group": "oidc:ciso"}]}
    spec = {"access": {"owners": [{"group": "oidc:owners"}]}, "environments": [{"name": "dev"}, prod]}
    incident = {"id": "INC-1", "reason": "drill"}
    world.put(tenant("initech", **spec))
    world.settle()
    world.put(tenant("initech", **spec, isolation="Quarantined", incident=incident))
    world.settle()
    assert people(world, "initech") == {"ringfence-viewer": ["oidc:owners"]}


CONFIRMED = {"confirm_release": "acme", "confirm_release_by": "ann"}


@pytest.mark.parametrize(
    ("isolation", "generation", "kept"),
    [("Quarantined", "same", True), ("Quarantined", "earlier", False), ("Enforced", "same", False)],
)
def test_a_confirmation_stands_while_it_counts(isolation: str, generation: str, kept: bool) -> None:
    """It is of the object as it was, and of a quarantine that lasts; else it is taken off, stamps and all."""
    world = settled()
    edit(ACME, {"isolation": isolation, "incident": {"id": "INC-1", "reason": "drill"}})(world)
    now = world.objects[ACME]["metadata"]["generation"]
    confirmed = str(now) if generation == "same" else str(now - 1)
    annotate(ACME, **CONFIRMED, confirm_release_generation=confirmed)(world)
    world.settle()
    left = [name for name in world.objects[ACME]["metadata"].get("annotations", {}) if "confirm-release" in name]
    assert len(left) == (3 if kept else 0)


def test_a_confirmation_of_a_deletion_outlives_the_deletion() -> None:
    """Which counts the generation up, and is what was confirmed."""
    world = settled()
    now = world.objects[GLOBEX]["metadata"]["generation"]
    annotate(GLOBEX, confirm_delete="globex", confirm_delete_generation=str(now - 1))(world)
    delete(GLOBEX)(world)
    world.settle()
    assert (
        GLOBEX not in world.objects
        or "ringfence.dev/confirm-delete" in world.objects[GLOBEX]["metadata"]["annotations"]
    )
