"""What was found, as lines for people.

Law: a line names both ends, the ports and the policies, so that nobody has to look for what to change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from ringfence.reach.decide import Answer, Grant, Side
from ringfence.reach.gaps import Gap
from ringfence.reach.kinds import MEANING, WHOM, Kind
from ringfence.reach.paths import Path
from ringfence.reach.ports import Port, in_words
from ringfence.reach.selectors import Labels, Selector
from ringfence.reach.verify import Connection, Place, Report
from ringfence.reach.world import Pod

_NAMED: Final = 5  # of one kind in a line; JSON has all of them


def breaches(report: Report) -> Iterator[str]:
    """A line for each breach; those out of a tenant that differ only in their other end share one."""
    others: dict[Connection, list[Place]] = {}
    for each in report.breaches:
        inward = _is_inward(report, each)
        own = replace(each, source=Place()) if inward else replace(each, target=Place())
        others.setdefault(own, []).append(each.source if inward else each.target)
    for own, places in others.items():
        named = _some([str(place) for place in places])
        yield _breach(own, str(own.source) or named, str(own.target) or named)


def gap(found: Gap) -> str:
    """An opening that is too wide."""
    direction, ports = found.opening.direction.lower(), in_words(found.opening.ports)
    pods = f"pods of {found.namespace} with {found.pods}" if found.pods else f"pods of {found.namespace}"
    if Kind.UNFENCED in found.admits:
        return f"{Kind.UNFENCED}: no policy closes {direction} of {pods}"
    whom = ", ".join(WHOM[kind] for kind in found.admits if kind in WHOM)
    return f"TooWide: {found.opening.policy} opens {direction} of {pods} on {ports} for {whom}"


def summary(report: Report) -> str:
    """The result in one line."""
    scope = f"{_count(sum(map(len, report.tenants.values())), 'namespace')} of {_count(len(report.tenants), 'tenant')}"
    if report.is_broken:
        return f"{scope}: {_count(len(report.breaches) + len(report.gaps), 'finding')}"
    return f"{scope}: " + ("not known whether all is well" if report.unknown else "no way across a fence")


def side(found: Side, port: Port | None) -> str:
    """What one end's policies say, and which of them."""
    return f"{found.direction.lower()} of {found.end}: {found.answer(port)}, {_why(found, port)}"


def other_pods(path: Path) -> str:
    """Pods of the same namespaces for which there is a way."""
    source, target = _pods(path.source, path.source_labels), _pods(path.target, path.target_labels)
    opened = f", by {', '.join(path.policies)}" if path.policies else ""
    return f"{source} -> {target} on {in_words(path.ports)}{opened}"


def _is_inward(report: Report, connection: Connection) -> bool:
    """Whether it comes from outside of the tenants."""
    return not any(connection.source.namespace in namespaces for namespaces in report.tenants.values())


def _breach(own: Connection, source: str, target: str) -> str:
    opened = f"opened by {', '.join(own.policies)}" if own.policies else "no policy closes it"
    return f"{own.kind}: {source} -> {target} on {in_words(own.ports)}, {opened} ({MEANING[own.kind]})"


def _why(found: Side, port: Port | None) -> str:
    match found.answer(port):
        case Answer.ALLOWED if found.is_open:
            return "no policy selects it" if isinstance(found.end, Pod) else "NetworkPolicies judge pods only"
        case Answer.ALLOWED:
            return "by " + ", ".join(_grant(each, port) for each in found.allowing(port))
        case Answer.DENIED:
            return f"closed by {_some(found.isolating)}, and none of them opens it"
    doubts = (f"{each.policy} opens it if {each.doubt}" for each in found.doubtful(port))
    return found.doubt or "; ".join(doubts)


def _grant(grant: Grant, port: Port | None) -> str:
    return grant.policy if port else f"{grant.policy} ({in_words(grant.ports)})"


def _pods(namespace: str, labels: Labels) -> str:
    return f"{namespace} ({Selector.of(labels)})" if labels else namespace


def _some(words: Sequence[str]) -> str:
    more = len(words) - _NAMED
    return ", ".join(words[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
