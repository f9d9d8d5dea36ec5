"""The law of two judges: whatever the API server accepts the model accepts, and the reverse."""

from collections import Counter
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from ringfence.model.parse import parse
from tests.dry_run import DryRun
from tests.laws.random_objects import objects
from tests.objects import Object

pytestmark = pytest.mark.apiserver

_EXAMPLES: Final = 1500
_seen: Counter[bool] = Counter()


@settings(
    max_examples=_EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
@given(raw=objects())
def test_the_api_server_and_the_model_give_the_same_verdict(dry_run: DryRun, raw: Object) -> None:
    """A file that validates offline is accepted by the cluster, and what is stored never surprises the operator."""
    verdict, problems = dry_run(raw), parse(raw).problems
    _seen[verdict.accepted] += 1
    assert verdict.accepted == (problems == ()), f"API server: {verdict}; model: {problems}; object: {raw}"


def test_both_verdicts_were_given_often_enough_to_mean_something() -> None:
    """A generator of nothing but rubbish would agree as well."""
    assert min(_seen[True], _seen[False]) > _EXAMPLES / 8, _seen
