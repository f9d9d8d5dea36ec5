"""Which programs there are, in which version, and how each is built: a table.

Law: a version is written once, in the `go.mod` of its group; names of folders, stamps and downloads follow from it.
"""

import hashlib
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

# One set for everybody who builds these modules: other flags would throw Go's build cache away.
BUILD_ENVIRONMENT: Final[Mapping[str, str]] = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


def go_architecture() -> str:
    """Return this machine's architecture as Go and the release archives spell it."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


@dataclass(frozen=True)
class ToolGroup:
    """Programs that share one `go.mod`, because one set of module versions fits them all.

    `stamps` maps a Go variable to its text; `{version}`, `{major}` and `{minor}` are those of `module`.
    """

    name: str
    module: str
    packages: Mapping[str, str]
    stamps: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where `go.mod` and `go.sum` lie."""
        return Path(__file__).parent / "gotools" / self.name

    @cached_property
    def version(self) -> str:
        """The version of `module`, without its `v`."""
        pins = (self.folder / "go.mod").read_text()
        requirement = re.search(rf"^\s*{re.escape(self.module)} v(\S+)", pins, re.MULTILINE)
        if requirement is None:
            raise ValueError(f"{self.folder / 'go.mod'} does not require {self.module}")
        return requirement[1]

    @property
    def label(self) -> str:
        """What people call this version of the group."""
        return f"{self.name} v{self.version}"

    @property
    def ldflags(self) -> str:
        """The linker's flags: without the stamps, clients would be told version v0.0.0."""
        major, minor, _ = self.version.split(".", 2)
        values = {
            name: text.format(version=self.version, major=major, minor=minor) for name, text in self.stamps.items()
        }
        return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in values.items())])

    @cached_property
    def key(self) -> str:
        """The name of this group's folder in the cache: another pin or flag is another folder."""
        settings = sorted(f"{name}={value}" for name, value in BUILD_ENVIRONMENT.items())
        recipe = [(self.folder / "go.mod").read_text(), self.ldflags, go_architecture(), *settings]
        digest = hashlib.sha256("\0".join(recipe).encode()).hexdigest()
        return f"{self.name}-v{self.version}-{digest[:12]}"


KUBERNETES: Final = ToolGroup(
    name="kubernetes",
    module="k8s.io/kubernetes",
    packages={
        "etcd": "go.etcd.io/etcd/server/v3",
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
        "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    },
    stamps={
        "k8s.io/component-base/version.gitVersion": "v{version}",
        "k8s.io/component-base/version.gitMajor": "{major}",
        "k8s.io/component-base/version.gitMinor": "{minor}",
        "k8s.io/component-base/version.gitTreeState": "clean",
    },
)
HELM: Final = ToolGroup(
    name="helm",
    module="helm.sh/helm/v4",
    packages={"helm": "helm.sh/helm/v4/cmd/helm"},
    stamps={"helm.sh/helm/v4/internal/version.version": "v{version}"},
)
GROUPS: Final = (KUBERNETES, HELM)


def group_of(tool: str) -> ToolGroup:
    """Return the group that builds `tool`. Raises KeyError for a name that no group has."""
    for group in GROUPS:
        if tool in group.packages:
            return group
    raise KeyError(tool)
