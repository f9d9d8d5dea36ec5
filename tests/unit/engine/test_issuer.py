"""Who vouches for callers is asked for again and again, and what was published is not forgotten at once."""

import orjson

from ringfence.engine.issuer import BELIEVED_FOR, IssuerWatch
from ringfence.gateway.served import Issuer
from tests.fakes.cluster import MemoryCluster
from tests.unit.engine.conftest import LoopClock

URL = "https://kubernetes.default.svc"


class Clock(LoopClock):
    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


class Watch:
    """The watch, and what it told last."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.told = Issuer("", "")
        self.watch = IssuerWatch(MemoryCluster(), self.clock, self._tell)

    def _tell(self, issuer: Issuer) -> None:
        self.told = issuer

    def publish(self, *keys: str, url: str = URL, after: float = 0.0) -> list[str]:
        """Let the API server publish these keys; return which are believed."""
        self.clock.seconds += after
        self.watch.note(Issuer(url, orjson.dumps({"keys": [{"kid": key} for key in keys]}).decode()))
        return [key["kid"] for key in orjson.loads(self.told.jwks)["keys"]]


def test_an_old_key_is_believed_beside_a_new_one_for_a_while() -> None:
    """Several API servers do not change at once; an hour later all have."""
    watch = Watch()
    assert watch.publish("old") == ["old"]
    assert watch.publish("new", after=60) == ["new", "old"]
    assert watch.publish("new", after=BELIEVED_FOR - 60) == ["new", "old"]
    assert watch.publish("new", after=60) == ["new"]


def test_another_issuer_is_another_world() -> None:
    """Its keys verify nothing that the one before has signed."""
    watch = Watch()
    watch.publish("old")
    assert watch.publish("new", url="https://elsewhere.example") == ["new"]
    assert watch.told.url == "https://elsewhere.example"


def test_the_same_keys_in_another_order_are_no_news() -> None:
    """Or every gateway would be configured anew each minute."""
    watch = Watch()
    watch.publish("a", "b")
    before = watch.told
    watch.publish("b", "a")
    assert watch.told == before
