"""What is left behind, and how: without access, whoever gave it, and however somebody tries to keep it."""

import copy
from typing import Any

import pytest

from ringfence import names
from ringfence.model.kinds import CORE_NAMESPACE, NETWORK_POLICY, ROLE_BINDING, TENANT, Ref
from tests.sample_world import ACME, WEB, delete, edit
from tests.simulation import Simulation
from tests.told import core, inside, told

HELD = ["acme.example/keep"]


def give(world: Simulation, name: str, finalizers: list[str] | None = None) -> Ref:
    """A tenant's admin gives somebody rights, as Kubernetes lets him: those that he has himself."""
    metadata: dict[str, Any] = {"name": name, "namespace": "acme-web", "finalizers": finalizers or []}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": names.tenant_role("admin")}
    return world.put(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": role,
            "subjects": [{"kind": "Group", "apiGroup": role["apiGroup"], "name": "oidc:acme-devs"}],
        }
    )


def hold(world: Simulation, ref: Ref) -> None:
    """Set a finalizer on an object that Ringfence made."""
    held = copy.deepcopy(world.objects[ref])
    held["metadata"]["finalizers"] = HELD
    world.put(held)


@pytest.mark.parametrize("leaving", [WEB, ACME], ids=["the Namespace", "the Tenant"])
@pytest.mark.parametrize("finalizers", [[], HELD], ids=["a plain binding", "a binding with a finalizer"])
def test_retain_leaves_no_access_whoever_gave_it(world: Simulation, leaving: Ref, finalizers: list[str]) -> None:
    """What a tenant's admin gave goes with what Ringfence gave; before, it was there and stayed."""
    ref = give(world, "mine", finalizers)
    world.settle()
    assert ref in world.objects
    delete(leaving)(world)
    world.settle()
    orphan = core(world, "acme-web")
    assert orphan is not None
    assert orphan["metadata"]["labels"][names.ORPHANED_LABEL] == "true"
    assert inside(world, "acme-web", ROLE_BINDING) == {}


def test_access_that_is_given_during_the_withdrawal_is_found_before_the_namespace_is_disowned(
    world: Simulation,
) -> None:
    """Between the look and the last withdrawal an admin still has rights, and gives some."""
    delete(WEB)(world)
    world.reconcile(WEB)
    late = give(world, "late")
    world.settle()
    assert late not in world.objects
    assert WEB not in world.objects


def test_a_namespace_whose_object_lost_its_finalizer_is_left_without_access(world: Simulation) -> None:
    """A tenant's admin may patch finalizers away; what stands then is nobody's, and says so."""
    stripped = copy.deepcopy(world.objects[WEB])
    stripped["metadata"]["finalizers"] = []
    world.objects[WEB] = stripped
    world.delete(WEB)
    assert inside(world, "acme-web", ROLE_BINDING)
    world.settle()
    orphan = core(world, "acme-web")
    assert orphan is not None
    assert names.OWNER_UID_LABEL not in orphan["metadata"]["labels"]
    assert inside(world, "acme-web", ROLE_BINDING) == {}
    assert names.DENY_ALL in inside(world, "acme-web", NETWORK_POLICY)
    assert told(world, ACME) == ("True", "Reconciled")


def test_a_removed_member_is_out_although_his_binding_is_held(world: Simulation) -> None:
    """A binding that is marked for deletion goes on working until its last finalizer is gone."""
    ref = Ref(ROLE_BINDING, "acme-web", names.role_binding("admin"))
    hold(world, ref)
    edit(ACME, {"access": {"owners": [{"group": "oidc:acme-owners"}]}})(world)
    world.settle()
    assert ref not in world.objects


@pytest.mark.parametrize("kind", [NETWORK_POLICY, ROLE_BINDING], ids=str)
def test_what_is_held_while_it_goes_is_made_anew(world: Simulation, kind: Any) -> None:
    """Deleted, held and changed, a policy would be open for ever: what goes can't be repaired."""
    name = names.DENY_ALL if kind == NETWORK_POLICY else names.role_binding("admin")
    ref = Ref(kind, "acme-web", name)
    hold(world, ref)
    world.delete(ref)
    assert "deletionTimestamp" in world.objects[ref]["metadata"]
    world.settle()
    assert "deletionTimestamp" not in world.objects[ref]["metadata"]
    assert "finalizers" not in world.objects[ref]["metadata"]


def test_a_namespace_that_only_carries_our_labels_survives_the_tenant(world: Simulation) -> None:
    """Whoever may label namespaces does not thereby point a deletion at any of them."""
    uid = world.objects[ACME]["metadata"]["uid"]
    labels = {names.TENANT_LABEL: "acme", names.OWNER_UID_LABEL: uid}
    victim = world.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "victim", "labels": labels}})
    edit(ACME, {"deletionPolicy": "Delete"})(world)
    delete(ACME)(world)
    world.settle()
    assert Ref(TENANT, "", "acme") not in world.objects
    assert Ref(CORE_NAMESPACE, "", "acme-web") not in world.objects
    assert world.objects[victim]["metadata"]["labels"] == labels


def test_what_is_left_behind_still_counts(world: Simulation) -> None:
    """What runs there still runs: else a tenant had its whole budget again with every Namespace that it deletes."""
    edit(ACME, {"budget": {"namespaces": 4, "hard": {"pods": "54"}}})(world)
    again = copy.deepcopy(world.objects[WEB])
    again["metadata"] = {"name": "again", "namespace": "acme"}
    again["spec"]["network"] = {}
    world.settle()
    delete(WEB)(world)
    world.settle()
    assert world.objects[ACME]["status"]["budget"]["allocated"] == {"pods": "54"}
    ref = world.put(again)
    world.settle()
    assert told(world, ref) == ("False", "BudgetExceeded")
    world.delete(Ref(CORE_NAMESPACE, "", "acme-web"))
    world.settle()
    assert told(world, ref) == ("True", "Reconciled")
