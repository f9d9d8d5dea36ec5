"""Builds a tool from the Go modules that its group pins; the last source, and the one that needs only Go."""

import os
import shutil
import subprocess
from collections import deque
from pathlib import Path
from typing import Final

from ringfence.controlplane.errors import ControlPlaneError
from ringfence.controlplane.progress import Progress
from ringfence.controlplane.tools import BUILD_ENVIRONMENT, ToolGroup

_TAIL: Final = 15  # lines of the compiler's output worth showing


class GoBuild:
    """A source of tools: `go build` of one package, in a copy of the group's module."""

    def fetch(self, group: ToolGroup, tool: str, folder: Path, progress: Progress) -> bool:
        """Build `tool` into `folder`. Raises ControlPlaneError where Go is missing or the build fails."""
        go = shutil.which("go")
        if go is None:
            raise ControlPlaneError(
                f"{tool} ({group.label}) is not here and Go is missing to build it: install Go 1.26 or newer "
                f"(https://go.dev/dl), or set KUBEBUILDER_ASSETS to a folder that has {', '.join(group.packages)}"
            )
        for file in ("go.mod", "go.sum"):
            shutil.copyfile(group.folder / file, folder / file)
        command = [go, "build", "-v", "-ldflags", group.ldflags, "-o", str(folder / tool), group.packages[tool]]
        progress.say(f"{tool} is built from Go modules: that takes minutes the first time")
        with progress.task(f"building {tool} ({group.label})") as detail:
            tail: deque[str] = deque(maxlen=_TAIL)
            with subprocess.Popen(  # noqa: S603 - a fixed command
                command, cwd=folder, env={**os.environ, **BUILD_ENVIRONMENT}, stderr=subprocess.PIPE, text=True
            ) as build:
                for count, line in enumerate(build.stderr or (), start=1):
                    tail.append(line.rstrip())
                    detail(f"{count} packages, {tail[-1]}")
        if build.returncode != 0:
            raise ControlPlaneError(f"go build {group.packages[tool]} failed:\n" + "\n".join(tail))
        return True
