"""The tables of roles."""

import itertools
from typing import Any

import pytest

from ringfence import names
from ringfence.plan import roles
from ringfence.plan.authorization import NEVER, PLACES, Actor, allowed
from ringfence.plan.operator_rights import EVERYWHERE, operator_roles
from ringfence.plan.rights import Action, Right, actions
from ringfence.plan.roles import CORE, HOME, SHELL, Table, held

CHAIN = list(itertools.pairwise(names.ROLES))
READING = {"get", "list", "watch", "patch", "deletecollection"}


@pytest.mark.parametrize("table", [CORE, HOME], ids=["core", "home"])
@pytest.mark.parametrize(("above", "below"), CHAIN)
def test_each_role_strictly_contains_the_next(above: str, below: str, table: Table) -> None:
    """Owner, admin, developer, viewer: whoever is higher can do all that and more."""
    assert held(above, table) > held(below, table)


@pytest.mark.parametrize("place", PLACES)
def test_in_no_place_a_lower_role_may_more(place: str) -> None:
    """Nor a member, a workload or an outsider anything at all."""
    rights = [allowed(Actor[role.upper()], PLACES[place]) for role in names.ROLES]
    assert all(above >= below for above, below in itertools.pairwise(rights))
    for actor in (Actor.MEMBER, Actor.WORKLOAD, Actor.OUTSIDER):
        assert allowed(actor, PLACES[place]) == frozenset()


def test_nobody_is_given_what_is_a_way_around() -> None:
    """What the page of roles lists as given by none is given by none."""
    granted = {action for actor in Actor for place in PLACES.values() for action in allowed(actor, place)}
    assert granted & NEVER == set()


def every_rule() -> list[tuple[str, dict[str, list[str]]]]:
    shipped = (*roles.cluster_roles(), *operator_roles())
    return [(role["metadata"]["name"], rule) for role in shipped for rule in role.get("rules", ())]


def test_nobody_has_a_wildcard_or_a_way_around() -> None:
    """No role has a wildcard, a proxy, impersonation or escalation."""
    for name, rule in every_rule():
        assert "*" not in (*rule["apiGroups"], *rule["resources"], *rule["verbs"]), name
        assert not {"pods/proxy", "services/proxy", "nodes/proxy"} & set(rule["resources"]), name
        assert not {"escalate", "impersonate"} & set(rule["verbs"]), name


def test_the_operator_creates_secrets_and_does_nothing_else_with_them() -> None:
    """Every other verb can answer with content."""
    assert {action.verb for action in actions(EVERYWHERE) if action.resource == "secrets"} == {"create"}


def test_the_operator_binds_the_tenants_roles_only() -> None:
    """By name, and exactly those that are shipped to be bound."""
    (right,) = (right for right in EVERYWHERE if "bind" in right.verbs)
    bound = [role["metadata"]["name"] for role in roles.cluster_roles() if "aggregationRule" in role]
    assert sorted(right.only) == sorted(bound)
    assert len(bound) == 10


def test_the_operator_never_writes_policies_or_definitions() -> None:
    """Nor nodes, classes or other people's roles; of workloads Deployments alone, of which admission knows the name."""
    written = [right for right in EVERYWHERE if {"create", "update", "patch", "delete"} & set(right.verbs)]
    assert not {"admissionregistration.k8s.io", "apiextensions.k8s.io", "batch"} & {each.group for each in written}
    resources = {resource for right in written for resource in right.resources}
    assert not {"pods", "nodes", "clusterroles", "clusterrolebindings"} & resources
    workloads = {resource for right in written if right.group == "apps" for resource in right.resources}
    assert workloads <= {"controllerrevisions", "deployments"}


@pytest.mark.parametrize("role", names.ROLES)
def test_nobody_of_a_tenant_reads_secrets_at_home(role: str) -> None:
    """Provider keys go in and never come out; a viewer reads none anywhere."""
    home = {action.verb for action in held(role, HOME) if action.resource == "secrets"}
    assert not home & READING
    assert "secrets" not in {action.resource for action in held("viewer", CORE)}


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("developer", True), ("admin", True), ("owner", True)])
@pytest.mark.parametrize("place", PLACES)
def test_shells_are_for_developers_and_above_and_only_where_nothing_speaks_against(
    place: str, role: str, may: bool
) -> None:
    """Exec, attach, port-forward and ephemeral containers."""
    shells = allowed(Actor[role.upper()], PLACES[place]) & actions(SHELL)
    assert shells == (actions(SHELL) if may and place == "open" else frozenset())


def test_no_tenant_role_releases_a_hold() -> None:
    """And only owners approve."""
    verbs = {role: {action.verb for action in held(role, HOME) | held(role, CORE)} for role in names.ROLES}
    assert not any({"release", "bypass"} & found for found in verbs.values())
    assert [role for role in names.ROLES if "approve" in verbs[role]] == ["owner"]


BOUND = {
    **{names.tenant_role(role): held(role, CORE) for role in names.ROLES},
    **{names.home_role(role): held(role, HOME) for role in names.ROLES},
    names.tenant_role(names.SHELL): actions(SHELL),
}


@pytest.mark.parametrize("name", BOUND)
def test_the_labels_aggregate_exactly_the_table(name: str) -> None:
    """What the cluster's controller puts together is what the table says."""
    shipped = roles.cluster_roles()
    (bound,) = (each for each in shipped if each["metadata"]["name"] == name)
    (selector,) = bound["aggregationRule"]["clusterRoleSelectors"]
    chosen = [each for each in shipped if selector["matchLabels"].items() <= each["metadata"]["labels"].items()]
    assert {action for role in chosen for action in told(role)} == BOUND[name]


def told(role: dict[str, Any]) -> frozenset[Action]:
    rules = (
        Right(group, tuple(rule["resources"]), tuple(rule["verbs"]))
        for rule in role["rules"]
        for group in rule["apiGroups"]
    )
    return actions(rules)
