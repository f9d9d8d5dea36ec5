"""Laws of the model: for any object, whoever wrote it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ringfence.model.parse import parse
from ringfence.model.quantity import PATTERN, Quantity
from tests.laws.random_objects import objects
from tests.objects import Object

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
kinds = st.sampled_from(["Tenant", "Namespace", "ModelRoute", "RetentionPolicy", "Guardrail"])
quantities = st.from_regex(PATTERN, fullmatch=True)


@given(spec=json_values, metadata=json_values, kind=kinds | json_values)
def test_nothing_is_raised(spec: Any, metadata: Any, kind: Any) -> None:
    """Neither by rubbish nor by half an object."""
    parsed = parse({"apiVersion": "ringfence.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec})
    assert (parsed.spec is None) == bool(parsed.problems)


@given(raw=objects())
def test_a_spec_that_is_written_out_is_read_as_the_same(raw: Object) -> None:
    """What was judged is what is rendered: nothing is lost or added on the way."""
    spec = parse(raw).spec
    if spec is not None:
        again = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
        assert parse({**raw, "spec": again}).spec == spec


@given(text=quantities)
def test_the_canonical_text_of_a_quantity_is_a_fixed_point(text: str) -> None:
    """Writing what was read back changes nothing."""
    once = str(Quantity.parse(text))
    assert str(Quantity.parse(once)) == once


@given(amounts=st.lists(quantities.map(Quantity.parse), max_size=8))
def test_the_order_of_a_sum_does_not_matter(amounts: list[Quantity]) -> None:
    """A budget does not depend on who came first in a listing."""
    assert Quantity.total(amounts) == Quantity.total(reversed(amounts))
