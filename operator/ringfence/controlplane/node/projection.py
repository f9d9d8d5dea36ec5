"""Writes a volume's files as a kubelet does: all of them change in one rename, or none.

Law: whoever opens a file by its name finds a whole file of one version; `..data` moves only when something changed.
"""

import contextlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_DATA: Final = "..data"
_PRIVATE: Final = 0o600


def project(folder: Path, contents: Mapping[str, bytes]) -> bool:
    """Let `folder` have exactly these files, by paths relative to it; tell whether that was news."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / _DATA).exists() and _present(folder / _DATA) == contents:
        return False
    fresh = folder / f"..{os.urandom(8).hex()}"
    for name, content in contents.items():
        _write(fresh / name, content)
    _swap(folder, fresh, {Path(name).parts[0] for name in contents})
    return True


def _present(version: Path) -> dict[str, bytes]:
    return {str(path.relative_to(version)): path.read_bytes() for path in version.rglob("*") if path.is_file()}


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, _PRIVATE)) as file:
        file.write(content)


def _swap(folder: Path, fresh: Path, names: set[str]) -> None:
    """Point `..data` to the new version; links of new names come after it, those of gone ones go after it."""
    fresh.mkdir(exist_ok=True)
    old = (folder / _DATA).resolve() if (folder / _DATA).is_symlink() else None
    (folder / "..data_tmp").symlink_to(fresh.name)
    (folder / "..data_tmp").rename(folder / _DATA)
    for name in names:
        with contextlib.suppress(FileExistsError):
            (folder / name).symlink_to(f"{_DATA}/{name}")
    for link in folder.iterdir():
        if link.is_symlink() and link.name != _DATA and link.name not in names:
            link.unlink()
    if old is not None:
        shutil.rmtree(old)
