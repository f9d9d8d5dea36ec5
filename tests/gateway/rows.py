"""What a row of the bypass table is.

Law: a row is data. Its attack differs from its twin, which is served, in the one thing that it is about.
"""

from dataclasses import dataclass, field

from tests.gateway.asking import Answer, Attempt, Request


@dataclass(frozen=True)
class Row:
    """An attempt that is refused, before any provider hears of it."""

    title: str
    attack: Attempt
    status: int
    """0 where the connection is closed without a word: what was said was not HTTP."""
    code: str
    """Of the refusal, in the shape that OpenAI's clients expect."""
    twin: Attempt = field(default_factory=Request)

    def refused(self, answer: Answer) -> bool:
        """Whether the answer is this refusal."""
        return (answer.status, answer.code) == (self.status, self.code)


@dataclass(frozen=True)
class Futile:
    """An attempt that changes nothing: the provider is sent what it is sent without the trick."""

    title: str
    attack: Attempt
    twin: Attempt = field(default_factory=Request)
