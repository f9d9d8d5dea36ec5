"""`ringfence render` and `ringfence trace`: what a revision is called before it is applied, and what became of it."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from ringfence.adapters.sqlite.ledger import SqliteLedger
from ringfence.cli.render import render
from ringfence.cli.route.difference import changes
from ringfence.cli.route.trace import trace
from ringfence.lineage.entry import Entry
from ringfence.model.kinds import MODEL_ROUTE, Ref
from ringfence.model.parse import parse
from ringfence.plan.modelroute.revision import RouteRevision, revision_of
from ringfence.plan.plan import Placed
from tests.gateway_world import ACME, CHAT, ROUTE_SPEC, TENANT_SPEC, Json, manifest
from tests.lineage_samples import ACME as ACME_LOG
from tests.lineage_samples import ended, make_run, pairs, started
from tests.objects import edited

FIRST, SECOND = "rev-6f1c0a9d2b417e55", "rev-0123456789abcdef"


def run(command: Callable[..., None], *arguments: str) -> Result:
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, arguments)


def written(folder: Path, *manifests: Json) -> str:
    path = folder / "objects.yaml"
    path.write_text(yaml.safe_dump_all(manifests), encoding="utf-8")
    return str(path)


def test_a_revision_is_known_before_anything_is_applied(tmp_path: Path) -> None:
    """It is the name that the operator finds, whatever the order of the files' objects."""
    files = written(tmp_path, manifest(CHAT, ROUTE_SPEC), manifest(ACME, TENANT_SPEC))
    found = run(render, files, "--output", "json")
    assert json.loads(found.stdout) == [{"route": "acme/chat", "model": "chat", "revision": "rev-09fece43bda4d185"}]
    assert found.exit_code == 0


@pytest.mark.parametrize(
    ("edits", "word"),
    [({"backends.0.provider": "nobody"}, "no provider nobody"), ({"model": "no model"}, "not valid")],
)
def test_what_can_not_be_told_is_refused(tmp_path: Path, edits: Json, word: str) -> None:
    """A revision without one of its backends would be another one than the operator's some day."""
    files = written(tmp_path, manifest(ACME, TENANT_SPEC), manifest(CHAT, edited(ROUTE_SPEC, edits)))
    found = run(render, files)
    assert (found.exit_code, word in found.output) == (1, True)


def test_a_route_without_its_tenant_has_no_revision(tmp_path: Path) -> None:
    found = run(render, written(tmp_path, manifest(CHAT, ROUTE_SPEC)))
    assert (found.exit_code, "its Tenant" in found.output) == (1, True)


EVERYBODY = "every Namespace of the environment"


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ({}, {"limits": {"requestsPerMinute": 7}}, "limits.requestsPerMinute: nothing -> 7"),
        ({}, {"backends.0.weight": 2}, "backends[0].weight: 1 -> 2"),
        ({"consumers": {"namespaces": ["web"]}}, {}, f"consumers: web -> {EVERYBODY}"),
        (
            {},
            {"consumers": {"namespaces": ["web"], "serviceAccounts": [{"namespace": "live", "name": "ui"}]}},
            f"consumers: {EVERYBODY} -> web, live/ui",
        ),
    ],
)
def test_an_approver_is_told_what_changes_and_who_may_call(before: Json, after: Json, line: str) -> None:
    """In one line each: a list of callers that goes is not told as if there were fewer."""
    assert list(changes(made(before), made(after))) == [line]


def test_an_approver_is_told_all_of_what_comes_where_nothing_served() -> None:
    lines = list(changes(None, made({})))
    assert "backends[0].host: nothing -> api.openai.com" in lines
    assert f"consumers: nothing -> {EVERYBODY}" in lines
    assert list(changes(made({}), made({}))) == []


def made(edits: Json) -> RouteRevision:
    """The revision of the sample route with these edits."""
    route, tenant = parse(manifest(CHAT, edited(ROUTE_SPEC, edits))), parse(manifest(ACME, TENANT_SPEC))
    assert route.spec is not None, route.problems
    assert tenant.spec is not None
    found = revision_of("acme", route.spec, tenant.spec)
    assert found is not None
    return found


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    """A route that went to prod and back, among other records."""
    directory = tmp_path / "ledger"
    there = Placed("prod", FIRST, promoted_by="oidc:ann", approved_by="oidc:ben")
    ways = [
        (Placed("dev", FIRST),),
        (Placed("dev", FIRST), there),
        (Placed("dev", SECOND), there),
        (Placed("dev", SECOND), there),
        (Placed("dev", SECOND),),
    ]
    entries = [*pairs(1), *(entry for placed in ways for entry in _runs("chat", placed))]
    entries += _runs("chat2", (Placed("dev", FIRST),))

    async def write() -> None:
        ledger = SqliteLedger(directory)
        await ledger.append(ACME_LOG, entries)
        await ledger.close()

    asyncio.run(write())
    return f"sqlite:///{directory}"


def _runs(name: str, placed: tuple[Placed, ...]) -> list[Entry]:
    made = replace(make_run(placed=placed), subject=Ref(MODEL_ROUTE, "acme", name))
    return [started(made), ended(made)]


def test_a_trace_tells_what_served_when_and_by_whose_word(ledger: str) -> None:
    """Each change once, with the record that has it; nothing of other routes."""
    found = run(trace, "modelroute/chat", "--ledger", ledger, "--output", "json")
    assert found.exit_code == 0, found.output
    told = [
        (each["environment"], each["before"], each["revision"], each["promoted_by"], each["approved_by"])
        for each in json.loads(found.stdout)
    ]
    assert told == [
        ("dev", "", FIRST, "", ""),
        ("prod", "", FIRST, "oidc:ann", "oidc:ben"),
        ("dev", FIRST, SECOND, "", ""),
        ("prod", FIRST, "", "", ""),
    ]
    assert {each["log"] for each in json.loads(found.stdout)} == {ACME_LOG}


def test_a_trace_is_a_table_for_people(ledger: str) -> None:
    lines = run(trace, "mr/chat", "--ledger", ledger).stdout.splitlines()
    assert lines[0].split()[:3] == ["TIME", "ENVIRONMENT", "REVISION"]
    assert "(ended)" in lines[-1]
    assert len(lines) == 5


@pytest.mark.parametrize(("what", "code"), [("modelroute/other", 3), ("chat", 2), ("tenant/acme", 2)])
def test_what_the_record_does_not_know_is_said(ledger: str, what: str, code: int) -> None:
    assert run(trace, what, "--ledger", ledger).exit_code == code
