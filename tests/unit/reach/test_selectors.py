"""What labels could satisfy several selectors: the reasoning that needs no pods."""

from typing import Any

import pytest

from ringfence.reach.selectors import Selector, implies, witness

EVERYTHING = Selector()


def selector(*expressions: tuple[str, str, list[str]], **labels: str) -> Selector:
    """A selector of labels and (key, operator, values)."""
    listed = [{"key": key, "operator": operator, "values": values} for key, operator, values in expressions]
    return Selector.parse({"matchLabels": labels, "matchExpressions": listed})


WEB, DATABASE = selector(app="web"), selector(app="db")


@pytest.mark.parametrize(
    ("required", "avoided", "expected"),
    [
        ([EVERYTHING], [], {}),
        ([WEB], [], {"app": "web"}),
        ([WEB, DATABASE], [], None),
        ([WEB, selector(tier="front")], [], {"app": "web", "tier": "front"}),
        ([selector(("app", "Exists", []))], [WEB], {"app": "any0"}),
        ([selector(("app", "In", ["db", "web"]))], [WEB], {"app": "db"}),
        ([selector(("app", "In", ["web"]))], [WEB], None),
        ([selector(("app", "NotIn", ["web"]))], [], {}),
        ([EVERYTHING], [WEB], {}),
        ([EVERYTHING], [EVERYTHING], None),
        ([EVERYTHING], [selector(("app", "DoesNotExist", []))], {"app": "any0"}),
        ([EVERYTHING], [selector(("app", "DoesNotExist", [])), selector(("app", "Exists", []))], None),
        ([EVERYTHING], [selector(("app", "NotIn", ["web"]))], {"app": "web"}),
        ([WEB], [selector(app="web", tier="front")], {"app": "web"}),
        ([WEB], [selector(("tier", "DoesNotExist", []), app="web")], {"app": "web", "tier": "any0"}),
    ],
)
def test_labels_are_found_that_some_selectors_match_and_others_do_not(
    required: list[Selector], avoided: list[Selector], expected: dict[str, str] | None
) -> None:
    """As few labels as possible, and None where there are none."""
    found = witness(required, avoided)
    assert found == expected
    assert found is None or all(each.matches(found) for each in required)
    assert found is None or not any(each.matches(found) for each in avoided)


def test_many_policies_do_not_make_it_slow() -> None:
    """Forty selectors, each of its own key, have 2^40 combinations; the search walks straight through them."""
    avoided = [selector((f"key-{number}", "DoesNotExist", [])) for number in range(40)]
    found = witness([WEB], avoided)
    assert found is not None
    assert len(found) == 41


def test_one_selector_implies_another() -> None:
    """Everything that the first selects, the second does."""
    assert implies(selector(app="web", tier="front"), WEB)
    assert not implies(WEB, selector(app="web", tier="front"))
    assert implies(WEB, selector(("app", "In", ["web", "db"])))


@pytest.mark.parametrize("raw", [{"matchExpressions": [{"key": "app", "operator": "Gt", "values": ["1"]}]}])
def test_an_operator_that_does_not_exist_is_refused(raw: dict[str, Any]) -> None:
    """Read as nothing, it would widen the selector."""
    with pytest.raises(ValueError, match="Gt"):
        Selector.parse(raw)
