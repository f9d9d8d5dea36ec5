"""What a gateway is told to serve: a new configuration, or the last good one.

Laws: what is not known whole, breaks a rule of its own or is too large is not published; what serves goes on serving.
What was published and Envoy refused, though in one replica only, is put back, and tried again when it is another one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Final, TypeAlias

from ringfence import names
from ringfence.gateway.files import LARGEST, Configuration, TooLargeError, configuration
from ringfence.gateway.lint import Finding as Leak
from ringfence.gateway.lint import lint
from ringfence.gateway.served import Gateway
from ringfence.model.kinds import CONFIG_MAP, Ref
from ringfence.model.subject import Subject
from ringfence.model.tenant import TenantSpec
from ringfence.plan.children import gateway_files, gateway_routes
from ringfence.plan.children.gateway_files import Refused
from ringfence.plan.gateway import last_good
from ringfence.plan.gateway.compose import Composed, compose
from ringfence.plan.place import Place
from ringfence.plan.plan import Desired, Finding
from ringfence.plan.reasons import ConditionType, Reason
from ringfence.plan.seen import Question, Seen

_KEPT: Final = (names.GATEWAY_FILES, names.GATEWAY_ROUTES)
_REMEMBERED: Final = 32
"""Gateways whose files are not made again: of ten plans nine are of one that did not change. Each has up to 1 MiB."""
_CAUTIOUS: Final = Fraction(7, 8)
"""Of the share of routes that would fit if all were alike: some are larger, and each try costs a rendering."""
_Judged: TypeAlias = tuple[Configuration, tuple[Leak, ...]]
_NOT_IN_FORCE: Final = "Nothing that was changed since is in force, access that was withdrawn included"
_NEXT: Final = "change what was changed last in the Tenant or its ModelRoutes, or quarantine the Tenant"


@dataclass(frozen=True, slots=True)
class Rendering:
    """What is to be published."""

    children: tuple[Desired, ...] = ()
    """Envoy's files and what is told of them; empty where there never was a configuration."""
    kept: tuple[Desired, ...] = ()
    """What can be put back; it is kept before these children change."""
    before: str = ""
    """The revision that is published by now."""
    revision: str = ""
    """The one that is to be."""
    findings: tuple[Finding, ...] = ()
    questions: tuple[Question, ...] = ()
    routes: int = 0
    """How many routes it serves somewhere."""


def render(home: Place, tenant: Subject[TenantSpec], seen: Seen) -> Rendering:
    """The configuration for what the Tenant and its routes say; the last one where there can't be a new one."""
    rendering = replace(_render(home, tenant, seen), kept=tuple(last_good.keep(home, seen)))
    refused = last_good.refused(home, seen)
    if refused is None or rendering.revision != refused.revision:
        return rendering
    return _put_back(home, rendering, refused, seen)


def _put_back(home: Place, rendering: Rendering, refused: Refused, seen: Seen) -> Rendering:
    """What served before; where nothing did, what there is: no pod has anything else to start with."""
    good = last_good.instead_of(refused, home, seen)
    if good is None:
        why = f"{refused.because}. No other revision was seen to serve before; {_NEXT}"
        return replace(rendering, findings=(*rendering.findings, _refusal(why)))
    return replace(
        rendering,
        children=(
            gateway_files.make(home, good.revision, good.files, refused),
            gateway_routes.again(home, good.revision, good.routes),
        ),
        revision=good.revision,
        findings=(*rendering.findings, _instead(refused, good.revision)),
    )


def _instead(refused: Refused, revision: str) -> Finding:
    return _refusal(f"{refused.because}; revision {revision} goes on serving. {_NOT_IN_FORCE}; {_NEXT}")


def _refusal(why: str) -> Finding:
    return Finding(Reason.CONFIGURATION_REFUSED, why, ConditionType.GATEWAY_READY)


def _render(home: Place, tenant: Subject[TenantSpec], seen: Seen) -> Rendering:
    composed = compose(tenant, seen)
    unanswered = [question for question in composed.questions if question not in seen.answers]
    if seen.facts.issuer is None or unanswered:
        return _kept(home, composed, seen)
    composed, fitting = _fitting(tenant, composed, seen)
    if fitting is None:
        return _kept(home, composed, seen, "the configuration of the gateway is too large, without any route, too")
    rendered, leaks = fitting
    if leaks:
        return _kept(home, composed, seen, f"the configuration of the gateway must not be served: {leaks[0]}")
    files = {name: content.decode() for name, content in rendered.files.items()}
    return Rendering(
        children=(
            gateway_files.make(home, rendered.revision, files),
            gateway_routes.make(home, rendered.revision, composed.serving),
        ),
        before=_published(home, seen),
        revision=rendered.revision,
        findings=(*composed.refused, *_left_out(composed)),
        questions=composed.questions,
        routes=len(composed.serving),
    )


@lru_cache(maxsize=_REMEMBERED)
def judged(gateway: Gateway) -> _Judged | TooLargeError:
    """A gateway's files, and what is wrong with them; that they are too large is returned, so that it is remembered."""
    try:
        rendered = configuration(gateway)
    except TooLargeError as error:
        return error.with_traceback(None)
    return rendered, lint(rendered.files)


def _fitting(tenant: Subject[TenantSpec], composed: Composed, seen: Seen) -> tuple[Composed, _Judged | None]:
    """The configuration of as many of the oldest routes as there is room for.

    What is too large is not a reason to keep what was: a key that was revoked, or a model that was taken away, must not
    be served on because somebody made too many routes.
    """
    most = len(seen.routes) - len(composed.left_out)
    while isinstance(found := judged(composed.gateway), TooLargeError):
        if most == 0:
            return composed, None
        most = most * LARGEST * _CAUTIOUS.numerator // (found.size * _CAUTIOUS.denominator)
        composed = compose(tenant, seen, most)
    return composed, found


def _left_out(composed: Composed) -> Iterator[Finding]:
    if composed.left_out:
        message = (
            f"the gateway has no room for the newest {len(composed.left_out)} ModelRoutes, from "
            f"{composed.left_out[0]} on; serve fewer, or name fewer ServiceAccounts in spec.consumers"
        )
        yield Finding(Reason.TOO_MANY_ROUTES, message)


def _kept(home: Place, composed: Composed, seen: Seen, why: str = "") -> Rendering:
    """What is published by now, as it is."""
    refs = [Ref(CONFIG_MAP, home.core, name) for name in _KEPT]
    whole = all(ref in seen.live and seen.live[ref].ours for ref in refs)
    revision = _published(home, seen) if whole else ""
    if why and revision:
        why += f"; revision {revision} goes on serving"
    noted = gateway_files.refused(seen.live.get(refs[0]))
    refused = (*([_refusal(why)] if why else []), *([_instead(noted, revision)] if noted else []))
    return Rendering(
        children=tuple(_again(home, ref, seen) for ref in refs) if whole else (),
        before=revision,
        revision=revision,
        findings=(*composed.refused, *refused),
        questions=composed.questions,
        routes=len(composed.serving),
    )


def _again(home: Place, ref: Ref, seen: Seen) -> Desired:
    content = seen.live[ref].content
    noted = content.get("metadata", {}).get("annotations", {})
    return home.child(CONFIG_MAP, ref.name, {"data": content.get("data", {})}, annotations=noted)


def _published(home: Place, seen: Seen) -> str:
    live = seen.live.get(Ref(CONFIG_MAP, home.core, names.GATEWAY_FILES))
    return gateway_routes.configuration(live)
