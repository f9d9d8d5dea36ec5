"""The attack table: what each layer of the API server refuses, beside what it lets pass, with no operator to help.

Law: each row is refused by its one rule and by no other; each admission rule has a row that passes once the rule is
gone, and so does each row of the other layers once its right is given or its own rule is taken away.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import pytest

from ringfence import names
from ringfence.admission.catalogue import VALIDATIONS
from ringfence.admission.threats import Threat
from ringfence.controlplane import ControlPlane
from tests.apiserver.installing import REPOSITORY
from tests.attack import (
    rows_access,
    rows_fence,
    rows_kinds,
    rows_limits,
    rows_network,
    rows_operator,
    rows_roles,
    rows_schema,
    rows_tenants,
    rows_workloads,
)
from tests.attack.asking import Answer, Request, Who, create, patch, replace
from tests.attack.dismantling import Dismantling, rounds
from tests.attack.loosening import PARTS, Part
from tests.attack.prepared import (
    ADMIN,
    CISO,
    DEVELOPER,
    GITOPS,
    OWNER,
    PROMOTER,
    Prepared,
    annotated,
    prepare,
)
from tests.attack.rows import Row, core, named
from tests.installed import installed
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver

POLICY_ROWS: Final[tuple[Row, ...]] = (
    *rows_fence.ROWS,
    *rows_network.ROWS,
    *rows_access.ROWS,
    *rows_workloads.ROWS,
    *rows_kinds.ROWS,
    *rows_operator.ROWS,
)
LAYER_ROWS: Final[tuple[Row, ...]] = (*rows_roles.ROWS, *rows_schema.ROWS, *rows_tenants.ROWS, *rows_limits.ROWS)
ROWS: Final = (*POLICY_ROWS, *LAYER_ROWS)
NOT_ASKED: Final = {
    Threat.FORGED_HEADERS: "headers never reach the API server: a gateway must refuse them",
    Threat.SHELLS_IN_IMAGES: "what is in an image is decided where it is built",
}
AUDIT_POLICY: Final = REPOSITORY / "manifests" / "audit" / "policy.yaml"
LONGEST: Final = 60  # seconds for the whole table


@pytest.fixture(scope="module")
def controlplane(pytestconfig: pytest.Config) -> Iterator[ControlPlane]:
    """One that writes the audit log that is shipped."""
    with installed(pytestconfig, AUDIT_POLICY) as plane:
        yield plane


@pytest.fixture(scope="module")
def grounds(controlplane: ControlPlane) -> Prepared:
    """Tenants and their people, and no operator."""
    return prepare(controlplane)


def all_refused(rows: Sequence[Row], answers: Sequence[Answer]) -> bool:
    """Whether each is, by its own rule; fails with those that are not."""
    wrong = [(row, answer) for row, answer in zip(rows, answers, strict=True) if not row.refused(answer)]
    assert not wrong, "\n".join(f"{row.id}: {answer.status} {answer.message}" for row, answer in wrong)
    return True


def test_every_attack_is_refused_by_its_own_rule_and_its_twin_is_allowed(grounds: Prepared) -> None:
    """As whoever would try it, and as a GitOps account with every right; in a minute."""
    began = time.monotonic()
    answers = grounds.asker.ask([row.twin for row in ROWS])
    twins = zip(ROWS, answers, strict=True)
    refused = [(row, answer) for row, answer in twins if not row.passed(answer, row.twin[1])]
    assert not refused, "\n".join(f"{row.id}: {answer.status} {answer.message}" for row, answer in refused)
    assert all_refused(ROWS, grounds.asker.ask([row.attack for row in ROWS]))
    repeated = [row for row in ROWS if not row.personal]
    assert all_refused(repeated, grounds.asker.ask([(GITOPS, row.attack[1]) for row in repeated]))
    assert time.monotonic() - began < LONGEST


def test_every_rule_has_a_row_and_every_row_a_rule() -> None:
    """No expression without an attack that it refuses."""
    assert {row.rule for row in POLICY_ROWS} == set(VALIDATIONS)


def test_every_line_of_the_attack_list_has_a_row() -> None:
    """Or a reason why the API server is not asked about it."""
    assert {threat for row in ROWS for threat in row.threats} == set(Threat) - set(NOT_ASKED)


def test_no_two_rows_send_the_same() -> None:
    """A row that repeats another one proves nothing."""
    sent = [(row.attack, row.rule) for row in ROWS]
    assert [each for index, each in enumerate(sent) if each in sent[:index]] == []


@pytest.fixture
def warned(grounds: Prepared) -> Iterator[None]:
    """All policies only warn."""
    dismantling = Dismantling(grounds.admin)
    dismantling.only_warn()
    # The API server takes a change of each binding up by itself, one after another.
    attacks = [row.attack for row in POLICY_ROWS]
    eventually(lambda: not any("denied request: ringfence" in each.message for each in grounds.asker.ask(attacks)), 90)
    yield
    dismantling.refuse_again()
    eventually(lambda: ROWS[0].refused(grounds.asker.ask([ROWS[0].attack])[0]), 90)


@pytest.mark.usefixtures("warned")
def test_no_row_is_refused_by_two_rules(grounds: Prepared) -> None:
    """Then the removal of its rule alone lets it pass."""
    answers = grounds.asker.ask([row.attack for row in POLICY_ROWS])
    found = {row.id: (row.rule, _rules(answer)) for row, answer in zip(POLICY_ROWS, answers, strict=True)}
    wrong = [f"{row}: {rules}" for row, (rule, rules) in found.items() if rules != {rule}]
    assert not wrong, "\n".join(wrong)


def _rules(answer: Answer) -> set[str]:
    return {rule for rule in VALIDATIONS if any(f"ringfence {rule}: " in warning for warning in answer.warnings)}


def test_every_expression_matters(grounds: Prepared) -> None:
    """Each is replaced by `true` in turn; then its rows pass, and when it is back they don't."""
    dismantling, survivors = Dismantling(grounds.admin), set[str]()
    for rules in rounds():
        dismantling.take_away(rules)
        survivors |= _refused_still(grounds, [row for row in POLICY_ROWS if row.rule in rules and not row.backed])
    dismantling.take_away(frozenset())
    assert not survivors, "\n".join(sorted(survivors))
    eventually(lambda: all_refused(POLICY_ROWS, grounds.asker.ask([row.attack for row in POLICY_ROWS])), 90)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_rule_of_the_other_layers_matters(grounds: Prepared, part: Part) -> None:
    """Each attack succeeds where its right is given, its rule is gone, its namespace is lax or its quota is ample."""
    rows = [row for row in LAYER_ROWS if part.belongs(row)]
    with part.loosened(grounds.admin, rows):
        assert _refused_still(grounds, rows) == set()
    eventually(lambda: all_refused(rows, grounds.asker.ask([row.attack for row in rows])), 90)


def test_no_row_is_left_out_of_the_loosening() -> None:
    """Each belongs to one part, and is seen to pass without its rule."""
    assert [sum(part.belongs(row) for part in PARTS) for row in LAYER_ROWS] == [1] * len(LAYER_ROWS)


def _refused_still(grounds: Prepared, rows: Sequence[Row]) -> set[str]:
    """Rows that go on being refused although their rule is gone; what is backed goes on so by something else."""
    left = list(rows)

    def none_left() -> bool:
        answers = zip(left, grounds.asker.ask([row.attack for row in left]), strict=True)
        left[:] = [row for row, answer in answers if not _let_through(row, answer)]
        return not left

    with suppress(AssertionError):
        eventually(none_left, 90)
    return {row.id for row in left}


def _let_through(row: Row, answer: Answer) -> bool:
    return not row.refused(answer) if row.backed else row.passed(answer, row.attack[1])


def test_no_expression_is_misspelt(grounds: Prepared) -> None:
    """The API server knows the types of most resources, and finds no fault with any expression."""
    assert eventually(lambda: [Dismantling(grounds.admin).warnings()], 90) == [[]]


def test_regions_are_added_to_every_alternative(grounds: Prepared) -> None:
    """Terms of a node affinity are alternatives: one without the regions would be a way out."""
    ours, zone = in_region("eu-central-1"), {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a"]}
    assert terms(grounds) == [[ours]]
    assert terms(grounds, [zone], [ours, zone]) == [[zone, ours], [ours, zone]]
    assert terms(grounds, [in_region("us-east-1")]) == [[in_region("us-east-1"), ours]], "no node is in both"


def test_accounts_of_tenants_mount_no_token_unless_they_say_so(grounds: Prepared) -> None:
    """What the cluster's own accounts do is left as it is."""
    for where, said_so, expected in (("acme-dev", None, False), ("acme-dev", True, True), ("default-team", None, None)):
        account = named("worker", {} if said_so is None else {"automountServiceAccountToken": said_so})
        made = after(grounds, GITOPS, create(core(where, "serviceaccounts"), account))
        assert made.get("automountServiceAccountToken") is expected


def test_who_asks_is_written_by_the_api_server(grounds: Prepared) -> None:
    """Whoever changed the spec last; a change of anything else leaves his name, even where it is left out."""
    wish = {"spec": {"limits": {"requestsPerMinute": 7}}}
    assert notes(grounds, OWNER, patch(rows_kinds.CHAT, wish))[names.REQUESTED_BY_ANNOTATION] == OWNER.user
    (stored,) = grounds.asker.ask([(OWNER, Request("GET", rows_kinds.CHAT, None, {}))])
    bare = {**stored.body, "metadata": {"name": "chat", "resourceVersion": stored.body["metadata"]["resourceVersion"]}}
    assert notes(grounds, OWNER, replace(rows_kinds.CHAT, bare))[names.REQUESTED_BY_ANNOTATION] == PROMOTER.user


def test_who_promotes_approves_and_confirms_is_written_by_the_api_server(grounds: Prepared) -> None:
    """And goes with what was promoted or confirmed."""
    stamp = f"{names.PROMOTED_BY_PREFIX}staging"
    assert notes(grounds, OWNER, rows_kinds.promote("staging", rows_kinds.OTHER))[stamp] == OWNER.user
    assert stamp not in notes(grounds, OWNER, patch(rows_kinds.CHAT, {"spec": {"promotions": {"staging": None}}}))
    (approval,) = after(grounds, CISO, rows_kinds.approve("prod"))["spec"]["approvals"]
    assert approval["by"] == CISO.user
    asked = {"spec": {"legalHolds": [{**rows_kinds.CASE, **rows_kinds.RELEASE}]}}
    (hold,) = after(grounds, ADMIN, patch(rows_kinds.policy("acme", "standing"), asked))["spec"]["legalHolds"]
    assert hold["release"]["requestedBy"] == ADMIN.user
    wish = {names.CONFIRM_DELETE_ANNOTATION: "acme"}
    confirmed = notes(grounds, GITOPS, patch(rows_kinds.tenant("acme"), annotated(wish)))
    assert confirmed[names.CONFIRM_DELETE_BY_ANNOTATION] == GITOPS.user
    withdrawn = annotated(dict.fromkeys(wish))
    assert names.CONFIRM_DELETE_BY_ANNOTATION not in notes(
        grounds, GITOPS, patch(rows_kinds.tenant("closing"), withdrawn)
    )


def after(grounds: Prepared, who: Who, request: Request) -> dict[str, Any]:
    """The object as the API server would store it."""
    (answer,) = grounds.asker.ask([(who, request)])
    assert answer.status < 400, answer.message
    return dict(answer.body)


def notes(grounds: Prepared, who: Who, request: Request) -> dict[str, str]:
    """Its annotations."""
    return dict(after(grounds, who, request)["metadata"].get("annotations", {}))


def in_region(*regions: str) -> dict[str, Any]:
    return {"key": "topology.kubernetes.io/region", "operator": "In", "values": list(regions)}


def terms(grounds: Prepared, *asked: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """What each term requires, for a pod that asks for these terms."""
    request = rows_workloads.affine(*({"matchExpressions": each} for each in asked)) if asked else rows_workloads.run()
    affinity = after(grounds, DEVELOPER, request)["spec"]["affinity"]["nodeAffinity"]
    found = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    return [term["matchExpressions"] for term in found]


def test_the_shipped_audit_policy_tells_what_matters_and_no_content(grounds: Prepared) -> None:
    """A refusal with its rule, a broken glass with its reason, a shell; no body of anything, and no noise."""
    events = [json.loads(line) for line in grounds.plane.audit_log.read_bytes().splitlines()]
    assert not [event for event in events if "requestObject" in event or "responseObject" in event]
    notes_of = [event.get("annotations", {}) for event in events]
    assert any(
        "fence-objects" in each.get("validation.policy.admission.k8s.io/validation_failure", "") for each in notes_of
    )
    assert any("the cluster burns" in each.get("ringfence-break-glass/break-glass", "") for each in notes_of)
    assert any(event.get("objectRef", {}).get("subresource") == "exec" for event in events)
    told = {(event["verb"], event.get("objectRef", {}).get("resource")) for event in events}
    assert ("create", "tenants") in told
    assert not {("list", "tenants"), ("get", "configmaps"), ("update", "leases")} & told
