"""Exact amounts; how they are written is asked of the real API server in tests/apiserver/test_crds_quantities.py."""

import pytest

from ringfence.model.quantity import ZERO, Family, Quantity


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1000m"),
        ("1Gi", "1024Mi"),
        ("1k", "1e3"),
        ("0.5", "500m"),
        ("0.1n", "1n"),
        ("1.5Gi", "1536Mi"),
        ("0", "0Ei"),
    ],
)
def test_amounts_are_equal_however_they_are_written(one: str, other: str) -> None:
    """A rewritten manifest is no change."""
    assert Quantity.parse(one) == Quantity.parse(other)
    assert hash(Quantity.parse(one)) == hash(Quantity.parse(other))


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "-1", "+1", "1e", "1e400", "0x1", "1_000", "1gi", "Gi", ".", "1\n", "\u0661"]
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="not a Kubernetes quantity"):
        Quantity.parse(text)


def test_a_sum_is_exact_where_floats_are_not() -> None:
    """0.1 + 0.2 is 0.3, and a thousand Exbibytes keep their last byte."""
    assert Quantity.parse("0.1") + Quantity.parse("0.2") == Quantity.parse("0.3")
    assert Quantity.total([Quantity.parse("1Ei")] * 1000 + [Quantity.parse(1)]).rounded_up == 1000 * 2**60 + 1


def test_a_sum_keeps_the_family_of_its_first_part() -> None:
    """A budget in Gi is reported in Gi."""
    assert str(Quantity.total(map(Quantity.parse, ("1Gi", "1Gi")))) == "2Gi"
    assert Quantity.total([]) == ZERO
    assert Quantity.parse("1e3").family is Family.EXPONENT


def test_what_is_left_of_a_budget_may_be_negative() -> None:
    """A shrunk budget is said as it is."""
    assert str(Quantity.parse("1Gi") - Quantity.parse("3Gi")) == "-2Gi"


def test_it_is_whole_as_it_is_written() -> None:
    """Pods are counted: 2000m is refused as the API server's rule refuses it."""
    assert [Quantity.parse(text).whole for text in ("2", "2k", "2Ki", "2e3", "2000m", "2.0")] == [True] * 4 + [
        False
    ] * 2
