"""What one log tells of an incident, and whether it can be believed."""

from dataclasses import dataclass

from ringfence.lineage.incident import Story
from ringfence.lineage.verify import Verdict


@dataclass(frozen=True, slots=True)
class Part:
    """One log's part of the evidence."""

    log: str
    story: Story | None = None
    verdict: Verdict | None = None
    problem: str = ""
    """Why the log could not be read."""
    signed: bool = False
    """Whether signatures were checked."""

    @property
    def verified(self) -> bool:
        """Whether the log was read and nothing is wrong with it."""
        return self.verdict is not None and not self.verdict.findings

    @property
    def unsigned(self) -> int:
        """How many of the newest leaves of this story no signed checkpoint covers; 0 where none was looked for."""
        if not self.signed or self.story is None or self.verdict is None:
            return 0
        leaves = {each.leaf for each in self.story.happenings} | {each.leaf for each in self.story.withdrawn}
        return sum(leaf >= (self.verdict.checkpoint or 0) for leaf in leaves)
