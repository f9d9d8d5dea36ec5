"""What a tenant's admin or whoever may label namespaces could turn against the operator, were there no admission."""

import json

import pytest

from ringfence import names
from tests.attack.conftest import Grounds, binding, group, namespace_object, tenant_object
from tests.operating import OperatorProcess
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed, pytest.mark.usefixtures("unguarded")]

HELD = ("acme.example/keep",)
ADMIN = names.tenant_role("admin")
NO_FINALIZERS = '{"metadata":{"finalizers":null}}'


def test_who_was_given_access_by_an_admin_loses_it_with_the_namespace(grounds: Grounds, victim: str) -> None:
    """Retain leaves no access behind: not what Ringfence gave, and not what an admin gave, held by a finalizer."""
    core, mallory = f"{victim}-dev", grounds.stranger("mallory")
    admin = grounds.member(victim, "admin")
    grounds.know(victim, mallory)
    for name, finalizers in (("plain", ()), ("held", HELD)):
        assert admin.call("create", "-f-", stdin=binding(name, core, ADMIN, mallory.user, finalizers))
    assert mallory.can("delete", "networkpolicies", core)
    assert admin.call("delete", "tns", "dev", "-n", victim, "--timeout=30s")
    eventually(lambda: grounds.is_orphan(core))
    assert grounds.bindings(core) == set()
    assert not mallory.can("delete", "networkpolicies", core)


def test_a_removed_admin_is_out_although_he_held_his_binding(grounds: Grounds, victim: str) -> None:
    """A binding that is marked for deletion goes on working until its last finalizer is gone."""
    core, admin = f"{victim}-dev", grounds.member(victim, "admin")
    hold = json.dumps({"metadata": {"finalizers": list(HELD)}})
    assert admin.call("patch", "rolebinding", names.role_binding("admin"), "-n", core, "--type=merge", "-p", hold)
    assert admin.can("create", "pods", core)
    grounds.put(tenant_object(victim, access={"owners": [{"group": group(victim, "owner")}]}))
    eventually(lambda: not admin.can("create", "pods", core))
    assert grounds.member(victim, "owner").can("create", "pods", core)


@pytest.mark.parametrize(
    ("resource", "name"), [("networkpolicy", names.DENY_ALL), ("rolebinding", names.role_binding("developer"))]
)
def test_what_is_held_while_it_is_deleted_is_made_anew(grounds: Grounds, victim: str, resource: str, name: str) -> None:
    """Deleted, held and then changed at will, it would be beyond repair."""
    core, admin = f"{victim}-dev", grounds.member(victim, "admin")
    where = (resource, name, "-n", core)
    before = grounds.get(*where)
    hold = json.dumps({"metadata": {"finalizers": list(HELD)}})
    assert before is not None
    assert admin.call("patch", *where, "--type=merge", "-p", hold)
    assert admin.call("delete", *where, "--wait=false")

    def is_another() -> bool:
        found = grounds.get(*where)
        return found is not None and found["metadata"]["uid"] != before["metadata"]["uid"]

    eventually(is_another)


def test_a_namespace_object_that_goes_without_its_finalizer_takes_the_access_along(
    grounds: Grounds, victim: str, operator: OperatorProcess
) -> None:
    """While the operator is dead an admin takes its finalizer off and deletes the object; then it starts again."""
    core, admin = f"{victim}-dev", grounds.member(victim, "admin")
    operator.kill()
    try:
        assert admin.call("patch", "tns", "dev", "-n", victim, "--type=merge", "-p", NO_FINALIZERS)
        assert admin.call("delete", "tns", "dev", "-n", victim, "--timeout=30s")
        assert admin.can("create", "pods", core)
        assert admin.call("delete", "networkpolicy", names.DENY_ALL, "-n", core)
    finally:
        operator.start()
    eventually(lambda: grounds.is_orphan(core), 60)
    assert grounds.bindings(core) == set()
    assert not admin.can("create", "pods", core)


def test_an_incident_closes_what_an_admin_opened_and_held(grounds: Grounds, victim: str) -> None:
    """In quarantine no policy and no binding of a tenant's making stays, whatever holds it."""
    core, mallory = f"{victim}-dev", grounds.stranger("mallory")
    admin = grounds.member(victim, "admin")
    grounds.know(victim, mallory)
    assert admin.call("create", "-f-", stdin=binding("held", core, ADMIN, mallory.user, HELD))
    assert mallory.can("create", "pods", core)
    grounds.put(tenant_object(victim, isolation="Quarantined", incident={"id": "INC-1", "reason": "drill"}))
    eventually(lambda: not mallory.can("create", "pods", core) and not admin.can("create", "pods", core))
    assert admin.can("get", "pods", core)


def test_labels_alone_never_put_a_namespace_at_a_tenants_mercy(grounds: Grounds, victim: str) -> None:
    """Somebody who may label namespaces gives a foreign one a tenant's name and uid; then the tenant is deleted."""
    tenant, foreign = grounds.get("tenant", victim), f"foreign-{victim}"
    assert tenant is not None
    uid = tenant["metadata"]["uid"]
    grounds.kubectl("create", "namespace", foreign)
    grounds.kubectl("create", "rolebinding", "team", "-n", foreign, "--clusterrole=view", "--user=anna")
    marks = (f"{names.TENANT_LABEL}={victim}", f"{names.OWNER_UID_LABEL}={uid}")
    grounds.kubectl("label", "namespace", foreign, *marks)
    grounds.kubectl("annotate", "namespace", foreign, f"{names.ADOPT_ANNOTATION}={victim}")
    grounds.put(tenant_object(victim, deletionPolicy="Delete"))
    grounds.kubectl("delete", "tenant", victim, "--wait=false")
    eventually(lambda: grounds.is_going(f"{victim}-dev"))
    found = grounds.get("namespace", foreign)
    assert found is not None
    assert found["status"]["phase"] == "Active"
    assert found["metadata"]["labels"][names.OWNER_UID_LABEL] == uid
    assert grounds.bindings(foreign) == {"team"}


def test_a_foreign_namespace_is_refused_and_a_free_name_is_not(grounds: Grounds, victim: str) -> None:
    """A Namespace object whose core name somebody has already gets a reason, and nothing is written there."""
    core = f"{victim}-taken"
    grounds.kubectl("create", "namespace", core)
    before = grounds.get("namespace", core)
    admin = grounds.member(victim, "admin")
    for name in ("taken", "free"):
        assert admin.call("create", "-f-", stdin=namespace_object(name, victim))
    grounds.kubectl("wait", "--for=condition=Ready", "--timeout=30s", "-n", victim, "tns/free")
    grounds.kubectl(
        "wait", "--for=jsonpath={.status.conditions[?(@.type=='Ready')].reason}=NameTaken", "--timeout=30s",
        "-n", victim, "tns/taken",
    )  # fmt: skip
    assert grounds.get("namespace", core) == before
    assert not admin.can("get", "pods", core)
