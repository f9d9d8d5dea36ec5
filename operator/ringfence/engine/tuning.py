"""How the engine works: what an installation sets."""

from dataclasses import dataclass, field

from ringfence.engine.budget import WRITES_PER_SECOND
from ringfence.engine.facts import UNSET, Gateways, Ranges
from ringfence.lineage.canonical import digest


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the engine works; times in seconds."""

    identity: str
    workers: int = 16
    resync: float = 1800.0
    """How long it takes until every object was looked at again without any cause."""
    checkpoint: float = 3600.0
    writes_per_second: float = WRITES_PER_SECOND
    burst: int = int(2 * WRITES_PER_SECOND)
    grace: float = 8.0
    """How long what was begun may take to end when the process is asked to stop."""
    ranges: Ranges = field(default_factory=Ranges)
    gateways: Gateways = UNSET
    configuration_digest: str = digest(b"")
    image: str = ""
