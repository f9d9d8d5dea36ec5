"""Whether the admission policies of this release are in force, as far as anybody has asked.

Law: what nobody has seen refuse is not in force. While it is not, no tenant and no namespace is opened; what stands
is kept and repaired, for leaving it alone would help nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_MOST_TOLD: Final = 4


@dataclass(frozen=True, slots=True)
class Enforcement:
    """What is known of the policies at one moment."""

    silent: tuple[str, ...] = ()
    """Why no new namespace is opened: policies that did not refuse what they should, or were not asked yet."""
    drifted: tuple[str, ...] = ()
    """Policies and bindings that are not as this release ships them."""
    lacking: tuple[str, ...] = ()
    """What this API server has not, and what therefore does not hold."""
    unguarded: bool = False
    """True where the operator was told to work without admission policies: nobody asks."""

    @property
    def opens(self) -> bool:
        """Whether tenants and namespaces may be opened."""
        return not self.silent

    @property
    def state(self) -> str:
        """What it means for the fence, in a word."""
        return "Inactive" if self.silent else "Drifted" if self.drifted else "InForce"

    def is_news_after(self, before: "Enforcement") -> bool:
        """Whether it is worth a record: it means something else, or more is wrong. That less is wrong is on its way."""
        more = {*self.silent, *self.drifted} - {*before.silent, *before.drifted}
        return bool(more) or self.state != before.state


def in_words(found: Sequence[str]) -> str:
    """Some of it, which is enough to know where to look."""
    rest = len(found) - _MOST_TOLD
    return "; ".join(found[:_MOST_TOLD]) + (f"; and {rest} more" if rest > 0 else "")


IN_FORCE: Final = Enforcement()
NOT_ASKED: Final = Enforcement(silent=("they were not asked yet",))
UNGUARDED: Final = Enforcement(unguarded=True)
