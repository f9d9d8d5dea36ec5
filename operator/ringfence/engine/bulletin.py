"""Lets everybody know how admission policies were found: planners, probes, metrics, and the record.

Law: what is decided next rests on what is told; the record follows and holds nobody up.
"""

from ringfence.engine.facts import ClusterFacts
from ringfence.engine.health import Health
from ringfence.engine.metrics import Metrics
from ringfence.engine.record import Recorder
from ringfence.plan.enforcement import Enforcement


class Bulletin:
    """Tells what changed."""

    def __init__(self, facts: ClusterFacts, health: Health, metrics: Metrics, recorder: Recorder) -> None:
        self._facts = facts
        self._health = health
        self._metrics = metrics
        self._recorder = recorder

    async def __call__(self, before: Enforcement, state: Enforcement) -> None:
        """Tell everybody of ``state``; the record of what is worth one."""
        self._health.silent = state.silent
        self._metrics.policies_in_force.set(state.opens)
        self._metrics.policies_silent.set(len(state.silent))
        self._metrics.policies_drifted.set(len(state.drifted))
        self._facts.enforce(state)
        if state.is_news_after(before):
            await self._recorder.enforcement(state)
