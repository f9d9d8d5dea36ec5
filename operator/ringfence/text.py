"""Texts that people read, made of templates that lie beside the code which knows the facts.

Law: a name that nobody gives is an error and never a gap, and the same facts give the same bytes. What a machine obeys
is never made here: it is built as data.
"""

import json
from importlib.resources import files
from typing import Final

from jinja2 import Environment, StrictUndefined, Template

PLAIN: Final = Environment(
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 -- none of it becomes HTML
)
JSON: Final = PLAIN.overlay(finalize=json.dumps)
"""Of JSON: each value is written as such, whatever a template forgets to say."""
HELM: Final = PLAIN.overlay(
    block_start_string="[%",
    block_end_string="%]",
    variable_start_string="[[",
    variable_end_string="]]",
    comment_start_string="[#",
    comment_end_string="#]",
)
"""Of templates that Helm renders later: its own braces stay as they are."""


def template(package: str, name: str, environment: Environment = PLAIN) -> Template:
    """The template ``name`` that lies in ``package``. To be read when a module is, so that nobody reads files later."""
    return environment.from_string(files(package).joinpath(name).read_text(encoding="utf-8"))
