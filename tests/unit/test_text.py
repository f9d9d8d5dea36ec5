"""Texts of templates: nothing is left out in silence, and nothing is read as something else."""

import json
from pathlib import Path
from typing import Final

import pytest
from jinja2 import Environment, UndefinedError

from ringfence import text

SOURCES: Final = Path(text.__file__).parent


def test_what_nobody_gives_is_an_error() -> None:
    """And no empty place in a text."""
    found = text.PLAIN.from_string("for {{ tenant }}")
    assert found.render(tenant="acme") == "for acme"
    with pytest.raises(UndefinedError):
        found.render()


@pytest.mark.parametrize("value", ['he said "no"', "a\\b", "two\nlines", "<&>", 5, None, [{"a": "é"}]])
def test_every_value_in_json_is_written_as_json(value: object) -> None:
    """Without a word of the template: a filter that is needed everywhere is forgotten somewhere."""
    assert json.loads(text.JSON.from_string('{"told": {{ value }}}').render(value=value)) == {"told": value}


def test_helms_own_braces_are_left_to_helm() -> None:
    """A text for Helm has both: what is known here, and what is known when it is installed."""
    assert text.HELM.from_string("{{ .Release.Name }} has [[ kind ]]").render(kind="Tenant") == (
        "{{ .Release.Name }} has Tenant"
    )


@pytest.mark.parametrize("environment", [text.PLAIN, text.JSON, text.HELM], ids=["plain", "json", "helm"])
def test_the_last_line_of_a_template_ends(environment: Environment) -> None:
    """As in any file that is checked in."""
    assert environment.from_string("one\n").render() == "one\n"


def test_every_template_is_used() -> None:
    """By its name in a module that lies beside it."""
    for file in SOURCES.rglob("*.jinja"):
        assert any(f'"{file.name}"' in module.read_text() for module in file.parent.glob("*.py")), file
