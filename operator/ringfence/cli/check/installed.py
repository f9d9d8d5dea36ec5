"""What is installed: definitions, roles, policies, and whether those refuse.

Law: what is compared is what this release ships; whatever else stands there is somebody else's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, Final

from ringfence import names
from ringfence.admission import drift
from ringfence.admission.answers import Answer, Probe, Verdict, judge
from ringfence.admission.probes import UNPROVOKED
from ringfence.cli.check.finding import Finding, failed, warning, well
from ringfence.model.crd import custom_resource_definition
from ringfence.model.registry import DEFINITIONS
from ringfence.plan.enforcement import in_words
from ringfence.plan.operator_rights import operator_roles
from ringfence.plan.roles import cluster_roles

INSTALL: Final = "apply manifests/install or the chart of this release"
POLICIES: Final = "apply manifests/policies or the chart of this release"
"""What puts policies back and leaves the Deployment, whose image somebody chose, as it is."""
IMPERSONATE: Final = "impersonate"
OURS: Final = {"app.kubernetes.io/name": "ringfence"}


def judge_definitions(live: Mapping[str, Any]) -> Finding:
    """CustomResourceDefinitions by name, as they are in the cluster."""
    wanted = [custom_resource_definition(each) for each in DEFINITIONS]
    missing = [each["metadata"]["name"] for each in wanted if each["metadata"]["name"] not in live]
    if missing:
        return failed("definitions", f"missing: {', '.join(missing)}", INSTALL)
    other = [each["metadata"]["name"] for each in wanted if _schemas(each) != _schemas(live[each["metadata"]["name"]])]
    if other:
        return failed("definitions", f"of another release: {', '.join(other)}", INSTALL)
    return well("definitions", f"{len(wanted)} of this release")


def _schemas(definition: Mapping[str, Any]) -> list[Any]:
    return [(each["name"], each.get("schema")) for each in definition["spec"]["versions"]]


def judge_roles(live: Mapping[tuple[str, str], Any]) -> Finding:
    """Rules of roles by kind and name; those that are aggregated are the cluster's to fill in."""
    wanted = {(each["kind"], each["metadata"]["name"]): each for each in (*cluster_roles(), *operator_roles())}
    missing = [name for _, name in sorted(wanted.keys() - live.keys())]
    if missing:
        return failed("roles", f"missing: {', '.join(missing)}", INSTALL)
    other = [
        f"{kind} {name}"
        for (kind, name), role in sorted(wanted.items())
        if "rules" in role and role["rules"] != live[kind, name].get("rules")
    ]
    if other:
        return failed("roles", f"not as shipped: {', '.join(other)}", INSTALL)
    return well("roles", f"{len(wanted)} as shipped")


def judge_policies(live: Mapping[drift.Key, Mapping[str, Any]], served: Set[str]) -> Iterator[Finding]:
    """Whether every policy and binding is as shipped."""
    for lacking in drift.lacking(served):
        yield warning("policies", lacking, "use Kubernetes 1.36 or newer")
    found = drift.differences(live, served, images=None)
    if found:
        report = failed if any(each.opens or each.path for each in found) else warning
        yield report("policies", in_words([str(each) for each in found]), POLICIES)
    else:
        yield well("policies", f"{sum(key.kind in served for key in drift.shipped())} policies and bindings as shipped")


def judge_planted(there: Set[str]) -> Finding | None:
    """Where the canary asks; None where its namespaces are there."""
    missing = sorted({names.CANARY, names.CANARY_HOME} - there)
    if not missing:
        return None
    words = f"not asked: the operator makes {' and '.join(missing)} when it starts, and has not yet"
    return failed("canary", words, "see that the operator runs: docs/how-to/install.md, Is it well?")


def judge_answers(answers: Sequence[tuple[Probe, Answer]]) -> Iterator[Finding]:
    """Whether policies refuse what they should, in their own words."""
    found = {probe.subject: (probe, judge(probe, answer), answer) for probe, answer in answers}
    wrong = {subject: each for subject, each in found.items() if each[1] is not Verdict.HELD}
    unknown = [f"{subject}: {each[2].message}" for subject, each in wrong.items() if each[1] is Verdict.UNKNOWN]
    passed = [(subject, each) for subject, each in wrong.items() if each[1] is not Verdict.UNKNOWN]
    essential = [f"{subject} {verdict.value}" for subject, (probe, verdict, _) in passed if probe.essential]
    others = [f"{subject} has no effect" for subject, (probe, *_) in passed if not probe.essential]
    if essential:
        yield failed("canary", in_words(essential), "nothing new is opened meanwhile; " + POLICIES)
    if others:
        yield warning("canary", in_words(others), POLICIES)
    if unknown:
        yield failed("canary", f"not asked: {in_words(unknown)}", _who_asks(unknown))
    if not found:
        yield failed("canary", "there are no policies to be asked")
    elif not wrong:
        yield well("canary", f"{len(found)} policies refuse or fill in what they should")
    if UNPROVOKED:
        yield well("canary", f"{len(UNPROVOKED)} more can't be provoked without harm: see docs/reference/policies.md")


def _who_asks(unknown: Iterable[str]) -> str:
    if any(IMPERSONATE in each for each in unknown):
        return "ask as a cluster's administrator, who may impersonate the canary"
    return "see that the operator runs and has its roles"


# --- before an install


def judge_clashes(
    namespaces: Mapping[str, Any],
    definitions: Mapping[str, Any],
    policies: Iterable[tuple[drift.Key, Mapping[str, str]]],
) -> Iterator[Finding]:
    """What is there already by names that are ours: labels tell whose it is."""
    own = namespaces.get(names.OPERATOR_NAMESPACE)
    if own is not None and not OURS.items() <= own.items():
        words = f"{names.OPERATOR_NAMESPACE} is there without our label: Helm made it, or somebody else"
        yield warning("namespaces", words, "see that nothing else runs in it: whoever does is next to the operator")
    taken = sorted(_taken(namespaces))
    if taken:
        yield failed("namespaces", f"somebody else's: {', '.join(taken)}", "delete or rename them")
    foreign = [str(key) for key, labels in policies if key in drift.shipped() and not OURS.items() <= labels.items()]
    if foreign:
        yield failed("policies", f"somebody else's: {in_words(sorted(foreign))}", "delete or rename them")
    other = judge_definitions({each: definitions.get(each) or {"spec": {"versions": []}} for each in _names()})
    present = sorted(_names() & definitions.keys())
    if present and other.grade.value != "ok":
        step = "read docs/how-to/upgrade-and-uninstall.md"
        yield warning("definitions", f"of another release, to be replaced: {', '.join(present)}", step)
    if not (taken or foreign):
        yield well("clashes", "nothing of somebody else's has a name of ours")


def _names() -> frozenset[str]:
    return frozenset(custom_resource_definition(each)["metadata"]["name"] for each in DEFINITIONS)


def _taken(namespaces: Mapping[str, Any]) -> Iterator[str]:
    for name in (names.CANARY, names.CANARY_HOME):
        if name in namespaces and namespaces[name].get(names.TENANT_LABEL) != names.CANARY_TENANT:
            yield name
