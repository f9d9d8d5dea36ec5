"""What is planned while admission policies do not refuse: nothing new, and repair of what stands."""

from dataclasses import replace
from typing import Any

import pytest

from ringfence import names
from ringfence.model.kinds import LIMIT_RANGE, NAMESPACE, TENANT, Ref
from ringfence.plan.enforcement import NOT_ASKED, UNGUARDED, Enforcement, in_words
from tests.simulation import Simulation
from tests.told import core, message, told

ACME = Ref(TENANT, "", "acme")
WEB = Ref(NAMESPACE, "acme", "web")
SILENT = Enforcement(silent=("ringfence-pods lets pass what it should refuse",))
DRIFTED = Enforcement(drifted=("ringfence-pods differs at spec.validations",))


def put(world: Simulation, ref: Ref, **spec: Any) -> None:
    """Apply an object of ours."""
    metadata = {"name": ref.name, **({"namespace": ref.namespace} if ref.namespace else {})}
    world.put({"apiVersion": ref.type.api_version, "kind": ref.type.kind, "metadata": metadata, "spec": spec})


def begin(world: Simulation) -> None:
    """A tenant with a Namespace."""
    put(world, ACME, environments=[{"name": "dev"}], budget={"namespaces": 3})
    put(world, WEB, environment="dev")


def found(world: Simulation, enforcement: Enforcement) -> Simulation:
    """Let the policies be found so."""
    world.facts = replace(world.facts, enforcement=enforcement)
    return world


@pytest.mark.parametrize("closed", [SILENT, NOT_ASKED])
def test_no_tenant_is_let_in_while_policies_do_not_refuse(closed: Enforcement) -> None:
    """It waits with the reason, and is let in once they do."""
    world = found(Simulation(), closed)
    begin(world)
    world.settle()
    assert told(world, ACME) == ("False", "PoliciesInactive")
    assert in_words(closed.silent) in message(world, ACME)
    assert told(world, ACME, "Reconciling") == ("True", "PoliciesInactive")
    assert core(world, "acme") is None
    assert core(world, "acme-web") is None
    found(world, Enforcement()).settle()
    assert told(world, WEB) == ("True", "Reconciled")


def test_no_namespace_is_opened_for_a_tenant_that_is_in() -> None:
    """The tenant stays; its new Namespace waits."""
    world = Simulation()
    put(world, ACME, environments=[{"name": "dev"}], budget={"namespaces": 3})
    world.settle()
    put(world, WEB, environment="dev")
    found(world, SILENT).settle()
    assert told(world, ACME) == ("True", "Reconciled")
    assert told(world, WEB) == ("False", "PoliciesInactive")
    assert core(world, "acme-web") is None


@pytest.mark.parametrize(
    ("enforcement", "status", "reason"),
    [
        (SILENT, "False", "PoliciesInactive"),
        (DRIFTED, "Unknown", "PolicyDrift"),
        (UNGUARDED, "Unknown", "PoliciesUnchecked"),
        (Enforcement(lacking=("no MutatingAdmissionPolicy",)), "True", "Fenced"),
    ],
)
def test_what_stands_is_kept_and_says_what_is_not_certain(enforcement: Enforcement, status: str, reason: str) -> None:
    """A fence with a hole is better than none: it is repaired, and nobody claims that it holds."""
    world = Simulation()
    begin(world)
    world.settle()
    limits = Ref(LIMIT_RANGE, "acme-web", names.LIMITS)
    del world.objects[limits]
    found(world, enforcement).settle()
    assert limits in world.objects
    for ref in (ACME, WEB):
        assert told(world, ref) == ("True", "Reconciled")
        assert told(world, ref, "Isolated") == (status, reason)
    if enforcement.lacking:
        assert enforcement.lacking[0] in message(world, WEB, "Isolated")


def test_much_that_is_wrong_is_told_in_part() -> None:
    """A condition's message is read by people."""
    assert in_words(["a", "b"]) == "a; b"
    assert in_words([*"abcdef"]) == "a; b; c; d; and 2 more"
