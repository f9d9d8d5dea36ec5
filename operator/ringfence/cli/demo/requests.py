"""What the operator asked of the API server, as the API server itself wrote it down: its audit log.

Law: the operator's own counts prove nothing; only the server's do.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

from ringfence import names

OPERATOR: Final = f"system:serviceaccount:{names.OPERATOR_NAMESPACE}:{names.OPERATOR_SERVICE_ACCOUNT}"
WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
POLICY: Final = Path(__file__).with_name("audit-policy.yaml")


class Requests:
    """The operator's requests since this was made."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._start = log.stat().st_size

    def by_verb(self) -> Counter[str]:
        """Count them by verb, without what changes nothing that anybody asked for: the Lease, and questions by POST."""
        return Counter(str(event["verb"]) for event in self._events() if _counts(event))

    def writes(self) -> int:
        """Count those that write."""
        return sum(number for verb, number in self.by_verb().items() if verb in WRITES)

    def _events(self) -> list[dict[str, Any]]:
        with self._log.open("rb") as lines:
            lines.seek(self._start)
            return [json.loads(line) for line in lines if line.endswith(b"\n")]


def _counts(event: dict[str, Any]) -> bool:
    """Whether it reads or changes something; questions are asked by POST, as dry runs, or by the canary's token."""
    target = event.get("objectRef", {})
    resource = target.get("resource", "")
    asks = resource.endswith("reviews") or target.get("subresource") == "token" or "dryRun=All" in event["requestURI"]
    return event["user"]["username"] == OPERATOR and resource != "leases" and not asks
