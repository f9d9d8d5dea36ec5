"""Events: valid by OpenLineage's schemas and by ours, complete, and free of anything that is not theirs to tell."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from ringfence.lineage import canonical, episodes, event, facets, platform
from ringfence.lineage.entry import Entry, EventType, OpenRun
from ringfence.lineage.episodes import End, Lasting
from ringfence.lineage.runs import (
    Actor,
    CheckedWrite,
    Coalesced,
    Found,
    Outcome,
    PlannedWrite,
    Result,
    Verb,
    WriteOutcome,
    audit_id,
    make_run_id,
)
from ringfence.lineage.usage import usage_recorded
from ringfence.model import kinds
from ringfence.model.kinds import Ref
from ringfence.plan.episode import Ending, Episode, EpisodeKind
from ringfence.plan.plan import Placed
from tests.lineage_samples import (
    ACME,
    CORE,
    DENY_ALL,
    DIGEST,
    OPERATOR,
    SUBJECT,
    TIME_MS,
    ended,
    make_run,
    planned,
    run_id,
    started,
    written,
)
from tests.usage_samples import HOUR_OF_IT, every_end

SCHEMAS: Final = "RINGFENCE_SCHEMAS"


def _abort() -> Entry:
    run = make_run()
    checked = [CheckedWrite(write.k, write.verb, write.ref, Found.UNKNOWN) for write in planned()]
    return event.abort(OpenRun(ACME, run.run_id, 0, started(run).body), checked, OPERATOR, time_ms=TIME_MS)


def _platform(build: Any, **fields: Any) -> Entry:
    entry: Entry = build(OPERATOR, run_id=run_id(), time_ms=TIME_MS, **fields)
    return entry


QUARANTINE: Final = Episode(EpisodeKind.QUARANTINE, SUBJECT, ACME, reason="key leak", incident="INC-7")
PAUSE: Final = Episode(EpisodeKind.PAUSE, SUBJECT, ACME, until="2026-11-22T18:00:00Z")
GLASS: Final = Episode(EpisodeKind.BREAK_GLASS, DENY_ALL, ACME, reason="cut off by mistake")


def _lasting(episode: Episode) -> Lasting:
    return Lasting(ACME, run_id(), episode, tenant="acme", namespace="dev", actor=Actor("ann", ("kubectl",)))


PLACED: Final = (
    Placed("dev", "rev-6f1c0a9d2b417e55"),
    Placed("prod", "rev-6f1c0a9d2b417e55", promoted_by="oidc:ann", approved_by="oidc:ben"),
)


def _every_event() -> dict[str, Entry]:
    run = make_run()
    digests = {"configuration_digest": DIGEST, "policy_set_digest": DIGEST}
    taken = {"namespace": "acme-dev", "claimant": SUBJECT, "claimant_uid": ACME, "holder_uid": ACME}
    return {
        "start": started(run),
        "complete": ended(run),
        "fail": ended(run, Outcome(Result.FAILED, 1, 2, 3, "ApplyFailed", "NetworkPolicy acme-dev/x: no")),
        "denied": event.finish(run, Outcome(Result.DENIED, reason="NameTaken"), time_ms=TIME_MS),
        "deferred": ended(make_run(deferred=True)),
        "placed": ended(make_run(placed=PLACED)),
        "without a tenant": event.finish(
            replace(run, tenant="", namespace="", environment="", region="", secrets=(), controls=()),
            Outcome(Result.DENIED),
            time_ms=TIME_MS,
        ),
        "coalesced": event.coalesced(run, Coalesced(7, TIME_MS, TIME_MS + 1), time_ms=TIME_MS),
        "abort": _abort(),
        "operator started": _platform(platform.operator_started, image="ringfence@sha256:00", **digests),
        "key rotated": _platform(platform.key_rotated, old_key=bytes(32), new_key=b"\x01" * 32),
        "name taken": _platform(platform.name_taken, **taken),
        "quarantined": episodes.begun(_lasting(QUARANTINE), OPERATOR, time_ms=TIME_MS),
        "released": episodes.over(
            _lasting(QUARANTINE), End(Ending.LIFTED, actor=Actor("cleo"), confirmed_by="ben"), OPERATOR, time_ms=TIME_MS
        ),
        "paused": episodes.begun(replace(_lasting(PAUSE), late=True), OPERATOR, time_ms=TIME_MS),
        "pause expired": episodes.over(
            _lasting(PAUSE), End(Ending.EXPIRED, at_ms=TIME_MS, late=True), OPERATOR, time_ms=TIME_MS
        ),
        "glass broken": episodes.begun(_lasting(GLASS), OPERATOR, time_ms=TIME_MS),
        "used": usage_recorded(
            OPERATOR, ACME, tenant="acme", hour=HOUR_OF_IT, rows=every_end(), time_ms=TIME_MS, keep=timedelta(days=90)
        ),
        "policies found": _platform(platform.policies_found, state="Inactive", silent=["pods"], drifted=["pods"]),
        "policies in force": _platform(platform.policies_found, state="InForce", silent=(), drifted=()),
    }


EVERY_EVENT: Final = _every_event()


def _own_schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in (resources.files("ringfence.lineage") / "schemas").iterdir():
        schema = json.loads(file.read_text())
        yield schema["$id"], schema


def _facets(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        if "_schemaURL" in value:
            yield value
        for member in value.values():
            yield from _facets(member)
    elif isinstance(value, list):
        for member in value:
            yield from _facets(member)


def _errors(schema: str, value: Any, registry: Registry[Any]) -> list[str]:
    validator = Draft202012Validator({"$ref": schema}, registry=registry, format_checker=FormatChecker())
    return [error.message for error in validator.iter_errors(value)]


def _read(entry: Entry) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(entry.body)
    return value


@pytest.fixture(scope="module")
def published() -> Registry[Any]:
    folder = os.environ.get(SCHEMAS)
    if not folder:
        pytest.skip(f"{SCHEMAS} is not set: it names the folder of other projects' published schemas")
    schemas = [json.loads(file.read_text()) for file in (Path(folder) / "openlineage").rglob("*.json")]
    return Registry().with_resources((schema["$id"], Resource.from_contents(schema)) for schema in schemas)


@pytest.mark.parametrize("name", EVERY_EVENT)
def test_every_event_is_a_run_event_of_openlineage(name: str, published: Registry[Any]) -> None:
    """By the project's own schemas, each of its facets included."""
    value = _read(EVERY_EVENT[name])
    assert _errors(value["schemaURL"], value, published) == []
    for facet in _facets(value):
        if facet["_schemaURL"].startswith("https://openlineage.io/"):
            assert _errors(facet["_schemaURL"], facet, published) == []
    del value["run"]["runId"]
    assert _errors(value["schemaURL"], value, published) != []


@pytest.mark.parametrize("name", EVERY_EVENT)
def test_every_facet_of_ours_obeys_the_schema_that_it_names(name: str) -> None:
    registry = Registry().with_resources((at, Resource.from_contents(schema)) for at, schema in _own_schemas())
    own = [facet for facet in _facets(_read(EVERY_EVENT[name])) if facet["_schemaURL"].startswith(facets.SCHEMA_BASE)]
    assert own
    for facet in own:
        assert _errors(facet["_schemaURL"], facet, registry) == []
        assert _errors(facet["_schemaURL"], {**facet, "payload": "x"}, registry) != []


def test_schemas_refuse_what_they_do_not_know_at_every_level() -> None:
    """A field that nobody described can't find its way into a record."""

    def objects(schema: Any) -> Iterator[dict[str, Any]]:
        if isinstance(schema, dict):
            if "properties" in schema:
                yield schema
            for member in schema.values():
                yield from objects(member)

    for name, schema in _own_schemas():
        assert all(found["additionalProperties"] is False for found in objects(schema)), name
        Draft202012Validator.check_schema(schema)


def test_facets_of_ours_are_recognisable_and_the_job_is_the_object() -> None:
    value = _read(started())
    assert value["job"]["namespace"] == f"k8s://{OPERATOR.cluster_uid}"
    assert value["job"]["name"] == "reconcile/ringfence.dev/v1alpha1/Namespace/acme/dev"
    assert set(value["run"]["facets"]) == {"ringfence_reconcile"}
    assert {key for output in value["outputs"] for key in output["outputFacets"]} == {"ringfence_planned"}


def test_a_start_tells_a_new_leader_every_write_that_may_have_happened() -> None:
    """With the group, version, resource and place of each object, whatever its kind and scope."""
    types = [*kinds.CHILD_TYPES, kinds.CORE_NAMESPACE, kinds.TENANT, kinds.NAMESPACE]
    writes = [
        PlannedWrite(k, Verb.APPLY, Ref(kind, "acme-dev" if kind.namespaced else "", "x"), DIGEST)
        for k, kind in enumerate(types)
    ]
    assert event.planned_writes(event.start(make_run(), writes, time_ms=TIME_MS).body) == writes
    assert event.planned_writes(started().body) == planned()


@pytest.mark.parametrize(
    ("result", "event_type"),
    [
        (Result.APPLIED, EventType.COMPLETE),
        (Result.NO_CHANGE, EventType.COMPLETE),
        (Result.DENIED, EventType.FAIL),
        (Result.FAILED, EventType.FAIL),
    ],
)
def test_how_a_run_ended_is_its_event_type(result: Result, event_type: EventType) -> None:
    entry = event.finish(make_run(), Outcome(result), time_ms=TIME_MS)
    assert entry.event_type == event_type
    assert _read(entry)["eventType"] == event_type.value


def test_an_abort_is_the_same_run_and_says_what_was_found_of_each_write() -> None:
    value = _read(_abort())
    assert value["eventType"] == "ABORT"
    assert [output["outputFacets"]["ringfence_checked"]["found"] for output in value["outputs"]] == ["Unknown"] * 3
    assert "outcome" not in value["run"]["facets"]["ringfence_reconcile"]


def test_what_the_api_server_says_is_cut_to_a_bound() -> None:
    """An error message may quote an object; the record is no place for whole objects."""
    message = "x" * 50_000
    failed = WriteOutcome(0, Verb.APPLY, DENY_ALL, error=message, changed=False)
    entry = event.finish(make_run(), Outcome(Result.FAILED, message=message), [failed], time_ms=TIME_MS)
    assert len(entry.body) < 6_000
    assert _read(entry)["run"]["facets"]["errorMessage"]["message"].endswith("…")


def test_many_changed_fields_are_listed_up_to_a_bound() -> None:
    write = WriteOutcome(0, Verb.APPLY, CORE, pointers=[f"/data/{n}" for n in range(1000)])
    output = _read(event.finish(make_run(), Outcome(Result.APPLIED, 1), [write], time_ms=TIME_MS))["outputs"][0]
    pointers = output["outputFacets"]["ringfence_applied"]["pointers"]
    assert (len(pointers), pointers[-1]) == (facets.MAX_POINTERS, "/…")


def test_who_calls_himself_a_thousand_things_is_listed_by_the_latest() -> None:
    """Each server-side apply may name another field manager, and the API server keeps all of them."""
    run = replace(make_run(), actor=Actor("ada", tuple(f"m{number}" for number in range(2000))))
    managers = json.loads(started(run).body)["run"]["facets"]["ringfence_reconcile"]["actor"]["managers"]
    assert managers == [f"m{number}" for number in range(2000 - facets.MAX_MANAGERS, 2000)]


def test_a_message_that_is_no_unicode_still_makes_a_record() -> None:
    entry = event.finish(make_run(), Outcome(Result.FAILED, message="bad \ud800 text"), time_ms=TIME_MS)
    assert _read(entry)["run"]["facets"]["errorMessage"]["message"] == "bad ? text"


def test_the_body_says_until_when_it_is_kept() -> None:
    entry = event.start(make_run(), [], time_ms=TIME_MS, keep=timedelta(days=183))
    assert entry.keep_until_ms - entry.time_ms == 183 * 86_400_000
    assert started().keep_until_ms - TIME_MS == 400 * 86_400_000


def test_the_bodies_are_canonical() -> None:
    for entry in EVERY_EVENT.values():
        assert entry.body == canonical.encode(json.loads(entry.body))


def test_secret_references_name_keys_and_nothing_else() -> None:
    secret = _read(started())["inputs"][1]
    assert secret["name"] == "v1/Secret/acme-dev/db"
    assert set(secret["inputFacets"]["ringfence_secret"]) == {"_producer", "_schemaURL", "keys"}


def test_the_audit_id_is_the_run_and_the_number_of_the_write() -> None:
    run = run_id()
    assert audit_id(run, 3) == f"{run}.3"
    assert written()[2].k == planned()[2].k


@pytest.mark.parametrize(("time_ms", "random"), [(-1, bytes(10)), (1 << 48, bytes(10)), (TIME_MS, bytes(9))])
def test_a_run_id_needs_a_time_and_ten_random_bytes(time_ms: int, random: bytes) -> None:
    with pytest.raises(ValueError, match=r"time|random"):
        make_run_id(time_ms, random)


def test_an_object_digest_is_of_what_was_asked_for_not_of_what_the_server_adds() -> None:
    manifest = {"kind": "ConfigMap", "metadata": {"name": "a", "labels": {"x": "y"}}, "data": {"k": "v"}}
    served = manifest | {
        "metadata": {
            "name": "a",
            "labels": {"x": "y"},
            "uid": "1",
            "resourceVersion": "2",
            "generation": 3,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "managedFields": [{"manager": "x"}],
        },
        "status": {"ok": 0.5},
    }
    assert canonical.object_digest(served) == canonical.object_digest(manifest)
    assert canonical.object_digest(manifest | {"data": {"k": "w"}}) != canonical.object_digest(manifest)


@pytest.mark.parametrize(
    ("value", "path"),
    [(0.5, "/spec/replicas"), (float("nan"), "/spec/replicas"), (2**53, "/spec/replicas"), ({1: 2}, "/spec/replicas")],
)
def test_an_object_outside_the_profile_is_refused_by_path(value: Any, path: str) -> None:
    assert canonical.object_digest({"spec": {"replicas": 2**53 - 1}})
    with pytest.raises(canonical.NotCanonicalError) as refusal:
        canonical.object_digest({"spec": {"replicas": value}})
    assert refusal.value.path == path


@pytest.mark.parametrize("episode", [QUARANTINE, PAUSE, GLASS], ids=lambda each: each.kind)
def test_what_lasts_is_read_back_from_its_start(episode: Episode) -> None:
    """So that the next process goes on where the one before stopped."""
    lasting = replace(_lasting(episode), late=True)
    start = episodes.begun(lasting, OPERATOR, time_ms=TIME_MS)
    assert episodes.lasting_of(OpenRun(ACME, lasting.run_id, 0, start.body)) == lasting


def test_an_episode_is_no_run_that_somebody_was_killed_in() -> None:
    run = make_run()
    assert episodes.lasting_of(OpenRun(ACME, run.run_id, 0, started(run).body)) is None


def test_a_route_tells_what_each_environment_serves_and_who_stands_for_it() -> None:
    """Nobody stands for the first environment, which follows the spec."""
    facet = _read(ended(make_run(placed=PLACED)))["run"]["facets"]["ringfence_route"]
    assert facet["environments"] == [
        {"name": "dev", "revision": "rev-6f1c0a9d2b417e55"},
        {
            "name": "prod",
            "revision": "rev-6f1c0a9d2b417e55",
            "promotedBy": "oidc:ann",
            "approvedBy": "oidc:ben",
        },
    ]
