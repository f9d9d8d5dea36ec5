"""The attack table: what each admission rule refuses, beside what it lets pass, with no operator to help.

Law: each row is refused by its one rule and by no other; each rule has a row that passes once the rule is gone.
"""

import copy
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

import pytest

from ringfence.admission.catalogue import POLICIES, VALIDATIONS
from ringfence.controlplane import MERGE_PATCH, ControlPlane
from tests.apiserver.installing import install
from tests.attack import rows_access, rows_fence, rows_kinds, rows_network, rows_operator, rows_workloads
from tests.attack.asking import Answer
from tests.attack.prepared import GITOPS, Prepared, prepare
from tests.attack.rows import Row
from tests.controlplane_fixtures import Kubectl
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver

ROWS: Final[tuple[Row, ...]] = (
    *rows_fence.ROWS,
    *rows_network.ROWS,
    *rows_access.ROWS,
    *rows_workloads.ROWS,
    *rows_kinds.ROWS,
    *rows_operator.ROWS,
)
WARNED: Final = frozenset(each.id for policy in POLICIES if policy.warns for each in policy.validations)
LONGEST: Final = 60  # seconds for the whole table
ADMISSION: Final = "/apis/admissionregistration.k8s.io/v1"


@pytest.fixture(scope="module")
def grounds(controlplane: ControlPlane, kubectl: Kubectl) -> Prepared:
    """Tenants and their people, and no operator."""
    install(kubectl, "--server-side")
    return prepare(controlplane)


def said(rule: str, answer: Answer) -> bool:
    """Whether the answer is this rule's own."""
    mark = f"ringfence {rule}: "
    if rule in WARNED:
        return answer.status < 400 and any(mark in warning for warning in answer.warnings)
    return answer.forbidden and mark in answer.message


def passed(row: Row, answer: Answer, *, connects: bool) -> bool:
    """Whether it was allowed. There are no nodes: a connection that nobody forbids ends nowhere."""
    done = not answer.forbidden if connects else answer.status < 400
    return done and (row.rule not in WARNED or not said(row.rule, answer))


def all_refused(rows: Sequence[Row], answers: Sequence[Answer]) -> bool:
    """Whether each is, by its own rule; fails with those that are not."""
    wrong = [(row, answer) for row, answer in zip(rows, answers, strict=True) if not said(row.rule, answer)]
    assert not wrong, "\n".join(f"{row.id}: {answer.status} {answer.message}" for row, answer in wrong)
    return True


def test_every_attack_is_refused_by_its_own_rule_and_its_twin_is_allowed(grounds: Prepared) -> None:
    """As whoever would try it, and as a GitOps account with every right; in a minute."""
    began = time.monotonic()
    answers = grounds.asker.ask([row.twin for row in ROWS])
    twins = zip(ROWS, answers, strict=True)
    refused = [(row, answer) for row, answer in twins if not passed(row, answer, connects=row.twin[1].connects)]
    assert not refused, "\n".join(f"{row.id}: {answer.status} {answer.message}" for row, answer in refused)
    assert all_refused(ROWS, grounds.asker.ask([row.attack for row in ROWS]))
    repeated = [row for row in ROWS if not row.personal]
    assert all_refused(repeated, grounds.asker.ask([(GITOPS, row.attack[1]) for row in repeated]))
    assert time.monotonic() - began < LONGEST


def test_every_rule_has_a_row_and_every_row_a_rule() -> None:
    """No expression without an attack that it refuses."""
    assert {row.rule for row in ROWS} == set(VALIDATIONS)


@pytest.fixture
def warned(grounds: Prepared) -> Iterator[None]:
    """All policies only warn, so that every rule that fails is told and not the first alone."""
    for policy in POLICIES:
        for binding in policy.bindings:
            _change(grounds, binding, {"validationActions": ["Warn"]})
    yield
    for policy in POLICIES:
        for binding in policy.bindings:
            _change(grounds, binding, {"validationActions": binding["spec"]["validationActions"]})
    refused = ROWS[0]
    eventually(lambda: said(refused.rule, grounds.asker.ask([refused.attack])[0]), 30)


@pytest.mark.usefixtures("warned")
def test_no_row_is_refused_by_two_rules(grounds: Prepared) -> None:
    """Then the removal of its rule alone lets it pass."""
    eventually(lambda: not grounds.asker.ask([ROWS[0].attack])[0].forbidden, 30)
    answers = grounds.asker.ask([row.attack for row in ROWS])
    found = {row.id: _rules(answer) for row, answer in zip(ROWS, answers, strict=True)}
    wrong = [f"{row}: {rules}" for row, rules in found.items() if rules != {row.partition(":")[0]}]
    assert not wrong, "\n".join(wrong)


def _rules(answer: Answer) -> set[str]:
    return {rule for rule in VALIDATIONS if any(f"ringfence {rule}: " in warning for warning in answer.warnings)}


@dataclass(frozen=True)
class Round:
    """One rule of each policy taken away at once; no row rests on two of them."""

    rules: frozenset[str]


def rounds() -> list[Round]:
    """As many as the longest policy has rules."""
    columns = zip_longest(*([each.id for each in policy.validations] for policy in POLICIES))
    return [Round(frozenset(rule for rule in column if rule)) for column in columns]


def test_every_expression_matters(grounds: Prepared) -> None:
    """Each is replaced by `true` in turn; then its rows pass, and when it is back they don't."""
    began = time.monotonic()
    survivors: set[str] = set()
    for each in rounds():
        for policy in POLICIES:
            _change(grounds, policy.manifest, {"validations": _without(policy.manifest, each.rules)})
        rows = [row for row in ROWS if row.rule in each.rules and not row.backed]
        survivors |= _survivors(grounds, rows)
    for policy in POLICIES:
        _change(grounds, policy.manifest, {"validations": policy.manifest["spec"]["validations"]})
    assert not survivors, "\n".join(sorted(survivors))
    eventually(lambda: all_refused(ROWS, grounds.asker.ask([row.attack for row in ROWS])), 30)
    print(f"{len(VALIDATIONS)} expressions, {len(ROWS)} rows, {time.monotonic() - began:.0f} s")


def _survivors(grounds: Prepared, rows: Sequence[Row]) -> set[str]:
    """Rows that are refused although their rule is gone."""
    left = list(rows)

    def all_pass() -> bool:
        answers = grounds.asker.ask([row.attack for row in left])
        left[:] = [
            row
            for row, answer in zip(left, answers, strict=True)
            if not passed(row, answer, connects=row.attack[1].connects)
        ]
        return not left

    try:
        eventually(all_pass, 10)
    except AssertionError:
        return {row.id for row in left}
    return set()


def _without(manifest: Mapping[str, Any], rules: frozenset[str]) -> list[dict[str, Any]]:
    validations = copy.deepcopy(manifest["spec"]["validations"])
    for validation in validations:
        if validation["message"].removeprefix("ringfence ").partition(":")[0] in rules:
            validation["expression"] = "true"
    return list(validations)


def _change(grounds: Prepared, manifest: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
    plural = {
        "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
        "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
    }[manifest["kind"]]
    path = f"{ADMISSION}/{plural}/{manifest['metadata']['name']}"
    grounds.admin.request("PATCH", path, {"spec": spec}, content_type=MERGE_PATCH).must()
