"""Whether the usage that is kept is what the record commits to.

Law: the last record of an hour counts. An hour that changed since, which will be recorded anew, is no finding.
"""

from dataclasses import dataclass, field

from ringfence.cli.lineage.output import utc_time
from ringfence.lineage.entry import LogId
from ringfence.lineage.facets import rfc3339
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
    recorded = _recorded(ledger, log)
    for hour, noted in usage.digests(log).items():
        checked.hours += 1
        place = f"{tenant} {utc_time(hour * 1000)}"
        kept = rows_digest(list(usage.rows(log, since=hour, until=hour + HOUR)))
        told = recorded.get(rfc3339(hour * 1000))
        if told is None:
            checked.problems.append(f"{place}: the record has no such hour")
        elif kept != told or noted != told:
            checked.problems.append(f"{place}: what is kept is not what was recorded")


def _recorded(ledger: LedgerReader, log: LogId) -> dict[str, str]:
    """The digest that the last record of each hour has."""
    with ledger.open(log) as view:
        events = (read_event(record) for record in view.records())
        told = (event["run"]["facets"].get("ringfence_usage") for event in events if event)
        return {facet["hour"]: facet["rowsDigest"] for facet in told if facet}
