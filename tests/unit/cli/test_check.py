"""What `ringfence check` says of what it saw."""

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from ringfence import names
from ringfence.admission import drift
from ringfence.admission.answers import Answer
from ringfence.admission.probes import PROBES
from ringfence.cli import dispatch
from ringfence.cli.check import cluster, installed, network, rights, server
from ringfence.cli.check.finding import Finding, Grade, failed, is_bad, warning, well
from ringfence.cli.check.ledger import Log, judge_ledger
from ringfence.cli.check.network import ProbeError, Reach
from ringfence.model.crd import custom_resource_definition
from ringfence.model.registry import DEFINITIONS
from ringfence.plan.operator_rights import operator_roles
from ringfence.plan.roles import cluster_roles
from ringfence.ports.cluster import Grant

NOW: Final = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
KINDS: Final = frozenset(key.kind for key in drift.shipped())
ALL: Final = [Grant(frozenset("*"), frozenset("*"), frozenset("*"))]


def grades(findings: Any) -> list[tuple[str, Grade]]:
    """Checks and how they are."""
    return [(each.check, each.grade) for each in findings]


@pytest.mark.parametrize(
    ("version", "count", "worst"),
    [
        ("v1.36.3", 1, Grade.OK),
        ("v1.40.0-alpha.1", 1, Grade.OK),
        ("v1.35.1", 1, Grade.WARNING),
        (server.version_of({"gitVersion": "v1.36.3", "emulationMajor": "1", "emulationMinor": "35"}), 1, Grade.WARNING),
        (server.version_of({"gitVersion": "v1.36.3", "emulationMajor": "1", "emulationMinor": "36"}), 1, Grade.OK),
        (server.version_of({"gitVersion": "v1.30.1"}), 3, Grade.WARNING),
        ("v1.32.9+k3s1", 3, Grade.WARNING),
        ("v1.29.0", 4, Grade.FAILED),
        ("unknown", 1, Grade.WARNING),
    ],
)
def test_an_older_server_is_said_to_lack_what_it_lacks(version: str, count: int, worst: Grade) -> None:
    """Each thing by itself, with what therefore does not hold."""
    found = list(server.judge_version(version))
    assert len(found) == count
    order = [Grade.OK, Grade.WARNING, Grade.FAILED]
    assert max(found, key=lambda each: order.index(each.grade)).grade is worst


@pytest.mark.parametrize(
    ("date", "grade"),
    [
        ("Sun, 22 Nov 2026 12:00:01 GMT", Grade.OK),
        ("Sun, 22 Nov 2026 12:00:10 GMT", Grade.WARNING),
        ("Sun, 22 Nov 2026 11:59:20 GMT", Grade.FAILED),
        ("", Grade.WARNING),
    ],
)
def test_clocks_are_compared_in_the_middle_of_the_request(date: str, grade: Grade) -> None:
    """A second is nothing: the header has no fractions."""
    assert server.judge_clock(date, NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)).grade is grade


def definitions() -> dict[str, Any]:
    """Those of this release."""
    found = [custom_resource_definition(each) for each in DEFINITIONS]
    return copy.deepcopy({each["metadata"]["name"]: each for each in found})


def test_definitions_are_those_of_this_release() -> None:
    """Missing ones and others are named."""
    live = definitions()
    assert installed.judge_definitions(live).grade is Grade.OK
    live["tenants.ringfence.dev"]["spec"]["versions"][0]["schema"] = {}
    assert "of another release: tenants" in installed.judge_definitions(live).words
    del live["guardrails.ringfence.dev"]
    assert "missing: guardrails" in installed.judge_definitions(live).words


def test_roles_are_as_shipped() -> None:
    """But for those whose rules the cluster aggregates."""
    live = copy.deepcopy(
        {(each["kind"], each["metadata"]["name"]): each for each in (*cluster_roles(), *operator_roles())}
    )
    live["ClusterRole", "ringfence-tenant-owner"]["rules"] = [{"verbs": ["get"]}]
    assert installed.judge_roles(live).grade is Grade.OK
    live["ClusterRole", names.OPERATOR_SERVICE_ACCOUNT]["rules"].append({"verbs": ["*"]})
    assert "ClusterRole ringfence-operator" in installed.judge_roles(live).words
    del live["Role", names.OPERATOR_SERVICE_ACCOUNT]
    assert "missing" in installed.judge_roles(live).words


def test_policies_that_are_edited_or_missing_fail() -> None:
    """Where only what is filled in is missing, somebody should know."""
    live = dict(drift.shipped())
    assert grades(installed.judge_policies(live, KINDS)) == [("policies", Grade.OK)]
    older = frozenset(kind for kind in KINDS if kind.startswith("Validating"))
    assert grades(installed.judge_policies(live, older)) == [("policies", Grade.WARNING), ("policies", Grade.OK)]
    for key in [key for key in live if key.kind.startswith("Mutating")]:
        del live[key]
    assert grades(installed.judge_policies(live, KINDS)) == [("policies", Grade.WARNING)]
    pods = drift.Key("ValidatingAdmissionPolicy", "ringfence-pods")
    live[pods] = {**live[pods], "failurePolicy": "Ignore"}
    assert grades(installed.judge_policies(live, KINDS)) == [("policies", Grade.FAILED)]


def test_a_canary_that_could_not_ask_is_no_canary_that_was_refused() -> None:
    """Neither silence nor a pass is well."""
    passed = list(installed.judge_answers([(PROBES[0], Answer(201))]))
    silent = list(installed.judge_answers([(PROBES[0], Answer(0, "cannot impersonate"))]))
    assert "lets pass" in passed[0].words
    assert "cannot impersonate" in silent[0].words
    nothing = list(installed.judge_answers([]))
    assert passed[0].grade is silent[0].grade is nothing[0].grade is Grade.FAILED


def test_who_could_not_ask_is_told_who_can() -> None:
    """An operator that never ran, and a right to impersonate, are two things; neither is a missing policy."""
    refused = 'User "ann" cannot impersonate-on:serviceaccount:patch resource "namespaces"'
    lacking = list(installed.judge_answers([(PROBES[0], Answer(0, refused))]))
    assert "administrator" in lacking[0].step
    absent = installed.judge_planted(frozenset({names.CANARY}))
    assert absent is not None
    assert absent.grade is Grade.FAILED
    assert names.CANARY_HOME in absent.words
    assert "the operator runs" in absent.step
    assert installed.judge_planted(frozenset({names.CANARY, names.CANARY_HOME})) is None


def test_what_puts_a_policy_back_leaves_the_operators_image() -> None:
    """Whoever set the image by hand keeps it: only policies are to be applied."""
    live = {key: spec for key, spec in drift.shipped().items() if key.name != "ringfence-pods"}
    missing = list(installed.judge_policies(live, KINDS))
    passed = list(installed.judge_answers([(PROBES[0], Answer(201))]))
    assert all("manifests/policies" in each.step for each in (missing[0], passed[0]))


def test_what_is_somebody_elses_stops_an_install() -> None:
    """A namespace, or a policy, of a name that is ours."""
    ours, others = {"app.kubernetes.io/name": "ringfence"}, {"app.kubernetes.io/name": "other"}
    key = drift.Key("ValidatingAdmissionPolicy", "ringfence-pods")
    nothing = list(installed.judge_clashes({"default": {}}, {}, []))
    again = list(installed.judge_clashes({names.OPERATOR_NAMESPACE: ours}, definitions(), [(key, ours)]))
    assert grades(nothing) == grades(again) == [("clashes", Grade.OK)]
    foreign = list(installed.judge_clashes({names.CANARY: others}, {}, [(key, others)]))
    assert grades(foreign) == [("namespaces", Grade.FAILED), ("policies", Grade.FAILED)]
    helms = installed.judge_clashes({names.OPERATOR_NAMESPACE: {}}, {}, [])
    assert grades(helms) == [("namespaces", Grade.WARNING), ("clashes", Grade.OK)]
    other = definitions()
    other["tenants.ringfence.dev"]["spec"]["versions"] = []
    assert ("definitions", Grade.WARNING) in grades(installed.judge_clashes({}, other, []))


def test_who_installs_has_the_rights_to() -> None:
    """Those that are lacking are named, but not a page of them."""
    assert rights.judge_installer("ann", ALL).grade is Grade.OK
    lacking = rights.judge_installer("ann", [])
    assert lacking.grade is Grade.FAILED
    assert "more" in lacking.words
    assert list(rights.judge_rights("ann", [])) == []
    assert grades(rights.judge_rights(names.OPERATOR_USER, ALL)) == [("rights", Grade.OK)]
    assert grades(rights.judge_rights(names.OPERATOR_USER, [])) == [("rights", Grade.FAILED)]


def node(name: str, region: str = "", ready: str = "True") -> dict[str, Any]:
    """A node."""
    labels = {"topology.kubernetes.io/region": region} if region else {}
    return {
        "metadata": {"name": name, "labels": labels},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def test_nodes_without_a_region_are_counted() -> None:
    """Pods of tenants with regions never run there."""
    assert cluster.judge_nodes([node("a", "eu")]).grade is Grade.OK
    assert "1 of 2" in cluster.judge_nodes([node("a", "eu"), node("b")]).words
    assert cluster.judge_nodes([]).grade is Grade.WARNING


@dataclass
class FakePods:
    """A network plugin; implements the port."""

    answers: list[Reach]
    trouble: bool = False
    did: list[str] = field(default_factory=list)

    def begin(self) -> None:
        self.did.append("begin")

    def serve(self) -> str:
        if self.trouble:
            raise ProbeError("pod server is Pending after 60 s")
        self.did.append("serve")
        return "10.0.0.7"

    def connect(self, address: str) -> Reach:
        self.did.append(f"connect {address}")
        return self.answers.pop(0)

    def deny(self) -> None:
        self.did.append("deny")

    def end(self) -> None:
        self.did.append("end")


@pytest.mark.parametrize(
    ("before", "after", "grade"),
    [
        (Reach.OPEN, Reach.TIMEOUT, Grade.OK),
        (Reach.OPEN, Reach.REFUSED, Grade.OK),
        (Reach.OPEN, Reach.OPEN, Grade.FAILED),
        (Reach.TIMEOUT, Reach.TIMEOUT, Grade.WARNING),
        (Reach.REFUSED, Reach.TIMEOUT, Grade.WARNING),
    ],
)
def test_a_deny_counts_where_the_same_probe_was_open_before(before: Reach, after: Reach, grade: Grade) -> None:
    """A network in which nothing connects enforces nothing, either."""
    pods = FakePods([before, after])
    assert network.judge_network(network.probe(pods)).grade is grade
    assert pods.did == ["begin", "serve", "connect 10.0.0.7", "deny", "connect 10.0.0.7", "end"]


def test_what_was_made_for_a_probe_goes_however_it_ends() -> None:
    """And why it could not be made is told, as something to know."""
    pods = FakePods([], trouble=True)
    with pytest.raises(ProbeError) as raised:
        network.probe(pods)
    assert pods.did == ["begin", "end"]
    finding = network.judge_failure(raised.value)
    assert finding.grade is Grade.WARNING
    assert "Pending" in finding.words


def test_without_a_ready_node_nothing_is_claimed_of_the_network() -> None:
    """Nor without having been asked to make pods."""
    for nodes in ([], [node("a", ready="False")]):
        finding = network.judge_unprobed(nodes, asked=True)
        assert finding is not None
        assert (finding.grade, finding.words[:9]) == (Grade.WARNING, "no nodes:")
    unasked = network.judge_unprobed([node("a")], asked=False)
    assert unasked is not None
    assert unasked.grade is Grade.WARNING
    assert network.judge_unprobed([node("a")], asked=True) is None


def test_names_are_resolved_and_volumes_have_a_class() -> None:
    """Or somebody says where."""
    standard = {"metadata": {"name": "s", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}}
    found = cluster.judge_services([{"metadata": {"name": "kube-dns"}}], [standard])
    assert grades(found) == [("dns", Grade.OK), ("storage", Grade.OK)]
    none = cluster.judge_services([], [{"metadata": {"name": "s"}}])
    assert grades(none) == [("dns", Grade.WARNING), ("storage", Grade.WARNING)]


@pytest.mark.parametrize(
    ("log", "grade"),
    [
        (Log("platform", 3, 2, 3), Grade.OK),
        (Log("platform", 3, 2, None), Grade.OK),
        (Log("platform", 3, 1, 3), Grade.FAILED),
        (Log("platform", 3, 2, 4), Grade.FAILED),
        (Log("platform", 0, -1, None, "damaged"), Grade.FAILED),
    ],
)
def test_a_record_that_is_shorter_than_it_says_fails(log: Log, grade: Grade) -> None:
    """Its own end and its published checkpoint speak of what is there."""
    assert judge_ledger([log]).grade is grade
    assert judge_ledger([]).grade is Grade.WARNING


def test_warnings_fail_only_where_that_is_asked_for() -> None:
    """A script chooses."""
    fine, so_so, bad = well("x", "y"), warning("x", "y"), failed("x", "y")
    assert not is_bad([fine, so_so], strict=False)
    assert is_bad([fine, so_so], strict=True)
    assert is_bad([fine, bad], strict=False)


def test_a_cluster_that_is_not_there_is_a_failure_with_a_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a wrong option is a wrong command line."""
    missing = tmp_path / "nowhere"
    with pytest.raises(SystemExit) as ended:
        dispatch("ringfence", ["check", "--kubeconfig", str(missing)])
    assert ended.value.code == 1
    assert "✗ server" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        dispatch("ringfence", ["check", "--wrong"])
    assert ended.value.code == 2


def test_a_line_has_a_sign_words_and_a_step() -> None:
    """For people and for scripts."""
    finding = Finding("clock", Grade.WARNING, "3 s", "set the clocks")
    assert finding.value == {"check": "clock", "grade": "warning", "words": "3 s", "step": "set the clocks"}
    assert [grade.sign for grade in Grade] == ["✓", "!", "✗"]
