"""How the evidence of an incident is printed: for people, for programs, for a report.

Law: what is wrong with the record stands above everything that rests on it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from ringfence.cli.evidence.part import Part
from ringfence.cli.lineage.verify import in_words
from ringfence.cli.output import print_columns, print_structured, printable
from ringfence.lineage.facets import rfc3339
from ringfence.lineage.incident import Happening, Story
from ringfence.lineage.incident.story import SCOPE_STEPS

_TIMELINE: Final = ("TIME", "WHAT", "OBJECT", "BY", "DETAIL", "LEAF")
_WITHDRAWN: Final = ("WITHDRAWN", "OBJECT", "LEAF")
_LATE: Final = "recorded late: no operator watched"
_UNSEEN: Final = "gone; the operator was killed meanwhile"
_BEYOND: Final = (
    "What the API server refused by itself is in its own audit log. Objects that the operator does not watch "
    "(pods, Secrets) are in no record."
)


def _text(incident: str, parts: Sequence[Part]) -> None:
    for line in _warnings(parts):
        print(f"!! {line}")
    for part in parts:
        if part.story is None:
            continue
        print(f"incident {printable(incident)}, tenant {printable(part.story.tenant)}")
        for line in _heads(part, part.story):
            print(f"  {printable(line)}")
        print()
        print_columns(_TIMELINE, list(_rows(part.story)))
        print()
        if part.story.withdrawn:
            print_columns(_WITHDRAWN, list(_withdrawn(part.story)))
            print()
    print(_BEYOND)


def _markdown(incident: str, parts: Sequence[Part]) -> None:
    print(f"# Incident {_cell(incident)}\n")
    for line in _warnings(parts):
        print(f"> **{_cell(line)}**\n")
    for part in parts:
        if part.story is None:
            continue
        print(f"## Tenant {_cell(part.story.tenant)}\n")
        for line in _heads(part, part.story):
            print(f"- {_cell(line)}")
        _table(_TIMELINE, _rows(part.story))
        if part.story.withdrawn:
            _table(_WITHDRAWN, _withdrawn(part.story))
    print(f"\n{_BEYOND}")


def _json(incident: str, parts: Sequence[Part]) -> None:
    value = {"incident": incident, "verified": all(part.verified for part in parts), "logs": list(map(_value, parts))}
    print_structured(value, "json")


RENDERERS: Final[Mapping[str, Callable[[str, Sequence[Part]], None]]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
}


def _warnings(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        if part.problem:
            yield f"THE RECORD CAN'T BE READ, so this may not be all: {part.problem}"
        elif part.verdict and part.verdict.findings:
            yield f"THE RECORD DOES NOT VERIFY: log {part.log} is not what it was when it was written"
            yield from (f"{finding.kind}: {finding.message}" for finding in part.verdict.findings)


def _heads(part: Part, story: Story) -> Iterator[str]:
    yield f"record: log {story.log}: {_belief(part)}"
    yield f"affected: {', '.join(story.objects)}"
    if story.namespaces:
        yield f"withdrawn from: {', '.join(story.namespaces)}"
    if (took := story.closed_after_ms()) is not None:
        yield f"closed at the API server {took / 1000:.3f} s after the declaration was seen"
    if story.lasts:
        yield "it lasts: nobody has lifted it"
    if story.lost:
        yield f"bodies are gone of {len(story.lost)} records of that time: {', '.join(map(str, story.lost[:10]))}"


def _belief(part: Part) -> str:
    if part.verdict is None:
        return "not verified"
    words = in_words(part.verdict, signed=part.signed)
    return f"{words}; {part.unsigned} leaves of this incident are newer" if part.unsigned else words


def _rows(story: Story) -> Iterator[tuple[str, ...]]:
    for each in story.happenings:
        detail = "; ".join(part for part in (each.detail, _LATE if each.late else "") if part)
        yield _time(each), each.step.value, each.object, _by(each), detail, str(each.leaf)


def _time(happening: Happening) -> str:
    """To the millisecond: what is to happen within a second is judged by it."""
    return "" if happening.time_ms is None else rfc3339(happening.time_ms)


def _by(happening: Happening) -> str:
    confirmed = f"confirmed by {happening.confirmed_by}" if happening.confirmed_by else ""
    return ", ".join(part for part in (happening.by, confirmed) if part)


def _withdrawn(story: Story) -> Iterator[tuple[str, ...]]:
    for each in story.withdrawn:
        yield each.verb if each.certain else f"{each.verb} ({_UNSEEN})", each.object, str(each.leaf)


def _table(header: Sequence[str], rows: Iterator[tuple[str, ...]]) -> None:
    print()
    for cells in (header, ["---"] * len(header), *rows):
        print(f"| {' | '.join(map(_cell, cells))} |")


def _cell(text: str) -> str:
    """Text in Markdown: nothing in it is markup, whoever wrote it."""
    return "".join(f"\\{char}" if char in r"\`*_[]<>|#!" else char for char in printable(text))


def _value(part: Part) -> dict[str, Any]:
    if part.story is None or part.verdict is None:
        return {"log": part.log, "verified": False, "problem": part.problem}
    story = part.story
    return {
        "log": part.log,
        "tenant": story.tenant,
        "verified": part.verified,
        "findings": [f"{finding.kind}: {finding.message}" for finding in part.verdict.findings],
        "size": part.verdict.size,
        "signedSize": part.verdict.checkpoint,
        "lasts": story.lasts,
        "affected": list(story.objects),
        "namespaces": list(story.namespaces),
        "closedAfterMs": story.closed_after_ms(),
        "incident": [_happening(each) for each in story.happenings if each.step in SCOPE_STEPS],
        "meanwhile": [_happening(each) for each in story.happenings if each.step not in SCOPE_STEPS],
        "withdrawn": [
            {"object": each.object, "verb": each.verb, "leaf": each.leaf, "certain": each.certain}
            for each in story.withdrawn
        ],
        "lost": list(story.lost),
    }


def _happening(each: Happening) -> dict[str, Any]:
    fields = {
        "leaf": each.leaf,
        "time": _time(each),
        "step": each.step.value,
        "object": each.object,
        "by": each.by,
        "confirmedBy": each.confirmed_by,
        "detail": each.detail,
        "late": each.late,
    }
    return {name: value for name, value in fields.items() if value not in ("", False)}
