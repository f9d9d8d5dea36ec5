"""No moment without policies: violations are sent 20 times a second while Ringfence is installed and upgraded.

Law: what nobody may do before an installation or an upgrade and after it, nobody may do meanwhile.
"""

import copy
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from ringfence import names
from ringfence.admission import services
from ringfence.admission.catalogue import VALIDATIONS
from ringfence.admission.policy import API, CREATE, Policy, Resources, Validation
from ringfence.admission.threats import Threat
from ringfence.cli.glass import in_force
from ringfence.model.kinds import GUARDRAIL, MODEL_ROUTE, TENANT
from tests.apiserver.installing import CHART, INSTALL, Cluster, empty_cluster, kustomized
from tests.attack import rows_access, rows_fence, rows_kinds, rows_network, rows_operator, rows_workloads
from tests.attack.asking import Who, create
from tests.attack.prepared import RBAC, prepare
from tests.attack.rows import WARNED, Row
from tests.polling import Poll, Violation
from tests.waiting import eventually

pytestmark = pytest.mark.apiserver

WILDCARD: Final = Who("wildcard")
"""May do everything, as a GitOps controller often may."""
MEMBER: Final = Who("member", ("oidc:acme-owners",))
"""One of the people of a tenant to be."""
FORGED: Final = {names.REQUESTED_BY_ANNOTATION: "somebody-else"}
ADDED: Final = services.SERVICES
"""A policy that the older version lacks."""
FORMER: Final = Policy(
    name="ringfence-former",
    about="A policy that only the older version has.",
    resources=(Resources("example.com", ("things",), CREATE),),
    validations=(Validation("former", (Threat.ABSENT_OPERATOR,), "false", "never"),),
)
MOST: Final = 120
"""Seconds for one of these commands on a busy machine."""


def own_kinds(who: Who) -> tuple[Violation, ...]:
    """What somebody may not write of our kinds, whatever his role: somebody else's name, and compiled rules."""
    forged = {"metadata": {"name": "canary", "annotations": FORGED}}
    route = {"model": "m", "backends": [{"provider": "p", "model": "m"}]}
    rules = {"metadata": {"name": names.GUARDRAIL}, "spec": {"tenant": "canary"}}
    return (
        ("a Tenant in somebody else's name", who, create(TENANT.collection_path(), _of(TENANT.kind, forged))),
        (
            "a route in somebody else's name",
            who,
            create(MODEL_ROUTE.collection_path("default"), _of(MODEL_ROUTE.kind, {**forged, "spec": route})),
        ),
        ("compiled rules", who, create(GUARDRAIL.collection_path("default"), _of(GUARDRAIL.kind, rules))),
    )


def _of(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": TENANT.api_version, "kind": kind, "spec": {}, **fields}


def one_of_each_policy() -> tuple[Violation, ...]:
    """An attack for each policy that both versions have; what opens a connection has no dry run, and is left out."""
    rows: dict[str, Row] = {}
    for module in (rows_fence, rows_network, rows_access, rows_workloads, rows_kinds, rows_operator):
        for row in module.ROWS:
            who, request = row.attack
            policy = VALIDATIONS[row.rule][0]
            if row.rule not in WARNED and policy is not ADDED and not request.connects and not who.extra:
                rows.setdefault(policy.name, row)
    return tuple((row.id, *row.attack) for row in rows.values())


def older(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Another version: each expression is spelt otherwise, one policy is missing, one is there that goes, and so on."""
    kept = [_respelt(each) for each in documents if not _is_of(each, ADDED)]
    return [*kept, FORMER.manifest, *FORMER.bindings]


def _is_of(document: dict[str, Any], policy: Policy) -> bool:
    return bool(document["metadata"]["name"] == policy.name and document["apiVersion"] == API)


def _respelt(document: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    for validation in changed["spec"].get("validations", ()) if changed["apiVersion"] == API else ():
        validation["expression"] = f"({validation['expression']}) && true"
    if changed["kind"] == "CustomResourceDefinition":
        schema = changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        schema["description"] = "An older one."
    return changed


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster with somebody who may do everything, and a tenant's member to be."""
    with empty_cluster(tmp_path) as empty:
        subject = {"kind": "User", "apiGroup": RBAC, "name": WILDCARD.user}
        role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "wildcard"}
        rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
        api = f"{RBAC}/v1"
        made = (
            {"apiVersion": api, "kind": "ClusterRole", "metadata": {"name": "wildcard"}, "rules": rules},
            {
                "apiVersion": api,
                "kind": "ClusterRoleBinding",
                "metadata": {"name": "wildcard"},
                "roleRef": role,
                "subjects": [subject],
            },
        )
        empty.kubectl("apply", "-f-", stdin=made)
        yield empty


def settled(cluster: Cluster) -> None:
    """All that was installed is in force."""
    cluster.kubectl("wait", "--for=condition=Established", f"--timeout={MOST}s", "crd", "--all")
    eventually(lambda: in_force(cluster.plane.admin), MOST)


def judged(cluster: Cluster, policy: Policy, *, present: bool) -> None:
    """Wait until a policy is there, or is not."""
    path = f"/apis/{API}/validatingadmissionpolicies/{policy.name}"
    eventually(lambda: cluster.plane.admin.get(path).ok is present, MOST)


def guarded(cluster: Cluster, violations: tuple[Violation, ...], change: Callable[[], object]) -> Poll:
    """Poll during a change and until it has settled; nothing may be accepted."""
    with Poll(cluster.plane, violations) as poll:
        change()
        settled(cluster)
        before = poll.sent
        eventually(lambda: poll.sent > before + 2 * len(violations), MOST)
    assert not poll.accepted, poll.accepted
    return poll


def test_kustomize_leaves_no_window(cluster: Cluster, tmp_path: Path) -> None:
    """On a first installation, where our kinds are guarded before they are served, an upgrade and a way back."""
    newest = [each for each in yaml.safe_load_all(kustomized(INSTALL)) if each]
    versions = {"new": tmp_path / "new.yaml", "old": tmp_path / "old.yaml"}
    versions["new"].write_text(yaml.safe_dump_all(newest))
    versions["old"].write_text(yaml.safe_dump_all(older(newest)))

    def apply(version: str) -> None:
        cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(versions[version]))

    first = guarded(cluster, (*own_kinds(WILDCARD), *own_kinds(MEMBER)), lambda: apply("old"))
    assert first.statuses[404], "our kinds were served before the first look"
    assert first.statuses[403]
    prepare(cluster.plane)
    attacks = one_of_each_policy()
    for version in ("new", "old"):
        guarded(cluster, attacks, lambda version=version: apply(version))  # type: ignore[misc]
    judged(cluster, ADDED, present=True)  # kubectl prunes nothing: what a version lacks stays in force
    judged(cluster, FORMER, present=True)
    _is_accepted_without_policies(cluster)


def _is_accepted_without_policies(cluster: Cluster) -> None:
    """The same probes, seen open: what refused them was a policy, and not a misspelt request."""
    bindings = "validatingadmissionpolicybindings,mutatingadmissionpolicybindings"
    cluster.kubectl("delete", bindings, "-l", "app.kubernetes.io/name=ringfence")
    violations = own_kinds(WILDCARD)

    def open_now() -> bool:
        with Poll(cluster.plane, violations) as poll:
            eventually(lambda: poll.sent >= 2 * len(violations), MOST)
        return len(poll.accepted) == poll.sent

    eventually(open_now, MOST)


def test_helm_leaves_no_window(cluster: Cluster, tmp_path: Path) -> None:
    """On a first installation, where a gate stands until policies judge, an upgrade and a rollback."""
    old = tmp_path / "chart"
    shutil.copytree(CHART, old)
    for file in [*(old / "files/policies").glob("*.yaml"), *(old / "files/crds").glob("*.yaml")]:
        documents = [each for each in yaml.safe_load_all(file.read_text()) if each]
        found = older(documents) if file.name == "operator.yaml" else older(documents)[:-2]
        file.write_text("---\n".join(yaml.safe_dump(each, sort_keys=False) for each in found))

    unguarded = (*own_kinds(WILDCARD), *own_kinds(MEMBER))
    first = guarded(cluster, unguarded, lambda: cluster.helm("install", "ringfence", str(old)))
    assert first.statuses[404], "our kinds were served before the first look"
    assert first.statuses[403]
    prepare(cluster.plane)
    attacks = one_of_each_policy()
    guarded(cluster, attacks, lambda: cluster.helm("upgrade", "ringfence", str(CHART)))
    judged(cluster, ADDED, present=True)
    guarded(cluster, attacks, lambda: cluster.helm("rollback", "ringfence"))
