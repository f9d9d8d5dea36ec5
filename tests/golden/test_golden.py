"""What a tenant gets, as files to be reviewed in diffs.

`UPDATE_GOLDEN=1 pytest tests/golden` writes them anew.
"""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from ringfence import names
from ringfence.admission.catalogue import POLICIES
from ringfence.engine.writes import Write
from ringfence.model.kinds import CONFIG_MAP, PRIMARY_TYPES, Ref
from tests.sample_world import (
    ACME,
    DATA,
    GLOBEX,
    WEB,
    Change,
    annotate,
    applied,
    both,
    delete,
    edit,
    models_come_up,
    settled,
)
from tests.simulation import Simulation

HERE: Final = Path(__file__).parent
TENANTS: Final = ("acme", "globex")

STORY: Final[tuple[tuple[str, Change], ...]] = (
    ("Their models come up", models_come_up),
    ("Nothing happens", lambda world: None),
    ("A role loses its people", edit(ACME, {"access": {"owners": [{"group": "oidc:acme-owners"}]}})),
    ("A peer takes back its word", edit(DATA, {"network": {}})),
    ("A Namespace asks for more than is left", edit(WEB, {"quota": {"hard": {"pods": "90"}}})),
    ("An incident in one Namespace", edit(WEB, {"isolation": "Quarantined"})),
    ("Repair is suspended", annotate(WEB, paused_until="2026-11-22T10:00:00Z")),
    ("A Namespace is deleted and its core namespace retained", delete(WEB)),
    (
        "A Tenant is deleted with everything that it has",
        both(edit(GLOBEX, {"deletionPolicy": "Delete"}), annotate(GLOBEX, confirm_delete="globex"), delete(GLOBEX)),
    ),
    ("The other Tenant is deleted and everything retained", delete(ACME)),
)


def check(name: str, text: str) -> None:
    """Compare with the golden file, or write it where that is asked for."""
    path, text = HERE / name, _calmed(text)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"UPDATE_GOLDEN=1 pytest tests/golden writes {name}"
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_tenant_gets_exactly_this(tenant: str) -> None:
    """Every object that Ringfence makes for a sample tenant, in full."""
    world = settled()
    made = [world.applied[ref] for ref in sorted(world.applied) if tenant in (ref.name, ref.namespace.split("-")[0])]
    homes = [world.applied[ref] for ref in sorted(world.applied) if ref.name.startswith(f"{tenant}-")]
    check(f"{tenant}.yaml", _documents([*homes, *made]))


def test_what_people_read_about_their_gateway() -> None:
    """In the home namespace; other namespaces have the same without its last part."""
    check("notes.txt", settled().objects[Ref(CONFIG_MAP, "acme", names.GATEWAY_CONFIG_MAP)]["data"]["notes"])


def test_what_people_are_told() -> None:
    """The status of every custom resource of the samples."""
    world = settled()
    told = {str(ref): world.snapshot()[str(ref)]["status"] for ref in world.primaries()}
    check("status.yaml", yaml.safe_dump(told, sort_keys=True, width=120))


def test_the_narrative() -> None:
    """Which writes each change leads to, in order."""
    world = applied()
    chapters = [_chapter(world, "The samples are applied", world.settle())]
    for title, change in STORY:
        change(world)
        chapters.append(_chapter(world, title, world.settle()))
    check("narrative.md", "# What Ringfence does with the samples, write by write\n\n" + "\n".join(chapters))


def _chapter(world: Simulation, title: str, writes: Sequence[Write]) -> str:
    lines = [f"- {write.verb} {write.ref}{_where(write)}" for write in writes] or ["- no write"]
    return "\n".join((f"## {title}", "", *lines, "", *_told(world), ""))


def _where(write: Write) -> str:
    pointers = [pointer for pointer in write.pointers if pointer]
    return f" `{' '.join(sorted(pointers))}`" if pointers else ""


def _told(world: Simulation) -> Iterable[str]:
    yield "| object | Ready | reason | message |"
    yield "|---|---|---|---|"
    for ref in world.primaries():
        ready = _ready(world, ref)
        yield f"| {ref} | {ready['status']} | {ready['reason']} | {ready['message']} |"


def _ready(world: Simulation, ref: Ref) -> dict[str, str]:
    assert ref.type in PRIMARY_TYPES
    conditions = world.objects[ref].get("status", {}).get("conditions", [])
    return next(dict(each) for each in conditions if each["type"] == "Ready")


def _documents(manifests: Iterable[Any]) -> str:
    return yaml.safe_dump_all([_abridged(each) for each in manifests], sort_keys=True, width=120)


def _abridged(manifest: Any) -> Any:
    """Of Envoy's own files, which are judged on Envoy, the names are shown; notes have a file of their own."""
    if manifest["kind"] != CONFIG_MAP.kind:
        return manifest
    long = (
        manifest["data"] if manifest["metadata"]["name"] == names.GATEWAY_FILES else {"notes"} & manifest["data"].keys()
    )
    return {**manifest, "data": {**manifest["data"], **dict.fromkeys(long, "...")}}


def _calmed(text: str) -> str:
    """Revisions of a gateway's configuration change with every word of it: they have a name of their own here."""
    found = dict.fromkeys(re.findall(r"(?:ringfence.dev/revision: |configHash: |revision )'?([0-9a-f]{16})\b", text))
    for number, revision in enumerate(found):
        text = text.replace(revision, f"(revision {number})")
    return text


def test_policies_and_rules_keep_their_names() -> None:
    """Users' alerts, the attack table and the documentation refer to them: one that goes breaks them."""
    check("policies.txt", "".join(f"{policy.name} {rule.id}\n" for policy in POLICIES for rule in policy.validations))
