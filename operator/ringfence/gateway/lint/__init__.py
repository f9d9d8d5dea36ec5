"""What a gateway's configuration must not do, judged by its files alone, before anybody is served by them.

Laws: what is not in a table here is refused: a type of message, a field, an operator, a file, a line of a script. The
tables are written down a second time and share nothing with what renders, so that a mistake there is seen here.
"""

from collections.abc import Mapping

from ringfence.gateway.lint.addresses import addresses
from ringfence.gateway.lint.chain import chain
from ringfence.gateway.lint.finding import Finding
from ringfence.gateway.lint.identity import identity
from ringfence.gateway.lint.logging import logging
from ringfence.gateway.lint.overload import overload
from ringfence.gateway.lint.parsed import Parsed, parse
from ringfence.gateway.lint.routing import routing
from ringfence.gateway.lint.scripts import scripts
from ringfence.gateway.lint.vocabulary import vocabulary
from ringfence.gateway.lint.way_out import way_out

__all__ = ["Finding", "lint"]

_CHECKS = (vocabulary, chain, identity, addresses, logging, overload, routing, scripts, way_out)


def lint(files: Mapping[str, bytes]) -> tuple[Finding, ...]:
    """What is wrong with these files, which are to be served together; nothing where all is well."""
    parsed = parse(files)
    if not isinstance(parsed, Parsed):
        return (parsed,)
    return tuple(finding for check in _CHECKS for finding in check(parsed))
