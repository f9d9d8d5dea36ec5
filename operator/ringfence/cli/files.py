"""Files of manifests that are named on a command line.

Law: what is named is read, whole, or the command ends: a file that is passed over looks like one without findings.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import typer

_STDIN: Final = Path("-")
_SUFFIXES: Final = (".yaml", ".yml", ".json")


def expanded(paths: Sequence[Path]) -> Iterator[Path]:
    """The files that are meant; a folder means the manifests in it and below, hidden ones not."""
    for path in paths:
        if path == _STDIN or path.is_file():
            yield path
        elif path.is_dir():
            below = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
            visible = [file for file in below if not any(part.startswith(".") for part in file.relative_to(path).parts)]
            if not visible:
                raise typer.BadParameter(f"no manifests ({', '.join(_SUFFIXES)}) in {path}")
            yield from visible
        else:
            raise typer.BadParameter(f"no such file: {path}")


def read_text(path: Path) -> str:
    """The text of one file; ends the command where it can't be read."""
    try:
        content = sys.stdin.buffer.read() if path == _STDIN else path.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise typer.BadParameter(f"can't read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{path} is not text in UTF-8") from None
