"""Look, ask what looking can't tell, and plan.

Law: an answer is asked for once and believed for a short time; a plan is made from one moment's view.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from ringfence.engine.cache import Cache
from ringfence.model.kinds import Ref
from ringfence.plan.gateway.certificates import LIFE
from ringfence.plan.look import look
from ringfence.plan.make import make_plan
from ringfence.plan.plan import Plan
from ringfence.plan.seen import (
    Answer,
    AnySubject,
    Authority,
    ClaimsIn,
    Existence,
    Facts,
    NewCertificate,
    Question,
    SecretExists,
)
from ringfence.ports.clock import Clock
from ringfence.ports.cluster import ClusterError, Reader
from ringfence.ports.mint import Mint

MOST_ROUNDS: Final = 3
"""How often a plan may lead to further questions; the planners need one round."""
BELIEVED_FOR: Final = timedelta(seconds=5)
PRESENT_FOR: Final = timedelta(seconds=60)
"""What exists is not asked for again within this time: absence is what somebody waits to end."""


def _believed_for(question: Question, answer: Answer) -> timedelta:
    return PRESENT_FOR if answer is Existence.PRESENT or isinstance(question, Authority) else BELIEVED_FOR


class Planner:
    """Answers what should be, for one object at a time."""

    def __init__(self, reader: Reader, cache: Cache, facts: Callable[[], Facts], clock: Clock, mint: Mint) -> None:
        self._reader = reader
        self._cache = cache
        self._facts = facts
        self._clock = clock
        self._mint = mint
        self._answers: dict[Question, tuple[Answer, datetime]] = {}

    async def plan(self, ref: Ref) -> tuple[AnySubject, Plan] | None:
        """Return the object as it was looked at, and the plan for it; ``None`` where there is no object."""
        for _ in range(MOST_ROUNDS):
            planned = self.plan_now(ref)
            if planned is None:
                return None
            open_questions = [question for question in planned[1].questions if question not in self._answers]
            if not open_questions:
                break
            await self._ask(open_questions)
        return planned

    def plan_now(self, ref: Ref) -> tuple[AnySubject, Plan] | None:
        """Plan from what is known, without asking."""
        now = self._clock.now()
        self._answers = {question: known for question, known in self._answers.items() if known[1] > now}
        answers = {question: answer for question, (answer, _) in self._answers.items()}
        subject, seen = look(ref, self._cache, now=now, facts=self._facts(), answers=answers)
        return None if subject is None else (subject, make_plan(subject, seen))

    async def _ask(self, questions: Iterable[Question]) -> None:
        asked = tuple(questions)
        answers = await asyncio.gather(*map(self._answer, asked))
        now = self._clock.now()
        for question, answer in zip(asked, answers, strict=True):
            self._answers[question] = (answer, now + _believed_for(question, answer))

    async def _answer(self, question: Question) -> Answer:
        match question:
            case ClaimsIn():
                return await self._reader.claims_in(question.namespace)
            case Authority():
                return await self._reader.authority(question.namespace, question.name)
            case NewCertificate():
                now = self._clock.now()
                return self._mint.issue(question.namespace, question.hosts, now, now + LIFE)
            case SecretExists():
                return await self._existence(question)

    async def _existence(self, question: SecretExists) -> Existence:
        try:
            return await self._reader.secret_exists(question.namespace, question.name)
        except ClusterError:
            return Existence.UNKNOWN
