"""Claims of where a caller is: by pods that reach the gateway themselves, and by way of proxies that are trusted.

Law: a row's attack comes from another address than its twin, or is told of another client.
"""

from dataclasses import dataclass, replace
from typing import Final

from tests.gateway.asking import Answer, Attempt, Bearer, Door, Request
from tests.gateway.http2 import H2Request
from tests.gateway.rows import Futile, Row
from tests.gateway.rows_identity import UNKNOWN, key
from tests.gateway.world import ANYWHERE, FAR, HERE
from tests.gateway.world import key as declared

PROXIES: Final = ("127.0.9.0/24", "203.0.113.0/24")
"""An ingress controller's own network, and that of the load balancer before it."""
POD: Final = "127.0.0.1"
INGRESS: Final = "127.0.9.7"
BALANCER: Final = "203.0.113.5"
ALLOWED: Final = "198.51.100.7"
"""A place that the key `far` may be used from."""
OTHER: Final = "192.0.2.5"
_MINE: Final = key(FAR.account)


@dataclass(frozen=True)
class From:
    """An attempt over a connection from some address."""

    source: str
    attempt: Attempt

    def send(self, door: Door) -> Answer:
        """Send it from there."""
        return self.attempt.send(replace(door, source=self.source))


def told(*headers: tuple[str, str], source: str = INGRESS, bearer: Bearer = _MINE) -> From:
    """A request with a key, that came this way and says these things."""
    return From(source, Request(bearer=bearer, headers=headers))


def forwarded(*clients: str, source: str = INGRESS, bearer: Bearer = _MINE) -> From:
    """The same with `x-forwarded-for`, in as many headers as there are texts."""
    return told(*(("x-forwarded-for", each) for each in clients), source=source, bearer=bearer)


SERVED: Final = forwarded(ALLOWED)
BY_BOTH: Final = forwarded(f"{ALLOWED}, {BALANCER}")
AT_HOME: Final = key(HERE.account)
HOME: Final = told(source=POD, bearer=AT_HOME)

SIX: Final = declared("six", "2001:db8::/32")
_SIX: Final = key(SIX.account)
BY_SIX: Final = forwarded("2001:db8::7", bearer=_SIX)
_IN_HTTP2: Final = H2Request(bearer=_MINE, headers=(("content-type", "application/json"), ("x-forwarded-for", ALLOWED)))


def refused(title: str, attack: From, twin: From = SERVED) -> Row:
    """A key that is used from where it may not be, as far as anybody knows."""
    return Row(title, attack, *UNKNOWN, twin)


_BY_PODS: Final = (
    refused("a pod says that it is elsewhere", forwarded(ALLOWED, source=POD)),
    refused("a pod says that a proxy has seen it elsewhere", forwarded(f"{ALLOWED}, {INGRESS}", source=POD)),
    refused("a pod says that two proxies have", forwarded(f"{ALLOWED}, {BALANCER}, {INGRESS}", source=POD)),
    refused("a pod says so twice", forwarded(ALLOWED, ALLOWED, source=POD)),
    refused("a pod beside the proxies' network", forwarded(ALLOWED, source="127.0.10.1")),
    refused("a pod before the proxies' network", forwarded(ALLOWED, source="127.0.8.255")),
    refused("a pod that says nothing", told(source=POD)),
    refused("a pod that says so in HTTP/2", From(POD, _IN_HTTP2), From(INGRESS, _IN_HTTP2)),
)
_BY_PROXIES: Final = (
    refused("a proxy's other client", forwarded(OTHER)),
    refused("a proxy's other client, who said that he is elsewhere", forwarded(f"{ALLOWED}, {OTHER}")),
    refused("the same in two headers", forwarded(ALLOWED, OTHER)),
    refused("the same without a space", forwarded(f"{ALLOWED},{OTHER}")),
    refused("a balancer's other client", forwarded(f"{OTHER}, {BALANCER}"), BY_BOTH),
    refused("a balancer's other client, who said more", forwarded(f"{ALLOWED}, {OTHER}, {BALANCER}"), BY_BOTH),
    refused("a balancer's other client, in headers", forwarded(ALLOWED, OTHER, BALANCER), BY_BOTH),
    refused("one who names a proxy before himself", forwarded(f"{ALLOWED}, {BALANCER}, {OTHER}"), BY_BOTH),
    refused("a client in another network of IPv6", forwarded("2001:db9::7", bearer=_SIX), BY_SIX),
    refused("a pod that says it has an address of IPv6", forwarded("2001:db8::7", source=POD, bearer=_SIX), BY_SIX),
    refused("proxies among themselves", forwarded(f"{BALANCER}, {INGRESS}"), BY_BOTH),
    refused("a proxy that says nothing", told()),
    refused("a proxy that says nothing, where its own network is allowed", told(bearer=AT_HOME), HOME),
    refused("a proxy that names itself", forwarded(INGRESS, bearer=AT_HOME), HOME),
    refused("a proxy that names no address, where its own is allowed", forwarded("x", bearer=AT_HOME), HOME),
)
_ODD: Final = (
    *("", " ", ",", "x", "unknown", "_hidden", "localhost", "null"),
    *(
        f"{ALLOWED}, x",
        f"{ALLOWED},",
        f"{ALLOWED}, ,",
        f"{ALLOWED}, unknown",
        f"{ALLOWED} {OTHER}",
        f"{ALLOWED};{OTHER}",
    ),
    *(
        f"{ALLOWED}/24",
        f"[{ALLOWED}]",
        f'"{ALLOWED}"',
        f"for={ALLOWED}",
        f"::ffff:{ALLOWED}",
        f"{ALLOWED}.",
        f"{ALLOWED}%x",
    ),
    *(f"{ALLOWED}:443", "198.51.100", "3325256711", "0xc6336407", "198.51.100.0x7", "198.51.100.256", "198.51.100.7.8"),
)
_BY_NO_ADDRESS: Final = tuple(refused(f"a proxy's client is {each!r}", forwarded(each)) for each in _ODD)
_OTHER_WORDS: Final = (
    *("x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip", "fastly-client-ip", "x-cluster-client-ip"),
    *("x-original-forwarded-for", "x-forwarded", "forwarded-for", "x-envoy-external-address", "x-appengine-user-ip"),
)
_BY_OTHER_WORDS: Final = (
    *(
        refused(f"{each} beside what a proxy says", told(("x-forwarded-for", OTHER), (each, ALLOWED)))
        for each in _OTHER_WORDS
    ),
    *(refused(f"{each} alone, by a proxy", told((each, ALLOWED))) for each in _OTHER_WORDS),
    *(refused(f"{each} alone, by a pod", told((each, ALLOWED), source=POD)) for each in _OTHER_WORDS),
    refused("the standard's word, by a proxy", told(("forwarded", f"for={ALLOWED}"))),
    refused("the standard's word, by a pod", told(("forwarded", f"for={ALLOWED}"), source=POD)),
)
ROWS: Final[tuple[Row, ...]] = (*_BY_PODS, *_BY_PROXIES, *_BY_NO_ADDRESS, *_BY_OTHER_WORDS)
FUTILE: Final = (
    Futile("a pod in its own place says that it is elsewhere", forwarded(OTHER, source=POD, bearer=AT_HOME), HOME),
    Futile(
        "a key for everywhere, of a client without an address", forwarded("x", bearer=key(ANYWHERE.account)), SERVED
    ),
    Futile("what the client said before a proxy saw it", forwarded(f"{OTHER}, {ALLOWED}"), SERVED),
    Futile("what is no address, before a proxy saw the client", forwarded(f"x, {ALLOWED}"), SERVED),
    Futile("two proxies before it", BY_BOTH, SERVED),
    Futile("two proxies before it, in two headers", forwarded(ALLOWED, BALANCER), SERVED),
)
"""Where the trick changes nothing, or there is none."""
