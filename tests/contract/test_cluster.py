"""What the engine relies on of a cluster: the real API server and its stand-in keep the same promises."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence.adapters.kubernetes.client import KubernetesCluster
from ringfence.adapters.kubernetes.config import from_kubeconfig
from ringfence.model import kinds
from ringfence.model.kinds import Ref
from ringfence.plan.seen import Existence
from ringfence.ports.cluster import (
    Cluster,
    ConflictError,
    NotFoundError,
    Object,
    WatchEvent,
)
from tests.fakes.cluster import MemoryCluster
from tests.gateway.certificates import Certificates

AUDIT_ID = "00000000-0000-7000-8000-000000000000.0"
HELD = "ringfence.dev/operator"


@pytest.fixture(params=["memory", pytest.param("apiserver", marks=pytest.mark.apiserver)])
async def cluster(request: pytest.FixtureRequest) -> AsyncIterator[Cluster]:
    """Give a cluster with all rights, of either kind."""
    if request.param == "memory":
        yield MemoryCluster()
        return
    plane = request.getfixturevalue("controlplane")
    connected = KubernetesCluster(from_kubeconfig(plane.admin_kubeconfig))
    yield connected
    await connected.close()


@pytest.fixture
async def home(cluster: Cluster, tenant_name: Callable[[], str]) -> str:
    """Make a namespace that no other test uses."""
    name = f"contract-{tenant_name()}"
    ref = Ref(kinds.CORE_NAMESPACE, "", name)
    await cluster.apply(ref, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, audit_id=AUDIT_ID)
    return name


def settings(namespace: str, name: str = "it", **metadata: Any) -> tuple[Ref, Object]:
    """A ConfigMap and its manifest."""
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "data": {"a": "1"},
    }
    return Ref(kinds.CONFIG_MAP, namespace, name), manifest


async def test_an_apply_answers_the_object_with_its_version(cluster: Cluster, home: str) -> None:
    """What is answered is what was stored: uid, version, content."""
    answer = await cluster.apply(*settings(home), audit_id=AUDIT_ID)
    assert answer["data"] == {"a": "1"}
    assert answer["metadata"]["uid"]
    assert int(answer["metadata"]["resourceVersion"]) > 0


async def test_versions_grow(cluster: Cluster, home: str) -> None:
    """A later state of an object has a greater version: by that, echoes are told from news."""
    ref, manifest = settings(home)
    first = await cluster.apply(ref, manifest, audit_id=AUDIT_ID)
    second = await cluster.apply(ref, {**manifest, "data": {"a": "2"}}, audit_id=AUDIT_ID)
    assert int(second["metadata"]["resourceVersion"]) > int(first["metadata"]["resourceVersion"])
    assert second["metadata"]["uid"] == first["metadata"]["uid"]


async def test_a_dry_run_changes_nothing(cluster: Cluster, home: str) -> None:
    """It answers as if, and nothing is there afterwards."""
    ref, manifest = settings(home)
    await cluster.apply(ref, manifest, audit_id="", dry_run=True)
    assert await _names(cluster, home) == []


async def test_a_create_takes_nothing_over(cluster: Cluster, home: str) -> None:
    """Who was there first stays as it was."""
    ref, manifest = settings(home)
    made = await cluster.create(ref, manifest, audit_id=AUDIT_ID)
    assert made["data"] == {"a": "1"}
    with pytest.raises(ConflictError):
        await cluster.create(ref, {**manifest, "data": {"a": "2"}}, audit_id=AUDIT_ID)
    assert (await cluster.apply(ref, manifest, audit_id=AUDIT_ID, dry_run=True))["data"] == {"a": "1"}


async def test_an_apply_to_a_namesake_is_a_conflict(cluster: Cluster, home: str) -> None:
    """An object is written only as long as it is the one that was looked at."""
    ref, manifest = settings(home)
    made = await cluster.apply(ref, manifest, audit_id=AUDIT_ID)
    uid = made["metadata"]["uid"]
    changed = await cluster.apply(ref, {**manifest, "data": {"a": "2"}}, audit_id=AUDIT_ID, uid=uid)
    assert changed["data"] == {"a": "2"}
    await cluster.delete(ref, uid=uid, audit_id=AUDIT_ID)
    with pytest.raises(ConflictError):  # gone
        await cluster.apply(ref, manifest, audit_id=AUDIT_ID, uid=uid)
    await cluster.create(ref, manifest, audit_id=AUDIT_ID)
    with pytest.raises(ConflictError):  # made anew
        await cluster.apply(ref, manifest, audit_id=AUDIT_ID, uid=uid)


async def test_nothing_is_made_in_a_namespace_that_is_not_there(cluster: Cluster) -> None:
    """The error says "not found", which is waited out."""
    with pytest.raises(NotFoundError):
        await cluster.apply(*settings("nowhere"), audit_id=AUDIT_ID)


async def test_a_merge_takes_keys_away(cluster: Cluster, home: str) -> None:
    """A key set to null is gone, the others stay."""
    ref, manifest = settings(home)
    await cluster.apply(ref, {**manifest, "data": {"a": "1", "b": "2"}}, audit_id=AUDIT_ID)
    answer = await cluster.merge(ref, {"data": {"b": None}}, audit_id=AUDIT_ID)
    assert answer["data"] == {"a": "1"}


async def test_a_merge_of_an_older_version_is_a_conflict(cluster: Cluster, home: str) -> None:
    """What was changed meanwhile is looked at again."""
    ref, manifest = settings(home)
    first = await cluster.apply(ref, manifest, audit_id=AUDIT_ID)
    await cluster.apply(ref, {**manifest, "data": {"a": "2"}}, audit_id=AUDIT_ID)
    version = first["metadata"]["resourceVersion"]
    with pytest.raises(ConflictError):
        await cluster.merge(ref, {"data": {"a": "3"}}, audit_id=AUDIT_ID, resource_version=version)


async def test_a_merge_of_nothing_is_not_found(cluster: Cluster, home: str) -> None:
    """An object that is gone can't be changed."""
    ref, _ = settings(home)
    with pytest.raises(NotFoundError):
        await cluster.merge(ref, {"data": {}}, audit_id=AUDIT_ID)


async def test_only_the_object_of_that_uid_is_deleted(cluster: Cluster, home: str) -> None:
    """A namesake that was made since stays."""
    ref, manifest = settings(home)
    made = await cluster.apply(ref, manifest, audit_id=AUDIT_ID)
    with pytest.raises(ConflictError):
        await cluster.delete(ref, uid="another", audit_id=AUDIT_ID)
    await cluster.delete(ref, uid=made["metadata"]["uid"], audit_id=AUDIT_ID)
    assert await _names(cluster, home) == []
    with pytest.raises(NotFoundError):
        await cluster.delete(ref, uid=made["metadata"]["uid"], audit_id=AUDIT_ID)


async def test_a_finalizer_holds_what_is_deleted_until_it_is_taken_off(cluster: Cluster, home: str) -> None:
    """Deleting marks the object; taking the finalizer off ends it."""
    ref, manifest = settings(home, finalizers=[HELD])
    made = await cluster.apply(ref, manifest, audit_id=AUDIT_ID)
    going = await cluster.delete(ref, uid=made["metadata"]["uid"], audit_id=AUDIT_ID)
    assert going["metadata"]["deletionTimestamp"]
    assert await _names(cluster, home) == ["it"]
    await cluster.merge(ref, {"metadata": {"finalizers": []}}, audit_id=AUDIT_ID)
    assert await _names(cluster, home) == []


async def test_a_watch_tells_what_happened_since_a_list(cluster: Cluster, home: str) -> None:
    """Added, modified and deleted come in order, each with its version."""
    version = await _version(cluster)
    ref, manifest = settings(home)
    made = await cluster.apply(ref, manifest, audit_id=AUDIT_ID)
    await cluster.apply(ref, {**manifest, "data": {"a": "2"}}, audit_id=AUDIT_ID)
    await cluster.delete(ref, uid=made["metadata"]["uid"], audit_id=AUDIT_ID)
    events = await _events(cluster, version, home, 3)
    assert [event.type for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    versions = [int(event.object["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(versions)
    assert versions[0] > int(version)


async def test_a_selector_narrows_lists_and_watches(cluster: Cluster, home: str) -> None:
    """Only what bears the label is listed and watched."""
    version = await _version(cluster)
    await cluster.apply(*settings(home, "without"), audit_id=AUDIT_ID)
    await cluster.apply(*settings(home, "with", labels={"contract": "yes"}), audit_id=AUDIT_ID)
    assert await _names(cluster, home, "contract=yes") == ["with"]
    events = await _events(cluster, version, home, 1, "contract=yes")
    assert events[0].object["metadata"]["name"] == "with"


async def test_listed_objects_say_what_they_are(cluster: Cluster, home: str) -> None:
    """Kind and version are on every item, although a list of a built-in type leaves them out on the wire."""
    await cluster.apply(*settings(home), audit_id=AUDIT_ID)
    pages = [page async for page in cluster.pages(kinds.CONFIG_MAP, namespace=home)]
    assert {(thing["apiVersion"], thing["kind"]) for page in pages for thing in page.items} == {("v1", "ConfigMap")}


async def test_a_type_that_is_not_served_is_not_found(cluster: Cluster) -> None:
    """The cluster has no ExternalSecrets."""
    with pytest.raises(NotFoundError):
        _ = [page async for page in cluster.pages(kinds.EXTERNAL_SECRET)]


async def test_a_secret_is_asked_for_without_being_read(cluster: Cluster, home: str) -> None:
    """Absent until it is there; asking makes none."""
    assert await cluster.secret_exists(home, "db") is Existence.ABSENT
    assert await cluster.secret_exists(home, "db") is Existence.ABSENT


async def test_a_secret_is_made_and_its_content_is_not_answered(cluster: Cluster, home: str) -> None:
    """What is secret goes one way; once it is there, nobody writes over it."""
    ref = Ref(kinds.SECRET, home, "gateway-tls-it")
    metadata = {"name": ref.name, "namespace": home}
    manifest = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata}
    answer = await cluster.deposit(ref, manifest, {"tls.key": b"canary"}, audit_id=AUDIT_ID)
    assert answer["metadata"]["name"] == ref.name
    assert answer["metadata"]["uid"]
    assert "data" not in answer
    assert await cluster.secret_exists(home, ref.name) is Existence.PRESENT
    with pytest.raises(ConflictError):
        await cluster.deposit(ref, manifest, {"tls.key": b"other"}, audit_id=AUDIT_ID)


async def test_who_vouches_for_callers_is_told_with_keys(cluster: Cluster) -> None:
    """An address, and a set of keys (RFC 7517)."""
    issuer = await cluster.issuer()
    assert issuer.url.startswith("https://")
    assert isinstance(json.loads(issuer.jwks)["keys"], list)


async def test_of_an_authority_only_its_certificates_are_told(cluster: Cluster, home: str, tmp_path: Path) -> None:
    """Whatever else somebody put beside them; nothing where there is no such ConfigMap, or no certificate in it."""
    certificates = Certificates(tmp_path)
    authority, key = certificates.authority.read_text(), certificates.server()["tls.key"].decode()
    ref, manifest = settings(home, "llama-ca")
    assert await cluster.authority(home, "llama-ca") == ""
    await cluster.apply(ref, {**manifest, "data": {"ca.crt": "none"}}, audit_id=AUDIT_ID)
    assert await cluster.authority(home, "llama-ca") == ""
    beside = f"about it\n{key}{authority}"
    await cluster.apply(ref, {**manifest, "data": {"ca.crt": beside}}, audit_id=AUDIT_ID)
    assert await cluster.authority(home, "llama-ca") == authority
    assert await cluster.authority(home, "other") == ""


async def test_a_lease_is_taken_by_one(cluster: Cluster, home: str) -> None:
    """Who read an older state can't write."""
    ref = Ref(kinds.LEASE, home, "leader")
    assert await cluster.get_lease(ref) is None
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "leader", "namespace": home},
        "spec": {"holderIdentity": "one"},
    }
    made = await cluster.put_lease(ref, lease)
    with pytest.raises(ConflictError):
        await cluster.put_lease(ref, lease)
    await cluster.put_lease(ref, {**made, "spec": {"holderIdentity": "two"}})
    with pytest.raises(ConflictError):
        await cluster.put_lease(ref, {**made, "spec": {"holderIdentity": "three"}})
    found = await cluster.get_lease(ref)
    assert found is not None
    assert found["spec"]["holderIdentity"] == "two"


async def _names(cluster: Cluster, namespace: str, selector: str = "") -> list[str]:
    pages = [page async for page in cluster.pages(kinds.CONFIG_MAP, namespace=namespace, selector=selector)]
    found = [thing["metadata"]["name"] for page in pages for thing in page.items]
    return [name for name in found if name != "kube-root-ca.crt"]  # every namespace of a real cluster has that


async def _version(cluster: Cluster) -> str:
    return [page.resource_version async for page in cluster.pages(kinds.CONFIG_MAP)][-1]


async def _events(cluster: Cluster, since: str, namespace: str, count: int, selector: str = "") -> list[WatchEvent]:
    found: list[WatchEvent] = []
    async with asyncio.timeout(10):
        async for event in cluster.watch(kinds.CONFIG_MAP, since=since, selector=selector):
            metadata = event.object["metadata"]
            if metadata.get("namespace") == namespace and metadata["name"] != "kube-root-ca.crt":
                found.append(event)
            if len(found) == count:
                return found
    return found
