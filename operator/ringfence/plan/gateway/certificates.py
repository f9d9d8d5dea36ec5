"""Which certificates a gateway has: one that it shows, and those that its callers are to trust.

Laws: an authority is announced before anybody needs it, and trusted until nobody does. A certificate whose Secret is
known to be missing counts for nothing. Whoever deletes the ConfigMap that tells of one, and thereby its Secret, gets
another one at once: so is a key replaced that leaked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from ringfence import names
from ringfence.model.kinds import CERTIFICATE, CONFIG_MAP, Ref
from ringfence.plan.children import gateway_certificate as builder
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired
from ringfence.plan.seen import Existence, Issued, NewCertificate, Question, SecretExists, Seen

LIFE: Final = timedelta(days=90)
"""Of a certificate and of the authority that signed it."""
RENEWED_AFTER: Final = timedelta(days=60)
ANNOUNCED_FOR: Final = timedelta(days=7)
"""How long callers know an authority before the gateway shows its certificate: they may read it when they start."""
TRUSTED_FOR: Final = timedelta(days=1)
"""How long an authority is trusted after the gateway began to show another one's certificate."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """What a home namespace holds of certificates."""

    shown: str = ""
    """Name of the Secret that the gateway mounts; empty while there is none."""
    authorities: str = ""
    """What callers are to trust, PEM."""
    children: tuple[Desired, ...] = ()
    """What tells of them, or orders one."""
    secrets: tuple[Desired, ...] = ()
    """What is to be made now."""
    questions: tuple[Question, ...] = ()
    next_change: datetime | None = None


def certificates(home: Place, seen: Seen) -> Certificates:
    """From cert-manager where the installation names an issuer and the cluster has it, else from Ringfence itself."""
    issuer = seen.facts.certificate_issuer
    if issuer is not None and CERTIFICATE in seen.facts.served:
        order = builder.make_order(home, issuer.kind, issuer.name)
        return Certificates(names.GATEWAY_TLS_ISSUED, issuer.authorities, (order,))
    return _own(home, seen)


def _own(home: Place, seen: Seen) -> Certificates:
    asked = NewCertificate(home.core, builder.hosts(home.tenant))
    answer = seen.answers.get(asked)
    fresh = answer if isinstance(answer, Issued) else None
    told = sorted(_told(home, seen), key=lambda each: each.starts)
    there = [each for each in told if each == fresh or _existence(home, each, seen) is not Existence.ABSENT]
    due = not there or there[-1].starts + RENEWED_AFTER <= seen.now
    usable = [*there, fresh] if due and fresh else there
    questions = [SecretExists(home.core, each.name) for each in told]
    kept = _kept(usable, seen.now)
    return Certificates(
        shown=_shown(usable, seen.now).name if usable else "",
        authorities="".join(each.authority for each in kept),
        children=tuple(builder.make(home, each) for each in kept),
        secrets=tuple(_missing(home, fresh, kept, seen)),
        questions=(*questions, *((asked,) if due and not fresh else ())),
        next_change=min((each for each in _changes(usable) if each > seen.now), default=None),
    )


def _told(home: Place, seen: Seen) -> Iterator[Issued]:
    """What ConfigMaps tell of, but for what has ended."""
    for ref in seen.live:
        if _is_told(ref, home):
            live = seen.live[ref]
            issued = builder.read(ref.name, live.content.get("data", {})) if live.ours and not live.deleting else None
            if issued and issued.ends > seen.now:
                yield issued


def _is_told(ref: Ref, home: Place) -> bool:
    return ref.type == CONFIG_MAP and ref.namespace == home.core and ref.name.startswith(names.GATEWAY_TLS_PREFIX)


def _existence(home: Place, issued: Issued, seen: Seen) -> object:
    return seen.answers.get(SecretExists(home.core, issued.name))


def _missing(home: Place, fresh: Issued | None, kept: list[Issued], seen: Seen) -> Iterator[Desired]:
    """The Secret of what was just issued, unless it is there already."""
    if fresh is not None and fresh in kept and _existence(home, fresh, seen) is not Existence.PRESENT:
        yield builder.make_secret(home, fresh.name)


def _shown(usable: list[Issued], now: datetime) -> Issued:
    """The newest one that was announced long enough; the oldest one where none was."""
    announced = [each for each in usable if each.starts + ANNOUNCED_FOR <= now]
    return announced[-1] if announced else usable[0]


def _kept(usable: list[Issued], now: datetime) -> list[Issued]:
    """The one that is shown, those that will be, and those that were until a moment ago."""
    if not usable:
        return []
    shown = _shown(usable, now)
    recent = now < shown.starts + ANNOUNCED_FOR + TRUSTED_FOR
    return [each for each in usable if each.starts >= shown.starts or recent]


def _changes(usable: list[Issued]) -> Iterator[datetime]:
    """The moments at which one of these answers changes."""
    for each in usable[-1:]:
        yield each.starts + RENEWED_AFTER
    for older, newer in pairwise(usable):
        yield newer.starts + ANNOUNCED_FOR
        yield newer.starts + ANNOUNCED_FOR + TRUSTED_FOR
        yield older.ends
