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
    """Every resource that Envoy takes from a file, and the revision that it took last."""


def judge(sights: Sequence[Sight], now: datetime) -> Probed | None:
    """What is found of a gateway by all of its replicas; None where it has none."""
    if not sights:
        return None
    if away := [each for each in sights if each.unreachable]:
        return Probed(now, problem=f"pod {away[0].replica}: {away[0].unreachable}")
    problems = [problem for each in sights for problem in _problems(each)]
    revisions = {each.revision for each in sights}
    agreed = revisions.pop() if len(revisions) == 1 else ""
    return Probed(now, reachable=True, revision=agreed, problem=problems[0] if problems else "")


def _problems(sight: Sight) -> Iterator[str]:
    said = (
        (sight.stranger, UNAUTHORIZED, "a request without a token"),
        (sight.probe, OK, "the probe's request for its models"),
        (sight.unapproved, FORBIDDEN, "a request for a model that is approved for nobody"),
    )
    for status, wanted, what in said:
        if status != wanted:
            yield f"pod {sight.replica} answers {what} by {status}, and not by {wanted}"
    behind = sorted(name for name, revision in sight.taken if revision != sight.revision)
    if behind:
        yield f"pod {sight.replica} serves revision {sight.revision} and has not taken it for {', '.join(behind)}"
    if not sight.taken:
        yield f"pod {sight.replica} does not tell which configuration it has taken"
