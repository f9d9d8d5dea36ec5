"""Echoes of our own writes are told from what others changed meanwhile, whatever comes first."""

import copy
from typing import Any, Final

import pytest

from ringfence.engine.children import Children
from ringfence.engine.namespaces import CoreNamespaces
from ringfence.model.kinds import CORE_NAMESPACE, RESOURCE_QUOTA, Ref
from tests.sample_world import WEB, settled

QUOTA: Final = Ref(RESOURCE_QUOTA, "acme-web", "ringfence")
CORE: Final = Ref(CORE_NAMESPACE, "", "acme-web")
MARK: Final = b"the manifest's fingerprint"


class Store:
    """One of the two stores with the same promises, and what it told of one object."""

    def __init__(self, ref: Ref) -> None:
        self.ref = ref
        self.told: list[Ref | None] = []
        """For whom each change was made; ``None`` for somebody else's."""
        self._children = Children(keeps=lambda _: True, changed=self._told)
        self._namespaces = CoreNamespaces(changed=self._told)

    def _told(self, *_: object, by: Ref | None, **__: object) -> None:
        self.told.append(by)

    def seen(self, thing: dict[str, Any]) -> None:
        """An event of the watch."""
        (self._namespaces if self.ref.type == CORE_NAMESPACE else self._children).seen(self.ref.type, thing)

    def begin(self) -> None:
        """We send a write."""
        if self.ref.type == CORE_NAMESPACE:
            self._namespaces.writing(self.ref.name)
        else:
            self._children.writing(self.ref)

    def end(self, answer: dict[str, Any]) -> None:
        """The write is answered."""
        if self.ref.type == CORE_NAMESPACE:
            self._namespaces.written(self.ref.name, answer, MARK, by=WEB)
        else:
            self._children.written(self.ref, answer, MARK, by=WEB)

    @property
    def agreed(self) -> bytes:
        """What the object is known to agree with."""
        child = (
            self._namespaces.child(self.ref.name) if self.ref.type == CORE_NAMESPACE else self._children.get(self.ref)
        )
        assert child
        return child.agreed


def at(ref: Ref, version: int, **labels: str) -> dict[str, Any]:
    """The object as it is at a version."""
    thing = copy.deepcopy(settled().objects[ref])
    thing["metadata"]["resourceVersion"] = str(version)
    thing["metadata"]["labels"] |= labels
    return thing


@pytest.fixture(params=[QUOTA, CORE], ids=["child", "namespace"])
def store(request: pytest.FixtureRequest) -> Store:
    """A store that knows version 5 of an object."""
    found = Store(request.param)
    found.seen(at(found.ref, 5))
    found.told.clear()
    return found


@pytest.mark.parametrize("late", [False, True], ids=["before the answer", "after the answer"])
def test_the_echo_of_our_own_write_is_no_news(store: Store, *, late: bool) -> None:
    store.begin()
    if not late:
        store.seen(at(store.ref, 6, mended="true"))
    store.end(at(store.ref, 6, mended="true"))
    if late:
        store.seen(at(store.ref, 6, mended="true"))
    assert None not in store.told
    assert store.agreed == MARK


@pytest.mark.parametrize("late", [False, True], ids=["before the answer", "after the answer"])
def test_what_somebody_changed_between_our_look_and_our_write_is_looked_at(store: Store, *, late: bool) -> None:
    """An apply leaves others' keys alone: its answer has them, and must not count as what was wanted."""
    theirs, ours = at(store.ref, 6, stray="key"), at(store.ref, 7, stray="key", mended="true")
    store.begin()
    if not late:
        store.seen(theirs)
    store.end(ours)
    if late:
        store.seen(theirs)
    store.seen(ours)
    assert store.told.count(None) == 1
    assert store.agreed == b""


def test_the_echo_of_the_first_of_two_writes_is_no_news(store: Store) -> None:
    store.begin()
    store.end(at(store.ref, 6, mended="half"))
    store.begin()
    store.end(at(store.ref, 7, mended="true"))
    store.seen(at(store.ref, 6, mended="half"))
    store.seen(at(store.ref, 7, mended="true"))
    assert None not in store.told
    assert store.agreed == MARK
