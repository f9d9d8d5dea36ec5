"""What the model accepts and refuses: the same rows that the real API server is asked about."""

import pytest

from ringfence.model.parse import parse
from tests.bad_inputs import BAD_INPUTS, BadInput
from tests.objects import complete, kinds


@pytest.mark.parametrize("kind", kinds())
def test_an_object_with_every_field_is_parsed(kind: str) -> None:
    """The contract's fields are all there, by their names."""
    assert parse(complete(kind)).problems == ()


@pytest.mark.parametrize("row", BAD_INPUTS, ids=str)
def test_a_bad_input_is_a_problem_by_name_and_its_good_twin_is_none(row: BadInput) -> None:
    """Whoever validates a file offline is told what the API server would say."""
    assert parse(row.accepted).problems == ()
    subject = parse(row.refused)
    assert subject.spec is None
    assert row.field in "; ".join(f"{problem.field}: {problem.message}" for problem in subject.problems)
