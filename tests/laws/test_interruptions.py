"""Killed at each write of every sort of change, Ringfence ends where it would have ended undisturbed."""

import pytest

from ringfence.model.kinds import PRIMARY_TYPES
from tests.laws.rights import openings, rights
from tests.sample_world import ACME, DATA, GLOBEX, WEB, Change, applied, both, delete, edit, settled
from tests.simulation import Simulation, unfenced_access

REMOVE = {"deletionPolicy": "Delete"}
INCIDENT = {"isolation": "Quarantined", "incident": {"id": "INC-1", "reason": "drill"}}

CHANGES: dict[str, Change] = {
    "fewer people": edit(ACME, {"access": {"viewers": [{"group": "oidc:acme-audit"}]}}),
    "other people": edit(
        ACME, {"access": {"owners": [{"group": "oidc:new"}], "admins": [{"group": "oidc:acme-devs"}]}}
    ),
    "no peers": edit(WEB, {"network": {}}),
    "less quota": edit(WEB, {"quota": {"hard": {"pods": "1"}}}),
    "incident": edit(ACME, INCIDENT),
    "incident in one Namespace": edit(WEB, {"isolation": "Quarantined"}),
    "Namespace deleted, retained": delete(WEB),
    "Namespace deleted, removed": both(edit(ACME, REMOVE), delete(DATA)),
    "Tenant deleted, retained": delete(ACME),
    "Tenant deleted, removed": both(edit(GLOBEX, REMOVE), delete(GLOBEX)),
}


def run(world: Simulation, *, killed_after: int | None = None) -> int:
    """Reconcile to the end; the operator is killed once, after so many writes. Returns how many were made."""
    made = 0
    for _ in range(8):
        world.answers.clear()
        for ref in world.primaries():
            left = None if killed_after is None else killed_after - made
            if left is not None and left <= 0:
                break
            made += len(world.reconcile(ref, stop_after=left))
            assert unfenced_access(world) == []
        world.collect()
    if killed_after is not None:
        made += len(world.settle())
    return made


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_change_survives_a_kill_at_each_of_its_writes(change: Change) -> None:
    """The objects at the end are those of an undisturbed run, wherever the operator was killed."""
    start = settled()
    change(start)
    undisturbed = start.fork()
    writes = run(undisturbed)
    assert writes > 0
    for killed_after in range(1, writes):
        killed = start.fork()
        run(killed, killed_after=killed_after)
        assert killed.snapshot() == undisturbed.snapshot(), f"killed after write {killed_after} of {writes}"


INCIDENTS: dict[str, Change] = {
    "of the tenant": edit(ACME, INCIDENT),
    "of one Namespace": edit(WEB, {"isolation": "Quarantined"}),
    "of the tenant, while one Namespace asks for more": both(
        edit(WEB, {"access": {"developers": [{"group": "oidc:acme-contractors"}]}}), edit(ACME, INCIDENT)
    ),
}


@pytest.mark.parametrize("incident", INCIDENTS.values(), ids=list(INCIDENTS))
def test_at_no_write_of_a_quarantine_anybody_may_more_than_before(incident: Change) -> None:
    """Wherever the operator is killed: rights and openings only go."""
    start = settled()
    may, opened = rights(start), openings(start)
    assert any(action.verb == "create" for _, _, action in may)
    incident(start)
    undisturbed = start.fork()
    writes = run(undisturbed)
    for killed_after in range(1, writes + 1):
        killed = start.fork()
        run_until(killed, killed_after)
        assert rights(killed) <= may, f"killed after write {killed_after} of {writes}"
        assert openings(killed) <= opened, f"killed after write {killed_after} of {writes}"
    assert rights(undisturbed) < may
    assert openings(undisturbed) < opened


def run_until(world: Simulation, writes: int) -> None:
    """Reconcile until so many writes were made, and no further."""
    for ref in world.primaries() * 2:
        if writes > 0:
            writes -= len(world.reconcile(ref, stop_after=writes))


def test_bringing_up_survives_a_kill_at_each_write() -> None:
    """From nothing to two tenants with five namespaces: every beginning has the same end."""
    start = applied()
    undisturbed = start.fork()
    writes = run(undisturbed)
    assert any(ref.type not in PRIMARY_TYPES for ref in undisturbed.applied)
    for killed_after in range(1, writes, 3):
        killed = start.fork()
        run(killed, killed_after=killed_after)
        assert killed.snapshot() == undisturbed.snapshot(), f"killed after write {killed_after} of {writes}"
