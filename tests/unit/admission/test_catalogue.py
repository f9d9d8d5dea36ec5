"""What holds for all admission policies, before an API server is asked."""

import re

import pytest

from ringfence import names
from ringfence.admission import endings, holds, metadata, operator_fence, promotions, stamps
from ringfence.admission.catalogue import MUTATIONS, POLICIES, VALIDATIONS, files
from ringfence.admission.cel import EXCUSED, GLASS_WHOLE, ME
from ringfence.admission.policy import Expression, Policy, Resources, Validation
from ringfence.admission.threats import Threat
from ringfence.engine.policies import PREFIX

UNBREAKABLE = (
    *promotions.POLICIES,
    *holds.POLICIES,
    *endings.POLICIES,
    *operator_fence.POLICIES,
)


def test_names_and_ids_are_unique() -> None:
    """A refusal leads to one rule, and an alert to one policy."""
    assert len(VALIDATIONS) == sum(len(policy.validations) for policy in POLICIES)
    manifests = [manifest for found in files().values() for manifest in found]
    assert len({(each["kind"], each["metadata"]["name"]) for each in manifests}) == len(manifests)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_a_policy_fails_closed_and_says_its_rules_name(policy: Policy) -> None:
    """An expression that can't be evaluated refuses; what refuses says which rule it was."""
    spec = policy.manifest["spec"]
    assert policy.name.startswith(PREFIX)
    assert spec["failurePolicy"] == "Fail"
    for validation in spec["validations"]:
        assert re.match("ringfence [a-z0-9-]+: ", validation["message"])
        assert len(validation["message"]) < 250
    for binding in policy.bindings:
        assert binding["spec"]["validationActions"] == (["Warn", "Audit"] if policy.warns else ["Deny", "Audit"])


@pytest.mark.parametrize("policy", UNBREAKABLE, ids=lambda policy: policy.name)
def test_some_rules_have_no_glass_to_break(policy: Policy) -> None:
    """Two persons, and what the operator never does: no emergency excuses from them."""
    assert GLASS_WHOLE not in policy.unless


def test_who_asked_is_judged_whoever_broke_the_glass() -> None:
    """The rules about stamps stand in one policy with some that a broken glass excuses from."""
    excused = {rule.id: rule.excused for rule in metadata.METADATA.validations}
    assert {excused[rule.id] for rule in stamps.STAMP_RULES} == {None}
    assert excused["metadata-owners"] == EXCUSED


def test_a_screen_asks_for_every_rule_and_knows_no_variable() -> None:
    """What breaks no rule is not judged, what breaks one is: the condition is the negation of all of them."""
    first = Expression("first", "object.x")
    second = Expression("second", "variables.first + 1")
    rules = (
        Validation("a", (Threat.ABSENT_OPERATOR,), "variables.second > 1", "never"),
        Validation("b", (Threat.ABSENT_OPERATOR,), "object.y", "never", excused=first),
    )
    resources = (Resources("", ("pods",), ("CREATE",)),)
    policy = Policy("ringfence-x", "x", resources, rules, screened=True, variables=(first, second))
    (screen,) = policy.manifest["spec"]["matchConditions"]
    assert screen["expression"] == "!((((object.x) + 1) > 1) && ((object.x) || ((object.y))))"


@pytest.mark.parametrize("policy", [each for each in POLICIES if each.screened], ids=lambda policy: policy.name)
def test_what_is_screened_needs_nothing_that_conditions_lack(policy: Policy) -> None:
    """Match conditions know no variables and no namespace; and a note to the audit log would be lost."""
    screen = policy.manifest["spec"]["matchConditions"][-1]
    assert screen["name"] == "breaks-a-rule"
    assert not re.search(r"variables\.|namespaceObject", screen["expression"])
    assert not policy.notes
    assert screen["expression"].count("authorizer.") < 3, "each costs 350,000 of the 1,000,000 that one expression has"


def test_nobody_is_exempt_by_a_group() -> None:
    """Groups are given by identity providers and certificates; only nodes are known by theirs."""
    text = str(files())
    assert set(re.findall("'([^']+)' in request.userInfo.groups", text)) == {"system:nodes"}
    assert "system:masters" not in text


def test_what_refuses_without_a_guardrail_is_about_creations_only() -> None:
    """Parameters are resolved before match conditions: else even the operator could not build or remove a fence."""
    for policy in POLICIES:
        for binding in policy.bindings:
            if binding["spec"].get("paramRef", {}).get("parameterNotFoundAction") == "Deny":
                rules = binding["spec"]["matchResources"]["resourceRules"]
                assert {operation for rule in rules for operation in rule["operations"]} <= {"CREATE", "CONNECT"}
                assert policy.resources[0].group in ("", "networking.k8s.io")


def test_identities_of_ours_are_rendered_from_one_value_each() -> None:
    """Where they are named, they are named as those whom roles are bound to."""
    accounts = set(re.findall(r"system:serviceaccount:ringfence[\w:-]*", str(files())))
    assert accounts == {names.OPERATOR_USER, names.CANARY_USER}


def test_a_strict_policy_is_bound_twice() -> None:
    """Creations are refused where there is no Guardrail; changes of what is there are not."""
    rule = Validation("x", (Threat.ABSENT_OPERATOR,), "true", "never")
    policy = Policy("ringfence-x", "x", (Resources("", ("pods",), ("CREATE", "UPDATE")),), (rule,), missing="Deny")
    found = [(each["metadata"]["name"], each["spec"]) for each in policy.bindings]
    assert [(name, spec["paramRef"]["parameterNotFoundAction"]) for name, spec in found] == [
        ("ringfence-x", "Deny"),
        ("ringfence-x-change", "Allow"),
    ]
    assert [spec["matchResources"]["resourceRules"][0]["operations"] for _, spec in found] == [["CREATE"], ["UPDATE"]]


def test_mutations_may_be_missing() -> None:
    """What each fills in is demanded by a validating policy that its description or its own name names."""
    judged = {policy.name for policy in POLICIES}
    for mutation in MUTATIONS:
        assert mutation.name in judged or set(re.findall("`(ringfence-[a-z-]+)`", mutation.about)) <= judged


def test_who_forgot_a_stamp_is_told_what_to_do_where_nothing_fills_it_in() -> None:
    """To leave it out is what he did, on an API server that has no mutating policies."""
    stamps = [each for policy in POLICIES for each in policy.validations if each.detail == ME]
    assert stamps
    assert [each.id for each in stamps if "where nothing fills it in" not in each.says] == []


def test_who_lacks_a_verb_is_told_on_what() -> None:
    """A verb alone can't be granted."""
    lacking = [each.says for policy in POLICIES for each in policy.validations if "the verb " in each.says]
    assert lacking
    assert [says for says in lacking if not re.search(r"the verb \w+ on \w+", says)] == []
