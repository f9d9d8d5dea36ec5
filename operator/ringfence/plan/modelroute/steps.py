"""The way of a revision through a Tenant's environments.

Law: the first environment follows the spec, unless it is protected. To a protected first one and to every later one a
revision is promoted; nothing comes there because somebody wrote it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class _Staged(Protocol):
    """An environment, as the Tenant or a Guardrail has it."""

    @property
    def name(self) -> str: ...

    @property
    def protected(self) -> bool: ...


E = TypeVar("E", bound=_Staged)


@dataclass(frozen=True, slots=True)
class Step(Generic[E]):
    """An environment to which revisions are promoted."""

    environment: E
    before: E | None
    """Where they serve first; None where nothing is before it."""


def following(environments: Sequence[E]) -> E | None:
    """The environment that follows the spec."""
    return next((first for first in environments[:1] if not first.protected), None)


def steps(environments: Sequence[E]) -> Iterator[Step[E]]:
    """The environments to which revisions are promoted, in their order."""
    for environment, before in zip(environments, (None, *environments), strict=False):
        if before is not None or environment.protected:
            yield Step(environment, before)
