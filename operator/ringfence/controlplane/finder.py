"""Finds the programs of the control plane: `KUBEBUILDER_ASSETS`, else the cache, else a source that fills the cache.

Law: whatever stands in the cache is whole (written aside, then renamed), and of exactly the pinned version and flags.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from ringfence.controlplane.downloads import EnvtestArchive, KubernetesRelease
from ringfence.controlplane.errors import ControlPlaneError
from ringfence.controlplane.gobuild import GoBuild
from ringfence.controlplane.progress import Progress
from ringfence.controlplane.tools import ToolGroup, group_of

_UNFINISHED: Final = ".unfinished-"


class Source(Protocol):
    """Where a tool can come from."""

    def fetch(self, group: ToolGroup, tool: str, folder: Path, progress: Progress) -> bool:
        """Put the executable `tool` into `folder`; False if this source does not have it."""


SOURCES: Final[Sequence[Source]] = (EnvtestArchive(), KubernetesRelease(), GoBuild())


def cache_folder() -> Path:
    """Return the folder that keeps tools and the background control plane between runs."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ringfence"


def find_tools(
    tools: Iterable[str], *, progress: Progress | None = None, sources: Sequence[Source] = SOURCES
) -> dict[str, Path]:
    """Return the path of each tool; download or build what is missing, which may take minutes the first time.

    Names are those of `tools.GROUPS`. Raises KeyError for an unknown name and ControlPlaneError where none can be had.
    """
    reporter = progress or Progress()
    return {tool: _given(tool) or _cached(tool, reporter, sources) for tool in tools}


def _given(tool: str) -> Path | None:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    path = Path(assets or "", tool)
    return path if assets and os.access(path, os.X_OK) else None


def _cached(tool: str, progress: Progress, sources: Sequence[Source]) -> Path:
    group = group_of(tool)
    home = cache_folder() / "tools" / group.key
    if not (home / tool).exists():
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home / ".lock", progress):
            if not (home / tool).exists():  # another process may have made it while we waited
                _fill(home, group, tool, progress, sources)
    return home / tool


def _fill(home: Path, group: ToolGroup, tool: str, progress: Progress, sources: Sequence[Source]) -> None:
    for leftover in home.glob(f"{_UNFINISHED}*"):  # we hold the lock, so whoever made it is dead
        shutil.rmtree(leftover)
    for source in sources:
        with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=home) as aside:
            if source.fetch(group, tool, Path(aside), progress):
                _keep(Path(aside), home, group)
                return
    raise ControlPlaneError(f"{tool} ({group.label}): no source has it; set KUBEBUILDER_ASSETS to a folder that does")


def _keep(aside: Path, home: Path, group: ToolGroup) -> None:
    """Move what a source brought, and nothing that is already there: it may be running."""
    for name in group.packages:
        if (aside / name).exists() and not (home / name).exists():
            (aside / name).rename(home / name)


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say(f"waiting for another process that fills {path.parent}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
