"""The table of probes is whole, and answers are judged by the policy's own words."""

from dataclasses import replace
from typing import Final

import pytest

from ringfence import names
from ringfence.admission.answers import Answer, Asker, Probe, Refusal, Stamp, Verdict, judge
from ringfence.admission.catalogue import MUTATIONS, POLICIES, VALIDATIONS
from ringfence.admission.probes import PROBES, UNPROVOKED
from ringfence.model.tenant_rules import RESERVED_NAMES
from ringfence.plan.canary import plan_canary

EVERY: Final = [
    *(f"ValidatingAdmissionPolicy {each.name}" for each in POLICIES),
    *(f"MutatingAdmissionPolicy {each.name}" for each in MUTATIONS),
]
REFUSED: Final = next(each for each in PROBES if isinstance(each.expects, Refusal) and each.essential)
WARNED: Final = next(
    each for each in PROBES if isinstance(each.expects, Refusal) and each.expects.policy.warns and not each.essential
)
STAMPED: Final = next(each for each in PROBES if isinstance(each.expects, Stamp))
EVICTED: Final = next(each for each in PROBES if not each.dry)


def test_every_policy_is_provoked_once_or_it_is_said_why_not() -> None:
    """A new policy without a probe is found here, not by an attacker."""
    unprovoked = {f"ValidatingAdmissionPolicy {name}" for name in UNPROVOKED}
    subjects = [each.subject for each in PROBES]
    assert sorted((*subjects, *unprovoked)) == sorted(EVERY)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.subject)
def test_a_probe_leaves_nothing_behind(probe: Probe) -> None:
    """It is a dry run, or it is about a pod that is not there; and it is about nobody's namespace."""
    assert "dryRun=All" in probe.target or (not probe.dry and "/pods/canary-probe/" in probe.path)
    ours = (names.CANARY, names.CANARY_HOME, names.OPERATOR_NAMESPACE, "default")
    parts = probe.path.split("/")
    assert "namespaces" not in parts[:-1] or parts[parts.index("namespaces") + 1] in ours


def words(probe: Probe) -> str:
    """How the API server would tell of the refusal."""
    assert isinstance(probe.expects, Refusal)
    policy, rule = VALIDATIONS[probe.expects.rule]
    return f"x is forbidden: ValidatingAdmissionPolicy '{policy.name}' with binding 'b' denied request: {rule.says} y"


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Answer(403, words(REFUSED)), Verdict.HELD),
        (Answer(201, ""), Verdict.ACCEPTED),
        (Answer(403, "x is forbidden: User 'canary' cannot create"), Verdict.OTHERWISE),
        (Answer(403, words(REFUSED).replace("ringfence-", "other-")), Verdict.OTHERWISE),
        (Answer(403, "ValidatingAdmissionPolicy 'x' denied request: failed to configure binding: y"), Verdict.UNKNOWN),
        (Answer(404, "not found"), Verdict.OTHERWISE),
        (Answer(429, "slow down"), Verdict.UNKNOWN),
        (Answer(503, words(REFUSED)), Verdict.UNKNOWN),
        (Answer(0, "no answer"), Verdict.UNKNOWN),
    ],
)
def test_only_the_policys_own_words_count(answer: Answer, verdict: Verdict) -> None:
    """Whoever else refuses may stop to any day, and a server in trouble says nothing."""
    assert judge(REFUSED, answer) is verdict


def test_a_warning_is_a_warning() -> None:
    """A policy that only warns is in force where the request passes with its words."""
    assert judge(WARNED, Answer(201, "", (f'299 - "{words(WARNED)}"',))) is Verdict.HELD
    assert judge(WARNED, Answer(201)) is Verdict.ACCEPTED
    assert judge(WARNED, Answer(403, words(WARNED))) is Verdict.OTHERWISE


def test_a_stamp_is_seen_in_the_answer() -> None:
    """Nothing else tells that something is filled in."""
    assert isinstance(STAMPED.expects, Stamp)
    filled: object = STAMPED.expects.value
    for step in reversed(STAMPED.expects.path):
        filled = {step: filled} if isinstance(step, str) else [filled]
    assert isinstance(filled, dict)
    assert judge(STAMPED, Answer(201, body=filled)) is Verdict.HELD
    assert judge(STAMPED, Answer(201, body={})) is Verdict.ACCEPTED
    assert judge(STAMPED, Answer(403, "no")) is Verdict.OTHERWISE


def test_a_pod_that_is_not_there_means_that_nobody_refused() -> None:
    """The API server looks for it after all policies."""
    assert judge(EVICTED, Answer(404, 'pods "canary-probe" not found')) is Verdict.ACCEPTED


def test_a_fence_rests_on_what_refuses() -> None:
    """What is filled in, people can write; what warns, they find out."""
    assert REFUSED.essential
    assert not WARNED.essential
    assert not STAMPED.essential
    assert not replace(REFUSED, expects=Refusal("hold-born-released", fills="ringfence-stamps")).essential


def test_the_canary_stands_in_namespaces_that_no_tenant_can_have() -> None:
    """By their names and by their label; and everything in them is fenced before it has a role."""
    stages = plan_canary().stages
    assert [stage.name for stage in stages] == ["namespace", "fence", "access"]
    assert {each.ref.name for each in stages[0].apply} == {names.CANARY, names.CANARY_HOME}
    for each in stages[0].apply:
        assert each.manifest["metadata"]["labels"][names.TENANT_LABEL] == names.CANARY_TENANT
    assert names.CANARY_TENANT in RESERVED_NAMES


def test_the_account_for_whose_token_the_canary_asks_is_planted_before_its_roles() -> None:
    """The API server looks it up first: where it is not there, nobody asks the policy."""
    planted = [each.ref.path for stage in plan_canary().stages[:-1] for each in stage.apply]
    asked = [each.path.removesuffix("/token") for each in PROBES if each.path.endswith("/token")]
    assert asked
    assert set(asked) <= set(planted)


def test_only_two_identities_ask() -> None:
    """Those that the roles and the policies know."""
    assert {each.asker for each in PROBES} == set(Asker)
