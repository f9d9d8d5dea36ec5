"""Many requests at once, and an operator that dies among them: a budget is never exceeded, not for a moment."""

from typing import Any, Final

import pytest

from ringfence import names
from ringfence.controlplane import Client, ControlPlane
from ringfence.model.kinds import CORE_NAMESPACE, NAMESPACE, RESOURCE_QUOTA
from tests.attack.asking import Asker, Request, Who
from tests.attack.conftest import Grounds, group, namespace_object
from tests.operating import OperatorProcess
from tests.waiting import eventually

pytestmark = [pytest.mark.apiserver, pytest.mark.installed]

AT_ONCE: Final = 24
NAMESPACES: Final = 4
PODS: Final = 20
EACH: Final = "6"
"""Pods that each Namespace asks for: three of them fit into the budget, beside the one that is there."""


def test_a_rush_for_the_budget_never_gets_more_than_there_is(
    grounds: Grounds, controlplane: ControlPlane, admin: Client, operator: OperatorProcess, victim: str
) -> None:
    """An admin makes two dozen Namespaces at once; the operator is killed in the middle, and starts again."""
    who = Who(f"admin-of-{victim}", (group(victim, "admin"),))
    wishes = [namespace_object(f"n{number}", victim, quota={"hard": {"pods": EACH}}) for number in range(AT_ONCE)]
    made = [Request("POST", NAMESPACE.collection_path(victim), wish, {}) for wish in wishes]
    answers = Asker(controlplane).ask([(who, request) for request in made])
    assert {answer.status for answer in answers} == {201}
    seen: list[tuple[int, int]] = []

    def judged() -> bool:
        seen.append(taken(admin, victim))
        return len(seen) > 1 and all(map(_is_judged, namespaces(admin, victim)))

    eventually(lambda: judged() or taken(admin, victim)[0] > 1, 60)
    operator.kill()
    operator.start()
    eventually(judged, 90)
    assert max(count for count, _ in seen) <= NAMESPACES
    assert max(pods for _, pods in seen) <= PODS
    assert seen[-1] == (NAMESPACES, 1 + 3 * int(EACH))


def namespaces(admin: Client, tenant: str) -> list[dict[str, Any]]:
    """The Namespace objects of a tenant."""
    found: list[dict[str, Any]] = admin.get(NAMESPACE.collection_path(tenant)).must()["items"]
    return found


def taken(admin: Client, tenant: str) -> tuple[int, int]:
    """How many core namespaces a tenant has, and how many pods its quotas allow."""
    label = f"?labelSelector={names.TENANT_LABEL}%3D{tenant}"
    cores = {each["metadata"]["name"] for each in admin.get(CORE_NAMESPACE.collection_path() + label).must()["items"]}
    quotas = admin.get(RESOURCE_QUOTA.collection_path() + label).must()["items"]
    pods = [int(each["spec"]["hard"]["pods"]) for each in quotas if each["metadata"]["namespace"] in cores - {tenant}]
    return len(cores - {tenant}), sum(pods)


def _is_judged(namespace: dict[str, Any]) -> bool:
    told = namespace.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] in ("True", "False") for each in told)
