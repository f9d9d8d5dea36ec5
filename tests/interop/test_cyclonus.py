"""Cyclonus, by which network plugins test themselves, answers as we do; where it does not, it is known why.

Two differences are known, both in how it reads label selectors; Kubernetes' own library decides there
(docs/explanation/reachability.md).
"""

import copy
import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from ringfence.reach.decide import Answer, decide
from ringfence.reach.ports import Port
from ringfence.reach.selectors import Selector
from ringfence.reach.world import External, Pod, World
from tests.policy_sets import Object, PolicySet, labels, policy_set, question_ports, selector

SOURCE: Final = Path(__file__).parent / "cyclonus"
SETS: Final = 2500
QUESTIONS: Final = 20  # of each set
SELECTORS: Final = 5000
SEED: Final = 20261122

Sides = tuple[bool, bool]
"""Whether egress and ingress allow it."""


@pytest.fixture(scope="module")
def cyclonus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, built from its pinned module."""
    go = shutil.which("go")
    assert go, "Go builds the other analyser: https://go.dev/dl"
    binary = tmp_path_factory.mktemp("cyclonus") / "cyclonus"
    environment = {**os.environ, "GOFLAGS": "-mod=readonly", "GOWORK": "off", "CGO_ENABLED": "0"}
    subprocess.run([go, "build", "-o", binary, "."], cwd=SOURCE, env=environment, check=True)
    return binary


def _ask(cyclonus: Path, asked: Object) -> Any:
    run = subprocess.run([cyclonus], input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@dataclass(frozen=True)
class Question:
    """One connection; ends by their number."""

    source: int
    target: int
    port: Port


def test_2500_random_policy_sets_are_answered_alike(cyclonus: Path) -> None:
    """Each side of each connection, and nothing else than the reading of NotIn ever makes a difference."""
    random = Random(SEED)
    sets = [policy_set(random, most=10) for _ in range(SETS)]
    questions = [[_question(random, each) for _ in range(QUESTIONS)] for each in sets]
    cases = [_case(each, asked) for each, asked in zip(sets, questions, strict=True)]
    theirs = _ask(cyclonus, {"cases": cases})["cases"]
    found: Counter[Sides] = Counter()
    explained = 0
    for each, asked, answers in zip(sets, questions, theirs, strict=True):
        ours = each.world()
        for question, answer in zip(asked, answers, strict=True):
            sides, expected = _sides(ours, each, question), (answer["egress"], answer["ingress"])
            found[sides] += 1
            if sides != expected:
                explained += 1
                their_way = each.world([_as_cyclonus_reads(policy) for policy in each.policies])
                assert _sides(their_way, each, question) == expected, (each, question)
    assert found.total() == SETS * QUESTIONS
    assert min(found.values()) > found.total() / 20, "every combination of answers is well represented"
    assert 0 < explained < found.total() / 20


def test_selectors_match_as_they_do_in_kubernetes_own_library(cyclonus: Path) -> None:
    """Cyclonus differs in two ways: NotIn without the key, and an empty value that is asked for without the key."""
    random = Random(SEED)
    asked = [(_sometimes_empty(random, selector(random)), labels(random)) for _ in range(SELECTORS)]
    answers = _ask(cyclonus, {"selectors": [{"selector": each, "labels": have} for each, have in asked]})["selectors"]
    different = 0
    for (raw, have), answer in zip(asked, answers, strict=True):
        parsed = Selector.parse(raw)
        assert parsed.matches(have) == answer["kubernetes"], (raw, have)
        if answer["cyclonus"] != answer["kubernetes"]:
            different += 1
            assert any(
                each.key not in have and (each.operator == "NotIn" or "" in each.values) for each in parsed.requirements
            )
    assert different > 0


def _question(random: Random, asked: PolicySet) -> Question:
    """Two ends of which at least one is a pod, and a port."""
    ends = range(len(asked.ends))
    while True:
        source, target = random.sample(ends, 2)
        if any(isinstance(asked.ends[end], Pod) for end in (source, target)):
            return Question(source, target, Port(*question_ports(random)))


def _sides(world: World, asked: PolicySet, question: Question) -> Sides:
    verdict = decide(world, asked.ends[question.source], asked.ends[question.target])
    answers = [side.answer(question.port) for side in (verdict.egress, verdict.ingress)]
    assert Answer.UNKNOWN not in answers
    return answers[0] is Answer.ALLOWED, answers[1] is Answer.ALLOWED


def _case(asked: PolicySet, questions: list[Question]) -> Object:
    return {
        "policies": [_as_stored(policy) for policy in asked.policies],
        "ends": [_end(asked, end) for end in asked.ends],
        "questions": [
            {
                "source": each.source,
                "target": each.target,
                "port": each.port.number,
                "portName": _called(asked.ends[each.target], each.port),
                "protocol": each.port.protocol,
            }
            for each in questions
        ],
    }


def _end(asked: PolicySet, end: Pod | External) -> Object:
    if isinstance(end, External):
        return {"address": str(end.address)}
    return {
        "namespace": end.namespace,
        "namespaceLabels": dict(asked.namespaces[end.namespace]),
        "podLabels": dict(end.labels),
        "address": str(end.addresses[0]),
    }


def _called(end: Pod | External, port: Port) -> str:
    names = end.ports if isinstance(end, Pod) else {}
    called = (name for (name, protocol), found in names.items() if protocol == port.protocol and port.number in found)
    return next(called, "")


def _as_stored(policy: Object) -> Object:
    """With the types that the API server fills in, without which Cyclonus takes no policy."""
    spec = policy["spec"]
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    return {**policy, "spec": {**spec, "policyTypes": types}}


def _as_cyclonus_reads(policy: Object) -> Object:
    """The policy in which every NotIn demands the key too."""
    changed = copy.deepcopy(policy)
    for expressions in _expressions(changed["spec"]):
        keys = [each["key"] for each in expressions if each["operator"] == "NotIn"]
        expressions += [{"key": key, "operator": "Exists"} for key in keys]
    return changed


def _expressions(part: Any) -> Iterator[list[Object]]:
    if isinstance(part, list):
        for each in part:
            yield from _expressions(each)
    elif isinstance(part, Mapping):
        for name, value in part.items():
            if name == "matchExpressions":
                yield value
            else:
                yield from _expressions(value)


def _sometimes_empty(random: Random, raw: Object) -> Object:
    """The selector, now and then with an empty value in it: a legal one."""
    if random.random() < 0.1:
        return {**raw, "matchLabels": {**raw.get("matchLabels", {}), "app": ""}}
    return raw
