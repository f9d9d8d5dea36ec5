"""How a budget is divided."""

import pytest

from ringfence.model.quantity import Quantity
from ringfence.plan.budget import Allocation, Claim, allocate


def amounts(**texts: str) -> dict[str, Quantity]:
    return {name.replace("_", "."): Quantity.parse(text) for name, text in texts.items()}


def divided(budget: dict[str, Quantity], *claims: Claim) -> Allocation:
    return allocate(budget, claims)


def test_what_is_asked_is_granted_while_it_lasts() -> None:
    """The oldest is served first; the youngest hears that not enough is left, and of what."""
    result = divided(
        amounts(pods="10"),
        Claim("old", amounts(pods="6")),
        Claim("mid", amounts(pods="4")),
        Claim("new", amounts(pods="1")),
    )
    assert result.grant("old").hard == {"pods": "6"}
    assert result.grant("mid").hard == {"pods": "4"}
    assert result.grant("new").exceeded == ("pods",)
    assert result.allocated == {"pods": "10"}


def test_a_namespace_that_was_never_granted_anything_gets_zero() -> None:
    """Fail closed: without a grant nothing runs."""
    result = divided(amounts(pods="1"), Claim("big", amounts(pods="2", requests_cpu="1")))
    assert result.grant("big").hard == {"pods": "0", "requests.cpu": "1"}


def test_what_the_budget_names_and_nobody_asked_for_is_zero() -> None:
    """A resource of the budget is not free for whoever keeps silent about it."""
    result = divided(amounts(pods="5", requests_cpu="4"), Claim("quiet", amounts(pods="5")))
    assert result.grant("quiet").hard == {"pods": "5", "requests.cpu": "0"}


def test_without_a_budget_everything_asked_is_granted() -> None:
    """A Tenant without a budget has no limit."""
    assert divided({}, Claim("any", amounts(pods="1000"))).grant("any").hard == {"pods": "1k"}


def test_over_the_budget_the_last_granted_quota_stays() -> None:
    """Asking for too much takes nothing away, of no resource."""
    live = {"pods": "4", "requests.cpu": "2"}
    result = divided(amounts(pods="5", requests_cpu="4"), Claim("greedy", amounts(pods="6", requests_cpu="1"), live))
    assert result.grant("greedy").hard == live
    assert result.grant("greedy").exceeded == ("pods",)


def test_an_older_claim_takes_nothing_that_a_younger_one_has() -> None:
    """What was granted stays granted; age decides only about what is left."""
    older, younger = Claim("old", amounts(pods="8")), Claim("new", amounts(pods="6"), {"pods": "6"})
    result = divided(amounts(pods="10"), older, younger)
    assert result.grant("new").hard == {"pods": "6"}
    assert result.grant("old").exceeded == ("pods",)


@pytest.mark.parametrize(("live", "granted"), [("6", False), ("2", True)])
def test_a_shrunk_grant_counts_until_its_quota_is_lower(live: str, granted: bool) -> None:
    """The place that one gives back is another's only once the API server says so."""
    result = divided(
        amounts(pods="6"), Claim("old", amounts(pods="2"), {"pods": live}), Claim("new", amounts(pods="4"))
    )
    assert (result.grant("new").exceeded == ()) is granted


def test_what_is_being_removed_counts_until_it_is_gone() -> None:
    """A Namespace that asks for nothing any more still holds what it has."""
    result = divided(amounts(pods="6"), Claim("leaving", None, {"pods": "5"}), Claim("new", amounts(pods="2")))
    assert result.grant("new").exceeded == ("pods",)


def test_when_the_budget_is_cut_the_youngest_lose_first() -> None:
    """The sum never exceeds the budget, also not a smaller one than was granted before."""
    old, new = Claim("old", amounts(pods="6"), {"pods": "6"}), Claim("new", amounts(pods="6"), {"pods": "6"})
    result = divided(amounts(pods="8"), old, new)
    assert result.grant("old").hard == {"pods": "6"}
    assert result.grant("new").hard == {"pods": "2"}


def test_amounts_are_compared_not_texts() -> None:
    """1 and 1000m are the same, and a grant is written as the API server stores it."""
    result = divided(amounts(requests_cpu="1"), Claim("a", amounts(requests_cpu="1000m")))
    assert result.grant("a").hard == {"requests.cpu": "1"}
