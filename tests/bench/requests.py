"""Requests as the API server counted them: its audit log, by user. Watches are one request each, at their start."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
# Counted apart: what any operator of its kind sends whatever it serves.
_APART: Final = frozenset(
    {
        "leases",
        "events",
        "tokenreviews",
        "subjectaccessreviews",
        "selfsubjectaccessreviews",
        "selfsubjectreviews",
        "selfsubjectrulesreviews",
    }
)

POLICY: Final = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


@dataclass(frozen=True)
class Counted:
    """Requests of one user, by verb and resource."""

    by_verb: Counter[str]

    @classmethod
    def since(cls, log: Path, position: int, user: str, *, without: str = "") -> Self:
        """Count what `user` sent after byte `position` of the log, leaving out the objects of tenant `without`."""
        with log.open() as lines:
            lines.seek(position)
            events = (json.loads(line) for line in lines if line.endswith("\n"))
            return cls(Counter(_verb(event) for event in events if _counts(event, user, without)))

    @property
    def all(self) -> int:
        """Requests of any verb, the starts of watches and lists left out."""
        return sum(number for verb, number in self.by_verb.items() if verb not in {"watch", "list"})

    @property
    def writes(self) -> int:
        """Requests that change something."""
        return sum(self.by_verb[verb] for verb in WRITES)


def _verb(event: dict[str, Any]) -> str:
    return str(event["verb"])


def _counts(event: dict[str, Any], user: str, without: str) -> bool:
    target = event.get("objectRef", {})
    place = (target.get("namespace", ""), target.get("name", ""))
    if without and any(part.partition("-")[0] == without for part in place):
        return False
    if event["user"]["username"] != user or target.get("resource", "") in _APART:
        return False
    return event["stage"] == "ResponseComplete" and target.get("resource") is not None
