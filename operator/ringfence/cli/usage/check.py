"""Whether the usage that is kept is what the record commits to.

Law: the last record of an hour counts. An hour that changed since, which will be recorded anew, is no finding.
"""

from dataclasses import dataclass, field
from datetime import datetime

from ringfence.cli.lineage.output import utc_time
from ringfence.lineage.entry import LogId
from ringfence.lineage.summary import read_event
from ringfence.lineage.usage import rows_digest
from ringfence.ports.ledger import LedgerReader
from ringfence.ports.usage import UsageReader
from ringfence.usage.tally import HOUR


@dataclass
class Checked:
    """What was compared."""

    hours: int = 0
    problems: list[str] = field(default_factory=list)


def compare(ledger: LedgerReader, usage: UsageReader, log: LogId, tenant: str, checked: Checked) -> None:
    """Compare each hour of a tenant that is on record as it is."""
    recorded, kept = _recorded(ledger, log), usage.digests(log)
    for hour in sorted(recorded.keys() | kept.keys()):
        if kept.get(hour) != "":
            checked.hours += 1
            problem = _problem(usage, log, hour, recorded.get(hour), kept.get(hour))
            checked.problems += [f"{tenant} {utc_time(hour * 1000)}: {problem}"] if problem else []


def _problem(usage: UsageReader, log: LogId, hour: int, told: str | None, noted: str | None) -> str:
    if noted is None:
        return "it is recorded, and not kept"
    if told is None:
        return "it is kept as recorded, and the record has no such hour"
    kept = rows_digest(list(usage.rows(log, since=hour, until=hour + HOUR)))
    return "" if kept == noted == told else "what is kept is not what was recorded"


def _recorded(ledger: LedgerReader, log: LogId) -> dict[int, str]:
    """The digest that the last record of each hour has."""
    with ledger.open(log) as view:
        events = (read_event(record) for record in view.records())
        told = (event["run"]["facets"].get("ringfence_usage") for event in events if event)
        return {_second(facet["hour"]): facet["rowsDigest"] for facet in told if facet}


def _second(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp())
