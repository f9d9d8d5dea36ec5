"""The tables of roles."""

import itertools

import pytest

from ringfence import names
from ringfence.plan import roles

CHAIN = list(itertools.pairwise(names.ROLES))
READING = {"get", "list", "watch", "patch", "deletecollection"}


@pytest.mark.parametrize("home", [False, True], ids=["core", "home"])
@pytest.mark.parametrize(("above", "below"), CHAIN)
def test_each_role_strictly_contains_the_next(above: str, below: str, home: bool) -> None:
    """Owner, admin, developer, viewer: whoever is higher can do all that and more."""
    assert roles.rights_of(above, home=home) > roles.rights_of(below, home=home)


def every_rule() -> list[tuple[str, dict[str, list[str]]]]:
    shipped = (*roles.cluster_roles(), roles.operator_role())
    return [(role["metadata"]["name"], rule) for role in shipped for rule in role.get("rules", ())]


def test_nobody_has_a_wildcard_or_a_way_around() -> None:
    """No role has a wildcard, a proxy, impersonation or escalation."""
    for name, rule in every_rule():
        assert "*" not in (*rule["apiGroups"], *rule["resources"], *rule["verbs"]), name
        assert not {"pods/proxy", "services/proxy", "nodes/proxy"} & set(rule["resources"]), name
        assert not {"escalate", "impersonate"} & set(rule["verbs"]), name


def test_the_operator_creates_secrets_and_does_nothing_else_with_them() -> None:
    """Every other verb can answer with content."""
    rules = [rule for rule in roles.operator_role()["rules"] if "secrets" in rule["resources"]]
    assert [rule["verbs"] for rule in rules] == [["create"]]


def test_the_operator_binds_the_tenants_roles_only() -> None:
    """By name, and exactly those that are shipped to be bound."""
    (rule,) = (rule for rule in roles.operator_role()["rules"] if "bind" in rule["verbs"])
    bound = [role["metadata"]["name"] for role in roles.cluster_roles() if "aggregationRule" in role]
    assert sorted(rule["resourceNames"]) == sorted(bound)
    assert len(bound) == 8


def test_the_operator_never_writes_policies_or_definitions() -> None:
    """Nor nodes, classes or other people's roles."""
    written = {"create", "update", "patch", "delete"}
    for rule in roles.operator_role()["rules"]:
        if written & set(rule["verbs"]):
            assert not {"admissionregistration.k8s.io", "apiextensions.k8s.io", "apps", "batch"} & set(
                rule["apiGroups"]
            )
            assert not {"pods", "nodes", "clusterroles", "clusterrolebindings"} & set(rule["resources"])


@pytest.mark.parametrize("role", names.ROLES)
def test_nobody_of_a_tenant_reads_secrets_at_home(role: str) -> None:
    """Provider keys go in and never come out; a viewer reads none anywhere."""
    home = {verb for group, resource, verb in roles.rights_of(role, home=True) if resource == "secrets"}
    assert not home & READING
    core = {verb for _, resource, verb in roles.rights_of("viewer", home=False) if resource == "secrets"}
    assert core == set()


@pytest.mark.parametrize(
    ("role", "allowed"), [("viewer", False), ("developer", True), ("admin", True), ("owner", True)]
)
def test_shells_are_for_developers_and_above(role: str, allowed: bool) -> None:
    """Exec, attach, port-forward and ephemeral containers."""
    verbs = roles.rights_of(role, home=False)
    for resource in ("pods/exec", "pods/attach", "pods/portforward"):
        assert (("", resource, "create") in verbs) is allowed
    assert (("", "pods/ephemeralcontainers", "update") in verbs) is allowed


def test_no_tenant_role_releases_a_hold() -> None:
    """And only owners approve."""
    held = {role: {verb for *_, verb in roles.rights_of(role, home=True)} for role in names.ROLES}
    assert not any("release" in verbs for verbs in held.values())
    assert [role for role in names.ROLES if "approve" in held[role]] == ["owner"]


@pytest.mark.parametrize("home", [False, True], ids=["core", "home"])
def test_the_labels_aggregate_exactly_the_table(home: bool) -> None:
    """What the cluster's controller puts together is what the table says."""
    spell = names.home_role if home else names.tenant_role
    shipped = roles.cluster_roles()
    for role in names.ROLES:
        (bound,) = (each for each in shipped if each["metadata"]["name"] == spell(role))
        (selector,) = bound["aggregationRule"]["clusterRoleSelectors"]
        rules = [
            rule
            for each in shipped
            if selector["matchLabels"].items() <= each["metadata"]["labels"].items()
            for rule in each["rules"]
        ]
        found = {
            (group, resource, verb)
            for rule in rules
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }
        assert found == roles.rights_of(role, home=home)
