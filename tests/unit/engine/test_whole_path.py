"""From custom resources to objects, over ports in memory."""

import base64
import json

from ringfence import names
from ringfence.model import kinds
from ringfence.model.kinds import Ref
from tests.unit.engine.conftest import Bench, namespace, tenant

DENY_ALL = Ref(kinds.NETWORK_POLICY, "acme-web", names.DENY_ALL)


async def test_a_tenant_and_a_namespace_become_objects(bench: Bench) -> None:
    """What users apply is served, and both objects say so."""
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(bench.is_ready)
        assert DENY_ALL in bench.cluster.objects
        assert bench.get(kinds.CORE_NAMESPACE, "", "acme-web")


async def test_every_write_was_announced_by_a_durable_start(bench: Bench) -> None:
    """Each write bears an audit id that a START lists, for the same object, and no id is used twice."""
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(bench.is_ready)
        await bench.settled()
    planned = bench.planned()
    ids = [write.audit_id for write in bench.writes()]
    assert sorted(ids) == sorted(planned)
    for write in bench.writes():
        assert planned[write.audit_id]["name"].endswith(
            f"{write.ref.type.kind}/{write.ref.namespace}/{write.ref.name}".replace("//", "/")
        )


async def test_every_start_has_one_outcome(bench: Bench) -> None:
    """No record stays open in an undisturbed run."""
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(bench.is_ready)
        await bench.settled()
    assert bench.planned()
    assert not await bench.ledger.open_runs()


async def test_a_restart_writes_nothing(bench: Bench) -> None:
    """A new process finds everything in place and leaves it alone, status included."""
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(bench.is_ready)
        await bench.settled()
    assert bench.cluster.sent
    bench.cluster.sent.clear()
    async with bench.running():
        await bench.settled()
        assert bench.engine.world.children
    assert bench.cluster.sent == []


async def test_a_resync_writes_nothing_and_is_told_once(bench: Bench) -> None:
    """Looks that find everything in place cost no write, and one record an object at the end."""
    async with bench.running(resync=0.1):
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(bench.is_ready)
        await bench.settled()
        bench.cluster.sent.clear()
        ref = Ref(kinds.NAMESPACE, "acme", "web")
        await bench.until(lambda: bench.engine._recorder.passes(ref) > 3)
        assert bench.cluster.sent == []
    told = [event for event in bench.records() if "coalesced" in event["run"]["facets"].get("ringfence_reconcile", {})]
    assert len(told) == 2
    assert all(event["run"]["facets"]["ringfence_reconcile"]["coalesced"]["count"] > 3 for event in told)


async def test_a_deleted_policy_comes_back_and_is_recorded_as_drift(bench: Bench) -> None:
    """What somebody deletes is there again at once; the record says that it was drift."""
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(bench.is_ready)
        await bench.settled()
        bench.cluster.sent.clear()
        uid = bench.cluster.objects[DENY_ALL]["metadata"]["uid"]
        bench.cluster.remove(DENY_ALL)
        await bench.until(lambda: DENY_ALL in bench.cluster.objects)
        assert bench.cluster.objects[DENY_ALL]["metadata"]["uid"] != uid
        await bench.settled()
        await bench.until(lambda: "DriftRepaired" in [event["reason"] for event in bench.cluster.events])
    assert [(write.verb, write.ref) for write in bench.writes()] == [("create", DENY_ALL)]
    last = [record for record in bench.records() if record["eventType"] == "START"][-1]
    assert last["run"]["facets"]["ringfence_reconcile"]["trigger"] == "drift"


async def test_an_edited_policy_is_put_back_and_the_record_names_who_edited_it(bench: Bench) -> None:
    """The field manager of the edit is the actor of the run that undoes it."""
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(bench.is_ready)
        await bench.settled()
        wanted = dict(bench.cluster.objects[DENY_ALL]["spec"])
        bench.cluster.put(
            kinds.NETWORK_POLICY, {**bench.cluster.objects[DENY_ALL], "spec": {"podSelector": {}}}, manager="mallory"
        )
        await bench.until(lambda: bench.cluster.objects[DENY_ALL]["spec"] == wanted)
        await bench.settled()
    start = [event for event in bench.records() if event["eventType"] == "START"][-1]
    assert start["run"]["facets"]["ringfence_reconcile"]["actor"]["managers"] == ["mallory"]


async def test_a_deletion_missed_by_the_watch_is_seen_after_the_relist(bench: Bench) -> None:
    """What was deleted while nobody watched is noticed as soon as the type is listed again."""
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(bench.is_ready)
        await bench.settled()
        bench.cluster.drop_watches()
        bench.cluster.remove(DENY_ALL)
        bench.cluster.drop_watches(expired=True)
        bench.cluster.history.clear()
        await bench.until(lambda: DENY_ALL in bench.cluster.objects)


async def test_a_namespace_that_goes_takes_its_objects_with_it(bench: Bench) -> None:
    """Deleting the object, with deletionPolicy Delete, removes the core namespace and then the object itself."""
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(bench.is_ready)
        await bench.settled()
        bench.cluster.remove(Ref(kinds.NAMESPACE, "acme", "web"))
        await bench.until(lambda: not bench.get(kinds.NAMESPACE, "acme", "web"))
        assert not bench.get(kinds.CORE_NAMESPACE, "", "acme-web")
        await bench.settled()
    assert not await bench.ledger.open_runs()


async def test_a_namespace_that_a_stranger_makes_first_is_not_taken_over(bench: Bench) -> None:
    """Between the look and the write there is time for somebody else: who comes second waits, and says why."""

    def stranger(verb: str, ref: Ref) -> None:
        if verb == "create" and ref.name == "acme-web" and ref not in bench.cluster.objects:
            bench.cluster.put(kinds.CORE_NAMESPACE, {"metadata": {"name": "acme-web", "labels": {"mine": "true"}}})

    bench.cluster.failing = stranger
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(lambda: bench.ready(kinds.NAMESPACE, "acme", "web")[1] == "NameTaken")
    taken = [entry.body for entry in bench.ledger.content["platform"].entries if b"name_taken" in entry.body]
    assert len(taken) == 1
    assert b'"namespace":"acme-web"' in taken[0]
    standing = bench.get(kinds.CORE_NAMESPACE, "", "acme-web")
    assert standing
    assert standing["metadata"]["labels"] == {"mine": "true"}


async def test_what_has_the_name_of_ours_in_a_tenants_namespace_becomes_ours(bench: Bench) -> None:
    """Without our label nothing shows it: a create finds it, and then it is written as any other."""
    config = Ref(kinds.CONFIG_MAP, "acme-web", names.GATEWAY_CONFIG_MAP)

    def early(verb: str, ref: Ref) -> None:
        if verb == "create" and ref == config and ref not in bench.cluster.objects:
            bench.cluster.put(kinds.CONFIG_MAP, {"metadata": {"name": config.name, "namespace": "acme-web"}})

    bench.cluster.failing = early
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(bench.is_ready)
    assert bench.cluster.objects[config]["metadata"]["labels"][names.MANAGED_BY_LABEL] == names.MANAGED_BY


async def test_an_adoption_is_on_record_and_told(bench: Bench) -> None:
    """Taking over what somebody else made is never quiet."""
    asked = {"labels": {names.TENANT_LABEL: "acme"}, "annotations": {names.ADOPT_ANNOTATION: "acme"}}
    async with bench.running():
        bench.cluster.put(kinds.CORE_NAMESPACE, {"metadata": {"name": "acme", **asked}})
        bench.cluster.put(kinds.TENANT, tenant())
        await bench.until(lambda: bench.ready(kinds.TENANT, "", "acme") == ("True", "Reconciled"))
        await bench.until(lambda: "Adopted" in [event["reason"] for event in bench.cluster.events])
        await bench.settled()
    assert "Adopted" in json.dumps(bench.records())


async def test_a_tenants_status_names_its_record(bench: Bench) -> None:
    """Size and root as of the last change: what a copy of the log can be held against."""
    async with bench.running():
        bench.cluster.put(kinds.TENANT, tenant())
        bench.cluster.put(kinds.NAMESPACE, namespace())
        await bench.until(bench.is_ready)
        await bench.settled()
    told = bench.get(kinds.TENANT, "", "acme")
    assert told
    assert 0 < told["status"]["lineage"]["size"] <= len(bench.records())
    assert len(base64.b64decode(told["status"]["lineage"]["rootHash"])) == 32
