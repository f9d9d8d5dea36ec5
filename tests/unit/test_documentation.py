"""The documentation names only what exists."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from ringfence.cli import COMMANDS

REPOSITORY: Final = Path(__file__).parents[2]
PAGES: Final = [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").rglob("*.md"))]
MAKEFILE: Final = (REPOSITORY / "Makefile").read_text()
TARGETS: Final = frozenset(re.findall(r"^\.PHONY: (\S+)$", MAKEFILE, re.MULTILINE))

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))


@every_page
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """Headings too: a link to one that was renamed leads to the top of a page and says nothing."""
    prose = re.sub(r"`[^`\n]+`", "", page.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        path, _, heading = target.partition("#")
        if "://" in path:
            continue
        found = (page.parent / path) if path else page
        assert found.exists(), target
        assert not heading or heading in _headings(found), target


@every_page
def test_every_command_that_is_shown_exists(page: Path) -> None:
    """In code, `make X` is a target and `ringfence X` a command."""
    for block in re.findall(r"```(?:sh|console)\n(.*?)```|`([^`\n]+)`", page.read_text(), re.DOTALL):
        for program, word in re.findall(
            r"^(?:\$ )?(?:\S+/)?(make|ringfence) ([a-z][a-z-]*)", "".join(block), re.MULTILINE
        ):
            assert word in (TARGETS if program == "make" else COMMANDS), f"{program} {word}"


def test_help_lists_every_target_with_a_sentence() -> None:
    """`make help` is the table of contents."""
    listed = subprocess.run(
        ["make", "-C", str(REPOSITORY), "--no-print-directory", "help"], capture_output=True, text=True, check=True
    )
    lines = dict(line.split(maxsplit=2)[1:] for line in listed.stdout.splitlines())
    assert lines.keys() == TARGETS
    assert all(re.match(r"[A-Z].{10,}", sentence) for sentence in lines.values())


def test_every_decision_record_is_in_the_index() -> None:
    """A record that nobody finds decides nothing."""
    folder = REPOSITORY / "docs" / "adr"
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert re.findall(r"\]\((\d{4}-[^)]+)\)", (folder / "README.md").read_text()) == records


def _headings(page: Path) -> set[str]:
    lines = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}
