"""What a look at a gateway's replicas says of it.

Law: a gateway serves when every replica turns strangers away, knows the probe, refuses what is approved for nobody, and
has taken the same revision of every resource. One of them without the others proves nothing: a filter that is not
there lets everybody in, and one that lets nobody in refuses every model.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ringfence.plan.seen import Probed

_PARTS: Final = {"cds": "clusters", "lds": "listener", "rds": "routes"}
"""What a configuration decides alone. Whether a secret is taken depends on whether it is there."""
UNAUTHORIZED: Final = 401
OK: Final = 200
FORBIDDEN: Final = 403


@dataclass(frozen=True, slots=True)
class Sight:
    """What one replica answered."""

    replica: str
    """Name of the pod."""
    unreachable: str = ""
    """Why there was no answer; nothing else is known then."""
    stranger: int = UNAUTHORIZED
    """Status of a request without a token."""
    probe: int = OK
    """Status of the probe's request for its models."""
    revision: str = ""
    """What the answer to the probe says of the routes that are served."""
    unapproved: int = FORBIDDEN
    """Status of the probe's request to a model."""
    taken: frozenset[tuple[str, str]] = frozenset()
    """Every resource that Envoy takes from a file, and the revision that it took last; empty before the first."""
    rejected: frozenset[str] = frozenset()
    """Those of which it has rejected some revision since it started."""


def judge(sights: Sequence[Sight], now: datetime, published: str = "") -> Probed | None:
    """What is found of a gateway by all of its replicas; None where it has none.

    ``published`` is the revision of which it is to be judged whether Envoy refused it.
    """
    if not sights:
        return None
    revisions = {each.revision for each in sights}
    agreed = revisions.pop() if len(revisions) == 1 else ""
    away = [f"pod {each.replica}: {each.unreachable}" for each in sights if each.unreachable]
    if refusals := [refusal for each in sights for refusal in _refusals(each, published)]:
        return Probed(now, reachable=not away, revision=agreed, problem=refusals[0], refused=published)
    if away:
        return Probed(now, problem=away[0])
    behind = [problem for each in sights for problem in _behind(each)]
    problems = [*(problem for each in sights for problem in _problems(each)), *behind]
    lacking = bool(behind) and problems == behind and all(map(_lacks_secrets_only, sights))
    return Probed(now, reachable=True, revision=agreed, problem="".join(problems[:1]), lacks_secrets=lacking)


def _refusals(sight: Sight, published: str) -> Iterator[str]:
    """That a revision arrived, which some resource shows that was taken, and another was rejected and is not of it."""
    arrived = bool(published) and any(revision == published for _, revision in sight.taken)
    others = {name for name, revision in sight.taken if revision != published} & sight.rejected
    refused = [word for part, word in _PARTS.items() if part in others]
    if arrived and refused:
        yield f"pod {sight.replica}: Envoy refused revision {published}, of its {' and '.join(refused)}"


def _lacks_secrets_only(sight: Sight) -> bool:
    return all(revision == sight.revision or name not in _PARTS for name, revision in sight.taken)


def _problems(sight: Sight) -> Iterator[str]:
    said = (
        (sight.stranger, UNAUTHORIZED, "a request without a token"),
        (sight.probe, OK, "the probe's request for its models"),
        (sight.unapproved, FORBIDDEN, "a request for a model that is approved for nobody"),
    )
    for status, wanted, what in said:
        if status != wanted:
            yield f"pod {sight.replica} answers {what} by {status}, and not by {wanted}"
    if not sight.taken:
        yield f"pod {sight.replica} does not tell which configuration it has taken"


def _behind(sight: Sight) -> Iterator[str]:
    behind = sorted(name for name, revision in sight.taken if revision != sight.revision)
    if behind:
        yield f"pod {sight.replica} serves revision {sight.revision} and has not taken it for {', '.join(behind)}"
