"""What the real API server accepts and refuses, before any policy and with no operator running."""

import pytest

from tests.bad_inputs import BAD_INPUTS, BadInput
from tests.dry_run import DryRun
from tests.objects import complete, kinds

pytestmark = pytest.mark.apiserver


@pytest.mark.parametrize("kind", kinds())
def test_an_object_with_every_field_is_accepted(dry_run: DryRun, kind: str) -> None:
    """The contract's fields are all there, by their names."""
    verdict = dry_run(complete(kind))
    assert verdict.accepted, verdict.message


@pytest.mark.parametrize("row", BAD_INPUTS, ids=str)
def test_a_bad_input_is_refused_by_name_and_its_good_twin_is_accepted(dry_run: DryRun, row: BadInput) -> None:
    """The writer learns at once which field is wrong; the model says the same."""
    twin = dry_run(row.accepted)
    assert twin.accepted, twin.message
    refusal = dry_run(row.refused)
    assert not refusal.accepted
    assert row.field in refusal.message
