"""One thing that is wrong with a configuration."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What, and where. It never repeats a value: nobody knows what stands where it should not."""

    rule: str
    where: str
    """File and path, with a slash between the parts."""
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message} ({self.rule})"
