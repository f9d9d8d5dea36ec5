"""What becomes of a Namespace object."""

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ringfence import names
from ringfence.model.kinds import (
    CONFIG_MAP,
    CORE_NAMESPACE,
    EXTERNAL_SECRET,
    GUARDRAIL,
    NAMESPACE,
    NETWORK_POLICY,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SERVICE,
    SERVICE_ACCOUNT,
    TENANT,
    Ref,
)
from ringfence.plan.seen import Existence, SecretExists
from tests.objects import service
from tests.sample_world import ACME, DATA, WEB, annotate, delete, edit
from tests.simulation import START, Object, Simulation
from tests.told import core, inside, message, people, told

QUOTA = {"quota": {"hard": {"pods": "1"}}}


def namespace(home: str, name: str, **spec: Any) -> Object:
    metadata = {"name": name, "namespace": home}
    return {"apiVersion": "ringfence.dev/v1alpha1", "kind": "Namespace", "metadata": metadata, "spec": spec}


def policy(where: str) -> Object:
    metadata = {"name": "mine", "namespace": where}
    spec = {"podSelector": {}, "ingress": [{}], "policyTypes": ["Ingress"]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def given(name: str, group: str, role: str = "viewer", reason: str = "") -> Object:
    rbac = "rbac.authorization.k8s.io"
    notes = {names.BREAK_GLASS_ANNOTATION: reason} if reason else {}
    return {
        "apiVersion": f"{rbac}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": "acme-web", "annotations": notes},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": names.tenant_role(role)},
        "subjects": [{"apiGroup": rbac, "kind": "Group", "name": group}],
    }


def stranger(name: str, labels: dict[str, str] | None = None, annotations: dict[str, str] | None = None) -> Object:
    metadata = {"name": name, "labels": labels or {}, "annotations": annotations or {}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


# --- what is made


def test_three_roles_make_thirteen_objects(world: Simulation) -> None:
    """The core namespace, eight pieces of fence, a binding for each role that somebody holds, and one for shells."""
    edit(ACME, {"access": {role: [{"group": f"oidc:{role}"}] for role in ("owners", "developers", "viewers")}})(world)
    ref = world.put(namespace("acme", "lab", environment="dev", **QUOTA))
    world.settle()
    assert told(world, ref) == ("True", "Reconciled")
    made = [child for child in world.applied if child.namespace == "acme-lab" or child.name == "acme-lab"]
    assert len(made) == 13
    assert world.objects[ref]["status"]["children"] == {"applied": 13, "drifted": 0}


def test_the_quota_comes_after_what_it_counts(world: Simulation) -> None:
    """A fresh quota refuses what it counts until the quota controller has seen it."""
    ref = world.put(namespace("acme", "lab", environment="dev", **QUOTA))
    order = [write.ref.type for write in world.reconcile(ref)]
    assert order.index(CONFIG_MAP) < order.index(RESOURCE_QUOTA) < order.index(ROLE_BINDING)
    assert order.index(CORE_NAMESPACE) < order.index(GUARDRAIL)


def test_labels_of_the_user_come_and_go(world: Simulation) -> None:
    """They stand beside the grants, and one that is taken back is seen although labels of others are ignored."""
    edit(WEB, {"labels": {"cost-center": "r42"}})(world)
    world.settle()
    made = core(world, "acme-web")
    assert made is not None
    assert made["metadata"]["labels"]["cost-center"] == "r42"
    edit(WEB, {"labels": {}})(world)
    assert world.settle() != []
    taken = core(world, "acme-web")
    assert taken is not None
    assert "cost-center" not in taken["metadata"]["labels"]


def test_a_gateway_key_is_a_service_account_that_goes_with_it(world: Simulation) -> None:
    """Removing the entry removes the ServiceAccount, by whose uid every token of it is known."""
    edit(WEB, {"gatewayKeys": [{"name": "ci"}]})(world)
    world.settle()
    assert inside(world, "acme-web", SERVICE_ACCOUNT)[names.gateway_key("ci")]["automountServiceAccountToken"] is False
    edit(WEB, {"gatewayKeys": []})(world)
    world.settle()
    assert set(inside(world, "acme-web", SERVICE_ACCOUNT)) == {"default"}


def test_a_test_key_reaches_no_protected_environment(world: Simulation) -> None:
    """It has no ServiceAccount and no place in the rules there; the live one beside it has, and the object says so."""
    ref = world.put(
        namespace("acme", "lab", environment="prod", gatewayKeys=[{"name": "try"}, {"name": "batch", "mode": "Live"}])
    )
    world.settle()
    assert set(inside(world, "acme-lab", SERVICE_ACCOUNT)) == {"default", names.gateway_key("batch")}
    rules = inside(world, "acme-lab", GUARDRAIL)[names.GUARDRAIL]["spec"]["tokens"]
    assert [key["serviceAccount"] for key in rules["keys"]] == [names.gateway_key("batch")]
    assert told(world, ref) == ("False", "TestKeyRefused")
    assert "try" in message(world, ref)


def test_an_environment_that_becomes_protected_revokes_its_test_keys(world: Simulation) -> None:
    """What was tried out there is over; live keys stay."""
    edit(WEB, {"gatewayKeys": [{"name": "try"}, {"name": "batch", "mode": "Live"}]})(world)
    world.settle()
    assert names.gateway_key("try") in inside(world, "acme-web", SERVICE_ACCOUNT)
    everything_protected = [{"name": name, "protected": True} for name in ("dev", "staging", "prod")]
    edit(ACME, {"environments": everything_protected})(world)
    world.settle()
    assert set(inside(world, "acme-web", SERVICE_ACCOUNT)) == {"default", names.gateway_key("batch")}


def test_what_is_not_wanted_any_more_is_pruned_and_what_is_foreign_stays(world: Simulation) -> None:
    """An object with our label that no plan knows goes; a tenant's own policy does not."""
    old = policy("acme-web")
    old["metadata"] |= {"name": "ringfence-old", "labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY}}
    world.put(old)
    world.put(policy("acme-web"))
    world.settle()
    assert "ringfence-old" not in inside(world, "acme-web", NETWORK_POLICY)
    assert "mine" in inside(world, "acme-web", NETWORK_POLICY)


def test_whom_the_tenant_no_longer_knows_loses_what_an_admin_gave_him(world: Simulation) -> None:
    """He is taken out of the Tenant, and with that out of bindings that Ringfence did not make; others keep theirs."""
    world.put(given("contractor", "oidc:contractors"))
    world.put(given("auditor", "oidc:acme-audit"))
    world.put(given("emergency", "oidc:contractors", reason="the cluster burns"))
    world.put(given("monitoring", "oidc:contractors", role="other"))
    access = world.objects[ACME]["spec"]["access"]
    edit(ACME, {"access": {**access, "members": [{"group": "oidc:contractors"}]}})(world)
    world.settle()
    given_by_others = {"contractor", "auditor", "emergency", "monitoring"}
    assert given_by_others <= set(inside(world, "acme-web", ROLE_BINDING))
    edit(ACME, {"access": {**access, "members": []}})(world)
    world.settle()
    assert given_by_others - set(inside(world, "acme-web", ROLE_BINDING)) == {"contractor"}


def test_where_a_model_comes_to_run_nobody_comes_in_by_an_older_policy(world: Simulation) -> None:
    """What a tenant opened before there was a model is closed; its policies for the way out stay."""
    out = {"podSelector": {}, "egress": [{"to": [{"podSelector": {}}]}], "policyTypes": ["Egress"]}
    way_out = policy("acme-web")
    way_out["metadata"]["name"], way_out["spec"] = "out", out
    world.put(policy("acme-web"))
    world.put(way_out)
    frontend = {"namespace": "web", "name": "llama", "port": 8000}
    edit(ACME, {"providers": [{"name": "local", "schema": "OpenAI", "service": frontend, "models": ["llama"]}]})(world)
    world.settle()
    assert {"mine", "out"} & set(inside(world, "acme-web", NETWORK_POLICY)) == {"out"}


def test_drift_is_repaired(world: Simulation) -> None:
    """Deleted, edited, added to: afterwards it is as it was."""
    before = world.snapshot()
    deny = Ref(NETWORK_POLICY, "acme-web", names.DENY_ALL)
    opened = copy.deepcopy(world.objects[deny])
    opened["spec"]["ingress"] = [{}]
    for damage in (delete(deny), lambda each: each.put(opened)):
        damage(world)
        assert world.settle() != []
        assert world.snapshot() == before


# --- what is refused


def test_a_foreign_namespace_is_not_taken_and_its_end_is_waited_for(world: Simulation) -> None:
    """Nothing is written while the rival is there; once it is gone the loser gets the name."""
    world.put(stranger("acme-lab"))
    ref = world.put(namespace("acme", "lab", environment="dev", **QUOTA))
    assert world.settle() == []
    assert told(world, ref) == ("False", "NameTaken")
    assert told(world, ref, "Stalled") is not None
    assert "acme-lab" in message(world, ref)
    world.delete(Ref(CORE_NAMESPACE, "", "acme-lab"))
    world.settle()
    assert told(world, ref) == ("True", "Reconciled")


def test_adoption_needs_label_and_annotation(world: Simulation) -> None:
    """With both the namespace is taken over, and nothing of what was in it is lost."""
    world.put(stranger("acme-lab", {names.TENANT_LABEL: "acme"}, {names.ADOPT_ANNOTATION: "acme"}))
    world.put(policy("acme-lab"))
    ref = world.put(namespace("acme", "lab", environment="dev", **QUOTA))
    planned = world.plan(ref)
    assert planned is not None
    assert [finding.reason.value for finding in planned[1].findings] == ["Adopted"]
    world.settle()
    assert told(world, ref) == ("True", "Reconciled")
    assert "mine" in inside(world, "acme-lab", NETWORK_POLICY)


def test_a_namespace_object_outside_a_home_waits_for_its_tenant(world: Simulation) -> None:
    """Order never matters: the Tenant may come later."""
    ref = world.put(namespace("initech", "dev", environment="dev"))
    assert world.settle() == []
    assert told(world, ref) == ("False", "TenantNotFound")
    spec: Object = {"environments": [{"name": "dev"}]}
    metadata = {"name": "initech"}
    world.put({"apiVersion": "ringfence.dev/v1alpha1", "kind": "Tenant", "metadata": metadata, "spec": spec})
    world.settle()
    assert told(world, ref) == ("True", "Reconciled")


def test_a_home_that_is_not_the_tenants_makes_nothing(world: Simulation) -> None:
    """Who may write into a namespace that only looks like a home gets nothing from it."""
    spec: Object = {"environments": [{"name": "dev"}]}
    metadata = {"name": "initech"}
    world.put(stranger("initech"))
    tenant = world.put({"apiVersion": "ringfence.dev/v1alpha1", "kind": "Tenant", "metadata": metadata, "spec": spec})
    ref = world.put(namespace("initech", "dev", environment="dev"))
    assert world.settle() == []
    assert told(world, tenant) == ("False", "NameTaken")
    assert told(world, ref) == ("False", "WaitingForNamespace")


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"environment": "test"}, "UnknownEnvironment"),
        ({"environment": "dev", "region": "mars-1"}, "UnknownRegion"),
        ({"environment": "dev", "podSecurity": "baseline"}, "PodSecurityNotAllowed"),
    ],
)
def test_what_the_tenant_does_not_grant_is_not_made(world: Simulation, spec: Object, reason: str) -> None:
    """Nothing is written, and the condition says what is missing. The same object with good values is made."""
    ref = world.put(namespace("acme", "lab", **spec))
    assert world.settle() == []
    assert told(world, ref) == ("False", reason)
    world.put(namespace("acme", "lab", environment="dev", podSecurity="restricted"))
    world.settle()
    assert told(world, ref) == ("True", "Reconciled")


def test_a_level_that_is_withdrawn_tightens_what_stands(world: Simulation) -> None:
    """A namespace that stands is never left unguarded: it goes on with the strictest level, and says so."""
    edit(ACME, {"podSecurity": {"allow": ["restricted", "baseline"]}})(world)
    edit(WEB, {"podSecurity": "baseline"})(world)
    world.settle()
    enforced = "pod-security.kubernetes.io/enforce"
    assert world.objects[Ref(CORE_NAMESPACE, "", "acme-web")]["metadata"]["labels"][enforced] == "baseline"
    edit(ACME, {"podSecurity": {"allow": ["restricted"]}})(world)
    world.settle()
    assert world.objects[Ref(CORE_NAMESPACE, "", "acme-web")]["metadata"]["labels"][enforced] == "restricted"
    assert told(world, WEB) == ("False", "PodSecurityNotAllowed")


def test_a_tenant_has_only_so_many_namespaces(world: Simulation) -> None:
    """Those that stand keep their place; of those that wait the oldest gets the next one."""
    first = world.put(namespace("acme", "one", environment="dev"))
    second = world.put(namespace("acme", "two", environment="dev"))
    world.settle()
    assert told(world, first) == ("True", "Reconciled")
    assert told(world, second) == ("False", "TooManyNamespaces")
    assert told(world, second, "BudgetExceeded") == ("True", "TooManyNamespaces")
    delete(first)(world)
    world.settle()
    assert told(world, second) == ("False", "TooManyNamespaces")  # what is retained still takes its place
    world.delete(Ref(CORE_NAMESPACE, "", "acme-one"))
    world.settle()
    assert told(world, second) == ("True", "Reconciled")


def test_the_name_of_what_was_retained_does_not_free_its_place(world: Simulation) -> None:
    """Asked for again it is NameTaken, and still there."""
    edit(ACME, {"budget": {"namespaces": 4, "hard": {}}})(world)
    first = world.put(namespace("acme", "one", environment="dev"))
    world.settle()
    delete(first)(world)
    world.settle()
    again = world.put(namespace("acme", "one", environment="dev"))
    other = world.put(namespace("acme", "two", environment="dev"))
    world.settle()
    assert told(world, again) == ("False", "NameTaken")
    assert told(world, other) == ("False", "TooManyNamespaces")


def test_over_the_budget_a_new_namespace_stands_and_runs_nothing(world: Simulation) -> None:
    """The fence is made all the same; the quota is zero."""
    ref = world.put(namespace("acme", "lab", environment="dev", quota={"hard": {"pods": "100"}}))
    world.settle()
    assert told(world, ref) == ("False", "BudgetExceeded")
    assert inside(world, "acme-lab", RESOURCE_QUOTA)[names.QUOTA]["spec"]["hard"]["pods"] == "0"


def test_who_cannot_have_a_namespace_holds_no_budget_either(world: Simulation) -> None:
    """An older claim to a name that is somebody else's takes nothing from the others."""
    world.put(stranger("acme-lab"))
    quota = {"hard": {"pods": "40"}}
    world.put(namespace("acme", "lab", environment="dev", quota=quota))
    younger = world.put(namespace("acme", "shop", environment="dev", quota=quota))
    edit(ACME, {"budget": {"namespaces": 9, "hard": {"pods": "100"}}})(world)
    world.settle()
    assert told(world, younger) == ("True", "Reconciled")


# --- people


def test_only_whom_the_tenant_knows_gets_rights(world: Simulation) -> None:
    """The known ones get theirs; the stranger is named and gets nothing."""
    known, unknown = {"group": "oidc:acme-audit"}, {"group": "oidc:globex-devs"}
    edit(WEB, {"access": {"developers": [known, unknown]}})(world)
    world.settle()
    assert people(world, "acme-web")["ringfence-developer"] == ["oidc:acme-audit", "oidc:acme-devs"]
    assert told(world, WEB) == ("False", "UnknownSubject")
    assert "spec.access.developers[1]" in message(world, WEB)
    assert "globex" not in message(world, WEB)  # it goes into records, and a name may be a person's


def test_rights_in_one_namespace_end_there(world: Simulation) -> None:
    """Additional rights are those of one Namespace."""
    edit(WEB, {"access": {"developers": [{"group": "oidc:acme-audit"}]}})(world)
    world.settle()
    assert people(world, "acme-data")["ringfence-developer"] == ["oidc:acme-devs"]


def test_rights_are_taken_before_anything_else_is_done(world: Simulation) -> None:
    """Whatever may fail afterwards, who lost a right has lost it."""
    edit(ACME, {"access": {"owners": [{"group": "oidc:acme-owners"}], "admins": [{"group": "oidc:new"}]}})(world)
    kinds = [(write.verb.value, write.ref.type, write.ref.name) for write in world.reconcile(WEB)]
    withdrawn = [("delete", ROLE_BINDING, "ringfence-developer"), ("delete", ROLE_BINDING, "ringfence-viewer")]
    narrowed = [("apply", ROLE_BINDING, "ringfence-admin"), ("apply", ROLE_BINDING, "ringfence-shell")]
    assert sorted(kinds[:4], key=str) == sorted([*withdrawn, *narrowed], key=str)
    assert kinds[-2:] == narrowed  # and only at the end somebody new comes in
    assert people(world, "acme-web")["ringfence-admin"] == ["oidc:new"]


@pytest.mark.parametrize("change", ["an environment becomes protected", "a private model moves in"])
def test_shells_end_where_something_comes_to_speak_against_them(world: Simulation, change: str) -> None:
    """The binding goes, and the Guardrail says so; other rights stay."""
    assert people(world, "acme-web")["ringfence-shell"] == ["oidc:acme-admins", "oidc:acme-devs", "oidc:acme-owners"]
    if change == "an environment becomes protected":
        edit(ACME, {"environments": [{"name": "dev", "protected": True}, {"name": "prod", "protected": True}]})(world)
    else:
        provider = copy.deepcopy(world.objects[ACME]["spec"]["providers"][0])
        provider["service"]["namespace"] = "web"
        edit(ACME, {"providers": [provider]})(world)
    world.settle()
    assert "ringfence-shell" not in people(world, "acme-web")
    assert people(world, "acme-web")["ringfence-developer"] == ["oidc:acme-devs"]
    assert not world.objects[Ref(GUARDRAIL, "acme-web", names.GUARDRAIL)]["spec"]["execAllowed"]


def test_a_binding_to_another_role_is_made_anew(world: Simulation) -> None:
    """A roleRef can't be changed in place."""
    ref = Ref(ROLE_BINDING, "acme-web", "ringfence-viewer")
    forged = copy.deepcopy(world.objects[ref])
    forged["roleRef"]["name"] = "cluster-admin"
    world.put(forged)
    assert [write.verb.value for write in world.settle()][:2] == ["delete", "apply"]
    assert world.objects[ref]["roleRef"]["name"] == names.tenant_role("viewer")


# --- network


def test_both_sides_must_declare_a_connection(world: Simulation) -> None:
    """With both words it is open on both sides; without one it is closed on both."""
    assert names.ALLOW_PEERS in inside(world, "acme-web", NETWORK_POLICY)
    assert names.ALLOW_PEERS in inside(world, "acme-data", NETWORK_POLICY)
    edit(DATA, {"network": {}})(world)
    world.settle()
    assert names.ALLOW_PEERS not in inside(world, "acme-web", NETWORK_POLICY)
    assert names.ALLOW_PEERS not in inside(world, "acme-data", NETWORK_POLICY)
    assert told(world, WEB) == ("False", "PeerNotDeclared")
    assert told(world, DATA) == ("True", "Reconciled")


def test_only_ports_that_both_sides_declare_are_open(world: Simulation) -> None:
    """The rest of a declaration is served, and what is missing is named."""
    edit(WEB, {"network": {"egress": [{"to": {"namespace": "data"}, "ports": [5432, 6432]}]}})(world)
    world.settle()
    (rule,) = inside(world, "acme-web", NETWORK_POLICY)[names.ALLOW_PEERS]["spec"]["egress"]
    assert [port["port"] for port in rule["ports"]] == [5432]
    assert "6432" in message(world, WEB)


def test_environments_are_apart(world: Simulation) -> None:
    """Declared by both, but in two environments: closed."""
    world.put(
        namespace(
            "acme", "prod", environment="prod", network={"ingress": [{"from": {"namespace": "web"}, "ports": [80]}]}
        )
    )
    edit(WEB, {"network": {"egress": [{"to": {"namespace": "prod"}, "ports": [80]}]}})(world)
    world.settle()
    assert names.ALLOW_PEERS not in inside(world, "acme-web", NETWORK_POLICY)
    assert told(world, WEB, "Accepted") == ("False", "PeerNotDeclared")


def test_a_model_frontend_admits_the_gateway_only(world: Simulation) -> None:
    """Its pods' port is opened to the gateway and to no peer, nor are shared ingress controllers let in."""
    edit(ACME, {"network": {"ingressFrom": [{"namespace": "ingress-nginx"}]}})(world)
    models = Ref(NAMESPACE, "acme", "models")
    edit(models, {"network": {"ingress": [{"from": {"namespace": "web"}, "ports": [8080, 9000]}]}})(world)
    edit(WEB, {"network": {"egress": [{"to": {"namespace": "models"}, "ports": [8080, 9000]}]}})(world)
    world.settle()
    policies = inside(world, "acme-models", NETWORK_POLICY)
    assert names.ALLOW_INGRESS not in policies
    assert names.ALLOW_INGRESS in inside(world, "acme-web", NETWORK_POLICY)
    ports = {port["port"] for rule in policies[names.ALLOW_PEERS]["spec"]["ingress"] for port in rule["ports"]}
    assert ports == {9000}
    (rule,) = policies[names.ALLOW_GATEWAY]["spec"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 8080}]
    assert told(world, WEB, "Accepted") == ("False", "PeerNotDeclared")


@pytest.mark.parametrize("port", ["gone", "named"])
def test_where_a_frontends_port_is_not_known_no_peer_gets_any(world: Simulation, port: str) -> None:
    """Whoever takes its Service away, or calls the port by name, opens the pods to nobody but the gateway."""
    models = Ref(NAMESPACE, "acme", "models")
    edit(models, {"network": {"ingress": [{"from": {"namespace": "web"}, "ports": [9000]}]}})(world)
    edit(WEB, {"network": {"egress": [{"to": {"namespace": "models"}, "ports": [9000]}]}})(world)
    world.settle()
    assert names.ALLOW_PEERS in inside(world, "acme-models", NETWORK_POLICY)
    if port == "gone":
        world.delete(Ref(SERVICE, "acme-models", "llama"))
    else:
        world.put(service("acme-models", "llama", 8000, "http"))
    world.settle()
    policies = inside(world, "acme-models", NETWORK_POLICY)
    assert names.ALLOW_PEERS not in policies
    rules = policies[names.ALLOW_GATEWAY]["spec"].get("ingress", ())
    opened = [each["port"] for rule in rules for each in rule["ports"]]
    assert opened == ([] if port == "gone" else ["http"])


def test_what_a_former_tenant_left_behind_reaches_nobody(world: Simulation) -> None:
    """An orphan wears the same labels but for the owner's uid, which every selector names."""
    left = {
        names.TENANT_LABEL: "acme",
        names.NAMESPACE_LABEL: "old",
        names.ENVIRONMENT_LABEL: "dev",
        names.ORPHANED_LABEL: "true",
    }
    world.put(stranger("acme-old", left))
    world.put(namespace("acme", "old", environment="dev"))
    edit(WEB, {"network": {"ingress": [{"from": {"namespace": "old"}, "ports": [80]}]}})(world)
    world.settle()
    selectors = [
        peer["namespaceSelector"]["matchLabels"]
        for thing in inside(world, "acme-web", NETWORK_POLICY).values()
        for side, way in (("ingress", "from"), ("egress", "to"))
        for rule in thing["spec"].get(side, ())
        for peer in rule[way]
    ]
    assert selectors
    assert not [each for each in selectors if each.items() <= left.items()]


def test_a_platform_namespace_stops_being_one_when_a_tenant_gets_it(world: Simulation) -> None:
    """The exception for a shared controller never opens to another tenant's namespace of that name."""
    edit(ACME, {"network": {"ingressFrom": [{"namespace": "globex-dev"}]}})(world)
    world.settle()
    (rule,) = inside(world, "acme-web", NETWORK_POLICY)[names.ALLOW_INGRESS]["spec"]["ingress"]
    (peer,) = rule["from"]
    assert peer["namespaceSelector"]["matchExpressions"] == [{"key": names.TENANT_LABEL, "operator": "DoesNotExist"}]


# --- secrets

DB = SecretExists("acme-web", "db")


def test_existence_is_all_that_is_asked_of_a_secret(world: Simulation) -> None:
    """Absent, present, unknown: three answers, three conditions, and the absent one is asked again."""
    edit(WEB, {"secrets": [{"name": "db"}]})(world)
    world.settle()
    assert told(world, WEB) == ("False", "SecretMissing")
    planned = world.plan(WEB)
    assert planned is not None
    assert planned[1].questions == (DB,)
    assert planned[1].look_again_at is not None
    world.answers[DB] = Existence.UNKNOWN
    world.reconcile(WEB)
    assert told(world, WEB, "SecretsResolved") == ("Unknown", "SecretUnknown")
    world.answers[DB] = Existence.PRESENT
    world.reconcile(WEB)
    assert told(world, WEB) == ("True", "Reconciled")


def external(key: str) -> Object:
    store = {"kind": "ClusterSecretStore", "name": "vault"}
    return {"secrets": [{"name": "db", "externalSecret": {"store": store, "key": key}}]}


STORES = {"secretStores": [{"kind": "ClusterSecretStore", "name": "vault", "keyPrefix": "acme/"}]}


@pytest.mark.parametrize(("key", "made"), [("acme/db", True), ("globex/db", False), ("acme", False)])
def test_a_store_is_read_below_the_tenants_prefix_only(world: Simulation, key: str, made: bool) -> None:
    """A key of somebody else's is refused, and no order for it is given."""
    edit(ACME, STORES)(world)
    edit(WEB, external(key))(world)
    world.settle()
    assert ("db" in inside(world, "acme-web", EXTERNAL_SECRET)) is made
    expected = "SecretMissing" if made else "SecretKeyNotAllowed"
    assert told(world, WEB, "SecretsResolved") == ("False", expected)


def test_without_the_external_secrets_operator_it_says_so(world: Simulation) -> None:
    """Nothing that the cluster does not serve is applied."""
    world.facts = replace(world.facts, served=frozenset())
    edit(ACME, STORES)(world)
    edit(WEB, external("acme/db"))(world)
    world.settle()
    assert told(world, WEB, "SecretsResolved") == ("False", "ExternalSecretsNotServed")
    assert inside(world, "acme-web", EXTERNAL_SECRET) == {}


# --- pause, quarantine, terminating


def test_a_pause_reports_drift_and_repairs_nothing(world: Simulation) -> None:
    """Until its end; then everything is put back."""
    until = START + timedelta(hours=1)
    annotate(WEB, paused_until=until.strftime("%Y-%m-%dT%H:%M:%SZ"))(world)
    delete(Ref(NETWORK_POLICY, "acme-web", names.ALLOW_DNS))(world)
    planned = world.plan(WEB)
    assert planned is not None
    assert planned[1].look_again_at == until
    assert world.settle() == []
    assert told(world, WEB, "Paused") == ("True", "Paused")
    assert told(world, WEB, "Isolated") == ("Unknown", "Paused")
    assert world.objects[WEB]["status"]["children"]["drifted"] == 1
    world.now = until + timedelta(seconds=1)
    assert world.settle() != []
    assert told(world, WEB, "Paused") is None


@pytest.mark.parametrize("until", ["2026-11-22T13:00:00Z", "2026-11-22T09:00:00", "tomorrow"])
def test_a_pause_of_more_than_four_hours_or_of_no_sense_is_refused(world: Simulation, until: str) -> None:
    """Repair goes on."""
    annotate(WEB, paused_until=until)(world)
    delete(Ref(NETWORK_POLICY, "acme-web", names.ALLOW_DNS))(world)
    assert world.settle() != []
    assert told(world, WEB, "Paused") == ("False", "PauseRefused")
    assert told(world, WEB) == ("True", "Reconciled")


def test_an_incident_is_stronger_than_a_pause(world: Simulation) -> None:
    """Nobody keeps a namespace open by having paused it."""
    annotate(WEB, paused_until="2026-11-22T09:00:00Z")(world)
    edit(WEB, {"isolation": "Quarantined"})(world)
    world.settle()
    assert set(inside(world, "acme-web", NETWORK_POLICY)) == {names.DENY_ALL}


def test_one_namespace_can_be_quarantined_alone(world: Simulation) -> None:
    """It is closed, its people read only, its peer's side of the connection is closed too; the others go on."""
    world.put(policy("acme-web"))
    edit(WEB, {"isolation": "Quarantined"})(world)
    world.settle()
    assert set(inside(world, "acme-web", NETWORK_POLICY)) == {names.DENY_ALL}
    everybody = ["oidc:acme-admins", "oidc:acme-audit", "oidc:acme-devs", "oidc:acme-owners"]
    assert people(world, "acme-web") == {"ringfence-viewer": everybody}
    assert names.ALLOW_PEERS not in inside(world, "acme-data", NETWORK_POLICY)
    assert told(world, WEB) == ("False", "Quarantined")
    assert "ringfence-developer" in people(world, "acme-data")


def test_an_incident_destroys_no_secret(world: Simulation) -> None:
    """The order to a store stays: with it the Secret would go, which may be evidence."""
    edit(ACME, STORES)(world)
    edit(WEB, external("acme/db"))(world)
    world.settle()
    edit(WEB, {"isolation": "Quarantined"})(world)
    world.settle()
    assert "db" in inside(world, "acme-web", EXTERNAL_SECRET)


def test_closing_waits_for_the_policy_that_denies_everything(world: Simulation) -> None:
    """A pod that no policy selects is open: the allow policies go only after deny-all is back."""
    delete(Ref(NETWORK_POLICY, "acme-web", names.DENY_ALL))(world)
    edit(WEB, {"isolation": "Quarantined"})(world)
    writes = [(write.verb.value, write.ref.name) for write in world.reconcile(WEB)]
    denied = writes.index(("create", names.DENY_ALL))
    assert denied < min(index for index, (verb, name) in enumerate(writes) if verb == "delete" and "allow" in name)


def test_in_a_terminating_namespace_nothing_is_repaired(world: Simulation) -> None:
    """It is waited for; the rules go last; then it is made anew."""
    ref = Ref(CORE_NAMESPACE, "", "acme-web")
    world.delete(ref)
    assert world.reconcile(WEB) == []
    assert told(world, WEB) == ("False", "WaitingForNamespace")
    world.collect()
    assert set(inside(world, "acme-web", GUARDRAIL)) == {names.GUARDRAIL}
    assert [write.ref.type for write in world.reconcile(WEB)] == [GUARDRAIL]
    world.settle()
    assert told(world, WEB) == ("True", "Reconciled")


def test_an_unreadable_tenant_stops_its_namespaces(world: Simulation) -> None:
    """What can't be judged is refused; what stands is left as it is."""
    broken = copy.deepcopy(world.objects[Ref(TENANT, "", "acme")])
    broken["spec"]["surprise"] = True
    world.put(broken)
    delete(Ref(NETWORK_POLICY, "acme-web", names.ALLOW_DNS))(world)
    assert world.settle() == []
    assert told(world, WEB) == ("False", "TenantInvalid")
    assert told(world, ACME) == ("False", "InvalidSpec")
    assert "spec.surprise" in message(world, ACME)
