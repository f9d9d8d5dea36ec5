"""What people of a tenant read about its gateway is what is true of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any, Final

import pytest

from ringfence import names
from ringfence.gateway.files import configuration
from ringfence.model.kinds import CONFIG_MAP, Ref
from ringfence.plan.children import gateway_notes
from tests.simulation import Simulation
from tests.unit.gateway import full

HOW_TO: Final = Path(__file__).parents[3] / "docs" / "how-to" / "serve-models.md"
FILES: Final = Ref(CONFIG_MAP, "acme", names.GATEWAY_FILES)


def notes(world: Simulation, namespace: str) -> str:
    return str(world.objects[Ref(CONFIG_MAP, namespace, names.GATEWAY_CONFIG_MAP)]["data"]["notes"])


@pytest.mark.parametrize(("language", "containing"), [("yaml", "audience:"), ("python", "from openai import OpenAI")])
def test_the_workload_is_the_one_that_the_how_to_shows(world: Simulation, language: str, containing: str) -> None:
    """Whose pod and program are run, and answered, by a real gateway elsewhere."""
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    shown = next(block for block in blocks if containing in block)
    assert indent(shown, "    ") in notes(world, "acme-web")


def test_every_refusal_is_told_with_its_status() -> None:
    """Whatever a rendered gateway says of itself, in whichever file."""
    told = gateway_notes.notes("acme", "https://gateway", home=False)
    files = configuration(full.gateway()).files.values()
    found = {each for content in files for each in _errors(json.loads(content))}
    assert {"model_not_allowed", "invalid_identity", "rate_limit_exceeded", "provider_key_missing"} <= found
    for code in found:
        assert re.search(rf"^    [45]\d\d  {code} ", told, re.MULTILINE), code


def _errors(value: Any) -> Iterator[str]:
    """Codes of all errors in a configuration; a direct response has its body as a text."""
    if isinstance(value, dict):
        if isinstance(value.get("error"), dict):
            yield value["error"]["code"]
        yield from (found for each in value.values() for found in _errors(each))
    elif isinstance(value, list):
        yield from (found for each in value for found in _errors(each))
    elif isinstance(value, str) and value.startswith('{"error"'):
        yield from _errors(json.loads(value))


def test_the_home_tells_of_each_file_that_envoy_reads(world: Simulation) -> None:
    """And other namespaces tell of none: nothing of it concerns a workload."""
    files = world.objects[FILES]["data"].keys()
    assert files
    for name in files:
        told = re.sub(r"(?<=^sds-key-).*(?=\.json$)", "…", name)
        assert told in notes(world, "acme"), name
        assert told not in notes(world, "acme-web")


def test_notes_are_the_same_whoever_renders_them(world: Simulation) -> None:
    """Nothing is written because of them while nothing changes, also by another process of the same release."""
    before = notes(world, "acme-web")
    world.settle()
    assert notes(world, "acme-web") == before
    assert notes(world, "acme-data") == before
