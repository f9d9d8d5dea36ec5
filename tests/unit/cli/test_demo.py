"""How the demo judges: a judge that takes anything for a success would prove nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from ringfence.cli.demo.overview import condition
from ringfence.cli.demo.promise import BrokenPromiseError, within
from ringfence.cli.demo.record import altered_copy
from ringfence.cli.demo.requests import OPERATOR, Requests


def event(verb: str, resource: str, user: str = OPERATOR, query: str = "", subresource: str = "") -> str:
    target = {"resource": resource, **({"subresource": subresource} if subresource else {})}
    whole = {"verb": verb, "user": {"username": user}, "objectRef": target, "requestURI": f"/api/v1/{resource}{query}"}
    return json.dumps(whole) + "\n"


def test_every_write_of_the_operator_since_the_start_counts(tmp_path: Path) -> None:
    """Earlier requests, other users, the Lease and questions are left out; half a line is read the next time."""
    log = tmp_path / "audit.log"
    log.write_text(event("patch", "networkpolicies"))
    requests = Requests(log)
    with log.open("a") as lines:
        lines.write(event("update", "leases") + event("create", "selfsubjectreviews"))
        lines.write(event("create", "secrets", query="?dryRun=All"))
        lines.write(event("create", "serviceaccounts", subresource="token"))
        lines.write(event("patch", "tenants", user="ann") + event("watch", "tenants"))
    assert requests.writes() == 0
    with log.open("a") as lines:
        lines.write(event("delete", "rolebindings") + event("patch", "tenants")[:20])
    assert requests.writes() == 1
    assert requests.by_verb() == {"watch": 1, "delete": 1}


@pytest.mark.parametrize(("observed", "found"), [(3, "True"), (2, None)])
def test_a_condition_of_an_earlier_generation_says_nothing(observed: int, found: str | None) -> None:
    """Ready from before the last change must not be taken for Ready."""
    ready: dict[str, Any] = {"type": "Ready", "status": "True", "observedGeneration": observed}
    item = {"metadata": {"generation": 3}, "status": {"conditions": [ready]}}
    assert condition(item, "Ready").get("status") == found


def test_what_does_not_come_true_in_time_is_a_broken_promise() -> None:
    """The message says what was waited for."""
    assert within(1, "something", lambda: "it") == "it"
    with pytest.raises(BrokenPromiseError, match="the moon: not within 0 s"):
        within(0, "the moon", lambda: False)


def test_the_altered_copy_differs_in_one_bit_of_each_tenants_log(tmp_path: Path) -> None:
    """The record itself stays as it is, and so does the platform's log."""
    ledger = tmp_path / "ledger"
    ledger.mkdir()
    for name in ("6f1c-uid.db", "platform.db"):
        (ledger / name).write_bytes(b'header {"c":"89da"} {"c":"77aa"}')
    copy = altered_copy(ledger)
    assert (copy / "platform.db").read_bytes() == (ledger / "platform.db").read_bytes()
    before, after = (int.from_bytes((folder / "6f1c-uid.db").read_bytes()) for folder in (ledger, copy))
    assert (before ^ after).bit_count() == 1
