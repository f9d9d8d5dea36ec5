"""What a connection can be is explained where people look for it."""

import re
from pathlib import Path

from ringfence.reach.kinds import BREACHES, MEANING, WHOM, Kind

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "verify-isolation.md"


def test_every_kind_is_in_the_tables() -> None:
    """Of what it means, and of the documentation: the meant ones in the first table, the others in the second."""
    assert MEANING.keys() == set(Kind)
    assert {*WHOM, Kind.UNFENCED} == BREACHES
    page = PAGE.read_text()
    meant, _, wrong = page.partition("What should not be")
    assert set(re.findall(r"`([A-Z]\w+)`", meant)) == {str(kind) for kind in Kind if kind not in BREACHES}
    assert set(re.findall(r"^\| `(\w+):", wrong, re.MULTILINE)) == {*map(str, BREACHES), "TooWide"}
