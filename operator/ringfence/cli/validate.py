"""`ringfence validate`: what the API server would refuse, before anybody asks it.

Law: the verdict is the model's, the same that the API server gives; this adds the line, and what was probably meant.
"""

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ringfence.cli.files import expanded, read_text
from ringfence.cli.manifests import Document, documents
from ringfence.cli.references import mismatches
from ringfence.model.kinds import GROUP, VERSION
from ringfence.model.parse import parse
from ringfence.model.registry import DEFINITIONS, definition_of

_FINDINGS: Final = 1  # exit code


class Output(StrEnum):
    """How the result is printed."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and where."""

    file: str
    line: int
    object: str
    field: str
    message: str

    def __str__(self) -> str:
        subject = " ".join(part for part in (self.object, self.field) if part)
        return f"{self.file}:{self.line}: {subject}: {self.message}".replace(": : ", ": ")


@dataclass(frozen=True, slots=True)
class Item:
    """One object in a document; ``prefix`` is its path there, for the items of a List."""

    raw: dict[str, Any]
    file: str
    document: Document
    prefix: str = ""

    def finding(self, field: str, message: str) -> Finding:
        """A finding about one of the object's fields."""
        path = f"{self.prefix}.{field}" if self.prefix else field
        return Finding(self.file, self.document.line_of(path), self.name, field, message)

    @property
    def is_ours(self) -> bool:
        """Whether it claims to be of our API group, in whatever version."""
        return str(self.raw.get("apiVersion", "")).partition("/")[0] == GROUP

    @property
    def is_known(self) -> bool:
        """Whether we have this kind in this version."""
        return definition_of(self.raw.get("apiVersion"), self.raw.get("kind")) is not None

    @property
    def name(self) -> str:
        """The object as people call it: ``Namespace/acme/dev``."""
        metadata = self.raw.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        parts = (self.raw.get("kind"), metadata.get("namespace"), metadata.get("name"))
        return "/".join(str(part) for part in parts if part)


def validate(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Files or folders of YAML or JSON; - is standard input.")
    ],
    *,
    output: Annotated[Output, typer.Option("--output", "-o", help="How the result is printed.")] = Output.TEXT,
) -> None:
    """Check manifests without a cluster: fields, values, rules and duplicate keys.

    Exit codes: 0 all is well, 1 something is wrong, 2 the command line is.
    """
    texts = [(str(path), read_text(path)) for path in expanded(files)]
    items, findings = _split(texts)
    ours = [item for item in items if item.is_ours]
    findings += [*_judge(ours), *_twins(ours)]
    findings.sort(key=lambda finding: (finding.file, finding.line))
    skipped = [item for item in items if not item.is_ours]
    if output is Output.JSON:
        typer.echo(_as_json(texts, ours, skipped, findings))
    else:
        _print_text(texts, ours, skipped, findings)
    raise typer.Exit(_FINDINGS if findings else 0)


def _split(texts: Sequence[tuple[str, str]]) -> tuple[list[Item], list[Finding]]:
    """The objects in the files, and what is wrong with the documents themselves."""
    items: list[Item] = []
    findings: list[Finding] = []
    for file, text in texts:
        for document in documents(text):
            findings += [Finding(file, fault.line, "", fault.path, fault.message) for fault in document.faults]
            if isinstance(document.value, dict):
                items += _items(document.value, file, document)
            elif not document.faults:
                findings.append(Finding(file, document.line, "", "", "is not an object with apiVersion and kind"))
    return items, findings


def _items(raw: dict[str, Any], file: str, document: Document) -> Iterator[Item]:
    entries = raw.get("items")
    if str(raw.get("kind", "")).endswith("List") and isinstance(entries, list):
        for index, entry in enumerate(entries):
            if isinstance(entry, dict):
                yield Item(entry, file, document, f"items[{index}]")
    else:
        yield Item(raw, file, document)


def _judge(items: Sequence[Item]) -> Iterator[Finding]:
    """What is wrong with each object, and with what it says of its Tenant."""
    known = [item for item in items if item.is_known]
    yield from (_unknown(item) for item in items if not item.is_known)
    subjects = [parse(item.raw) for item in known]
    for item, subject in zip(known, subjects, strict=True):
        yield from (item.finding(problem.field, problem.message) for problem in subject.problems)
    for place, problem in mismatches(subjects):
        yield known[place].finding(problem.field, problem.message)


def _unknown(item: Item) -> Finding:
    version, kind = f"{GROUP}/{VERSION}", str(item.raw.get("kind"))
    if item.raw.get("apiVersion") != version:
        return item.finding("apiVersion", f"{item.raw.get('apiVersion')} is not served; write {version}")
    kinds = [definition.resource.kind for definition in DEFINITIONS]
    close = difflib.get_close_matches(kind, kinds, n=1)
    return item.finding(
        "kind",
        f"{kind} is no kind of {version}; "
        + (f"did you mean {close[0]}?" if close else f"there are {', '.join(kinds)}"),
    )


def _twins(items: Sequence[Item]) -> Iterator[Finding]:
    """The same object twice: whoever applies both keeps the last one."""
    first: dict[str, Item] = {}
    for item in items:
        before = first.setdefault(item.name, item)
        if before is not item:
            place = f"{before.file}:{before.document.line_of(before.prefix or 'apiVersion')}"
            yield item.finding("metadata.name", f"is there already, in {place}")


def _print_text(
    texts: Sequence[tuple[str, str]], ours: Sequence[Item], skipped: Sequence[Item], findings: Sequence[Finding]
) -> None:
    for finding in findings:
        typer.echo(str(finding))
    for item in skipped:
        place = f"{item.file}:{item.document.line_of(item.prefix or 'apiVersion')}"
        typer.echo(f"{place}: {item.name or 'an object without a kind'} is not one of {GROUP}, not checked", err=True)
    verdict = _count(len(findings), "finding") if findings else "all is well"
    typer.echo(f"{_count(len(ours), 'object')} in {_count(len(texts), 'file')}: {verdict}", err=True)


def _as_json(
    texts: Sequence[tuple[str, str]], ours: Sequence[Item], skipped: Sequence[Item], findings: Sequence[Finding]
) -> str:
    result = {
        "version": 1,
        "files": len(texts),
        "objects": [item.name for item in ours],
        "skipped": [{"file": item.file, "object": item.name} for item in skipped],
        "findings": [asdict(finding) for finding in findings],
    }
    return json.dumps(result, indent=2, ensure_ascii=False)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
