"""What is known of custom resources is what the API server told last, whatever order that arrives in."""

from typing import Any, Final

import pytest

from ringfence.engine.subjects import Subjects
from ringfence.model.kinds import TENANT, Ref
from tests.unit.engine.conftest import tenant

ACME: Final = Ref(TENANT, "", "acme")


def at(version: int, uid: str = "first", **metadata: Any) -> dict[str, Any]:
    """A Tenant as an event has it."""
    return tenant() | {"metadata": {"name": "acme", "uid": uid, "resourceVersion": str(version), **metadata}}


def store() -> Subjects:
    return Subjects(changed=lambda *_, **__: None)


def _broken(_: object) -> None:
    raise RuntimeError("a defect of ours")


def test_an_answer_that_comes_after_the_deletion_brings_nothing_back() -> None:
    """The last finalizer is taken off, and the watch tells the end before the patch is answered."""
    subjects = store()
    subjects.seen(at(1))
    subjects.gone(ACME, "first")
    subjects.seen(at(2, deletionTimestamp="2026-11-22T00:00:00Z"), ours=True)
    assert subjects.get(ACME) is None
    subjects.seen(at(3, "second"))
    subjects.seen(at(4, "second"), ours=True)
    known = subjects.get(ACME)
    assert known
    assert known.meta.resource_version == "4"


def test_of_what_is_gone_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the end of one is told after the beginning of its namesake, and where it could not be read."""
    subjects = store()
    subjects.seen(at(1))
    subjects.seen(at(3, "second"))
    subjects.gone(ACME, "first")
    assert subjects.get(ACME)
    with monkeypatch.context() as patched:
        patched.setattr("ringfence.engine.subjects.parse", _broken)
        subjects.seen(at(4, "third"))
    assert subjects.unknown(TENANT, {"first", "third"}) == {"first"}
    subjects.gone(ACME, "third")
    assert subjects.unknown(TENANT, {"third"}) == {"third"}
    subjects.gone(ACME, "second")
    assert not subjects._versions
